/*
 * Any sequence of events of an upload at any time: a block is kept once and in its order,
 * nothing is acknowledged that is not stored, and it always ends. The input: blksize (2),
 * windowsize (1), timeout (1), rollover (1), the limit (2), then events of six octets: kind,
 * number (2), length (2), time passed.
 */
#include <stdlib.h>

#include "core/bytes.h"
#include "tftpd/receive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct story {
	struct receive receive;
	uint64_t now;
	uint64_t kept, stored; /* blocks */
	bool is_disk_busy;
};

static void check_step(struct story *story, const struct session_event *event,
		       const struct session_step *step)
{
	const struct receive *receive = &story->receive;

	if (event->kind == SESSION_STORED) {
		story->stored = story->kept;
		story->is_disk_busy = false;
	}
	if (step->keep) {
		check(event->kind == SESSION_DATA && !story->is_disk_busy);
		check(event->message_length <= receive->terms.blksize);
		story->kept++;
	}
	check(receive->received == story->kept && receive->acked <= story->stored);
	check(story->kept - receive->acked <= receive->terms.windowsize);
	check(receive->octets <= receive->octets_max);
	if (step->store) {
		check(story->kept > receive->acked && !story->is_disk_busy);
		story->is_disk_busy = true;
	}
	check(step->outcome != SESSION_RECEIVED || (receive->is_last && !story->is_disk_busy));
	check(step->send != SESSION_SEND_DATA);
	if (step->outcome == SESSION_OPEN)
		check(step->wait_until_ms == receive->wait_until_ms);
}

static struct session_step play(struct story *story, const struct session_event *event)
{
	struct session_step step = receive_step(&story->receive, event, story->now);

	check_step(story, event, &step);
	return step;
}

/* From here on neither client nor disk says anything. */
static void check_end(struct story *story)
{
	const struct session_event stored = {.kind = SESSION_STORED, .message = ""};
	const struct session_event timer = {.kind = SESSION_TIMER, .message = ""};
	uint64_t limit = story->now + 2000000;

	for (;;) {
		struct session_step step;

		check(story->receive.wait_until_ms <= limit);
		if (story->receive.wait_until_ms > story->now)
			story->now = story->receive.wait_until_ms;
		/* half of the disks work */
		step = play(story, story->is_disk_busy && (story->kept & 1) ? &stored : &timer);
		if (step.outcome != SESSION_OPEN)
			return;
	}
}

static enum session_event_kind kind_of(const struct story *story, uint8_t octet)
{
	static const enum session_event_kind kinds[] = {
		SESSION_DATA,	 SESSION_DATA,	      SESSION_DATA,	   SESSION_DATA,
		SESSION_TIMER,	 SESSION_ASKED_AGAIN, SESSION_UNREACHABLE, SESSION_ACK,
		SESSION_ERROR,	 SESSION_REPLACED,    SESSION_NOT_STORED,  SESSION_STOPPING,
		SESSION_CROWDED,
	};

	if (story->is_disk_busy && (octet & 0x80))
		return SESSION_STORED;
	return kinds[(octet & 0x7f) % (sizeof(kinds) / sizeof(kinds[0]))];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_reader in = bytes_reader(data, size);
	struct session_terms terms = {.blksize = bytes_get_u16(&in)};
	struct session_event event = {.kind = SESSION_START, .message = ""};
	struct story story = {.now = 1};

	if (terms.blksize < PACKET_BLKSIZE_MIN || terms.blksize > PACKET_BLKSIZE_MAX)
		terms.blksize = PACKET_BLKSIZE_MIN;
	terms.windowsize = (uint16_t)(1 + bytes_get_u8(&in) % SESSION_WINDOW_MAX);
	terms.timeout_ms = bytes_get_u8(&in) * 1000U;
	terms.rollover = bytes_get_u8(&in) & 1;
	terms.has_oack = terms.windowsize > 1 || terms.timeout_ms > 0;
	receive_begin(&story.receive, &terms, bytes_get_u16(&in) * 8ULL, story.now);
	for (;;) {
		if (play(&story, &event).outcome != SESSION_OPEN)
			return 0;
		if (in.left < 6)
			break;
		event.kind = kind_of(&story, bytes_get_u8(&in));
		event.number = bytes_get_u16(&in);
		event.message_length = bytes_get_u16(&in);
		story.now += (uint64_t)bytes_get_u8(&in) * 16;
	}
	check_end(&story);
	return 0;
}
