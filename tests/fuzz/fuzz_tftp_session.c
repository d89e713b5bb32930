/*
 * Any sequence of events at any time: the machine sends only what it may, and always ends.
 * The input: file size (3 octets), blksize (2), windowsize (1), timeout (1), then events of
 * four octets: kind, number (2), time passed.
 */
#include <stdlib.h>

#include "core/bytes.h"
#include "tftpd/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_step(const struct session *session, const struct session_step *step)
{
	check(session->acked <= session->sent || session->sent == 0);
	check(session->sent <= session->blocks);
	check(session->sent <= session->acked + session->terms.windowsize);
	check((step->outcome == SESSION_SENT) <= (session->sent == session->blocks));
	if (step->send != SESSION_SEND_DATA)
		return;
	check(step->outcome == SESSION_OPEN && step->count >= 1);
	check(step->count <= session->terms.windowsize);
	check(step->first > session->acked && step->first + step->count - 1 <= session->blocks);
	for (unsigned i = 0; i < step->count; i++)
		check(session_block_offset(session, step->first + i) +
			      session_block_length(session, step->first + i) <=
		      session->terms.size);
}

/* From here on the client says nothing: it must end within the silence it was promised. */
static void check_end(struct session *session, uint64_t now)
{
	uint64_t limit = now + 1000000;

	for (;;) {
		struct session_event event = {.kind = SESSION_TIMER};
		struct session_step step;

		check(session->wait_until_ms <= limit);
		now = session->wait_until_ms > now ? session->wait_until_ms : now;
		step = session_step(session, &event, now);
		check_step(session, &step);
		if (step.outcome != SESSION_OPEN)
			return;
	}
}

static struct session_terms read_terms(struct bytes_reader *in)
{
	struct session_terms terms = {.size = (uint64_t)bytes_get_u8(in) << 16};

	terms.size |= bytes_get_u16(in);
	terms.blksize = bytes_get_u16(in);
	if (terms.blksize < PACKET_BLKSIZE_MIN || terms.blksize > PACKET_BLKSIZE_MAX)
		terms.blksize = PACKET_BLKSIZE_MIN;
	terms.windowsize = (uint16_t)(1 + bytes_get_u8(in) % SESSION_WINDOW_MAX);
	terms.timeout_ms = bytes_get_u8(in) * 1000U;
	terms.has_oack = terms.windowsize > 1 || terms.timeout_ms > 0;
	return terms;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_reader in = bytes_reader(data, size);
	struct session_terms terms = read_terms(&in);
	struct session_event event = {.kind = SESSION_START, .message = ""};
	uint64_t now = 1;
	struct session session;

	session_begin(&session, &terms, now);
	for (;;) {
		struct session_step step = session_step(&session, &event, now);

		check_step(&session, &step);
		if (step.outcome != SESSION_OPEN)
			return 0;
		if (in.left < 4)
			break;
		event.kind =
			(enum session_event_kind)(1 + bytes_get_u8(&in) % SESSION_STOPPING);
		if (step.send == SESSION_SEND_DATA && (event.kind & 1) && step.count > 1)
			session_hold(&session, step.count - 1, now);
		event.number = bytes_get_u16(&in);
		now += (uint64_t)bytes_get_u8(&in) * 16;
	}
	check_end(&session, now);
	return 0;
}
