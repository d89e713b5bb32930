#include "tftpd/receive.h"

#include <string.h>

#include "tftpd/block.h"

#define PATIENT_WAIT_MS 8000

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t first_wait_ms(const struct receive *receive)
{
	return receive->terms.timeout_ms > 0 ? receive->terms.timeout_ms
					     : SESSION_FIRST_WAIT_MS;
}

/*
 * Our answer said again helps when the first one was lost, and some clients send their block
 * again for it. Others only begin their own wait anew (tftp-hpa: five seconds): they must come
 * to its end before we speak again.
 */
static uint32_t next_wait_ms(const struct receive *receive)
{
	uint32_t next = 2 * receive->repeat_ms;

	if (receive->received == 0 || receive->terms.timeout_ms > 0 || next > PATIENT_WAIT_MS)
		return next;
	return PATIENT_WAIT_MS;
}

void receive_begin(struct receive *receive, const struct session_terms *terms,
		   uint64_t octets_max, uint64_t now_ms)
{
	memset(receive, 0, sizeof(*receive));
	receive->terms = *terms;
	receive->octets_max = octets_max;
	receive->progress_ms = now_ms;
	receive->repeat_ms = first_wait_ms(receive);
}

static struct session_step keep_waiting(const struct receive *receive)
{
	return (struct session_step){.wait_until_ms = receive->wait_until_ms, .reason = ""};
}

/* Says how far it has come: what leaves the client's next block to be sent. */
static struct session_step answer(struct receive *receive, uint64_t now_ms)
{
	bool is_agreeing = receive->terms.has_oack && receive->received == 0;

	receive->answered_ms = now_ms;
	receive->wait_until_ms =
		lesser(now_ms + receive->repeat_ms,
		       receive->progress_ms + session_silence_limit_ms(&receive->terms));
	return (struct session_step){
		.send = is_agreeing ? SESSION_SEND_OACK : SESSION_SEND_ACK,
		.first = block_number(receive->acked, receive->terms.rollover),
		.wait_until_ms = receive->wait_until_ms,
		.reason = ""};
}

static struct session_step answer_again(struct receive *receive, uint64_t now_ms)
{
	receive->repeats++;
	return answer(receive, now_ms);
}

/* The blocks since the last ACK are written, and then acknowledged. */
static struct session_step store(struct receive *receive)
{
	receive->is_storing = true;
	receive->wait_until_ms =
		receive->progress_ms + session_silence_limit_ms(&receive->terms);
	return (struct session_step){
		.store = true, .wait_until_ms = receive->wait_until_ms, .reason = ""};
}

static struct session_step take_block(struct receive *receive, size_t length, uint64_t now_ms)
{
	struct session_step step = keep_waiting(receive);

	if (length > receive->octets_max - receive->octets)
		return session_fail(SESSION_ABORTED, PACKET_DISK_FULL,
				    "it is larger than uploads may be");
	receive->received++;
	receive->octets += length;
	receive->progress_ms = now_ms;
	receive->repeat_ms = first_wait_ms(receive);
	receive->tries = 1;
	receive->has_gap = false;
	receive->is_unreachable = false;
	receive->is_last = length < receive->terms.blksize;
	if (receive->is_last || receive->received - receive->acked == receive->terms.windowsize)
		step = store(receive);
	step.keep = true;
	return step;
}

/* Blocks are missing before this one: where to go on, once. */
static struct session_step note_gap(struct receive *receive, uint64_t now_ms)
{
	if (receive->has_gap)
		return keep_waiting(receive);
	receive->has_gap = true;
	return receive->received > receive->acked ? store(receive)
						  : answer_again(receive, now_ms);
}

/*
 * The last block once more: our ACK was lost. Right behind that ACK it is an echo of the
 * network, and the ACK is still on its way.
 */
static struct session_step on_repeated_block(struct receive *receive, uint64_t now_ms)
{
	if (receive->received == 0 || receive->received > receive->acked ||
	    now_ms - receive->answered_ms < SESSION_GAP_MS)
		return keep_waiting(receive);
	return answer_again(receive, now_ms);
}

static struct session_step on_data(struct receive *receive, const struct session_event *event,
				   uint64_t now_ms)
{
	uint64_t ahead = block_ahead(receive->received, event->number, receive->terms.rollover);

	if (receive->is_storing)
		return keep_waiting(receive);
	if (event->message_length > receive->terms.blksize)
		return session_fail(SESSION_ABORTED, PACKET_ILLEGAL,
				    "a block is longer than was agreed");
	if (ahead == 0)
		return on_repeated_block(receive, now_ms);
	if (ahead == 1)
		return take_block(receive, event->message_length, now_ms);
	if (ahead <= receive->terms.windowsize)
		return note_gap(receive, now_ms);
	return keep_waiting(receive); /* an old one */
}

static struct session_step on_stored(struct receive *receive, uint64_t now_ms)
{
	struct session_step step;

	receive->is_storing = false;
	receive->acked = receive->received;
	receive->progress_ms = now_ms; /* the client has waited for us, not we for it */
	step = answer(receive, now_ms);
	if (receive->is_last)
		step.outcome = SESSION_RECEIVED;
	return step;
}

static struct session_step on_timer(struct receive *receive, uint64_t now_ms)
{
	if (now_ms < receive->wait_until_ms)
		return keep_waiting(receive);
	if (receive->is_storing)
		return session_fail(SESSION_ABORTED, PACKET_UNDEFINED,
				    "the disk does not answer");
	if (receive->is_unreachable)
		return session_finish(SESSION_ABORTED,
				      "nobody listens at the client's port any more");
	if (receive->received == 0 && receive->tries >= SESSION_TRIES_UNHEARD)
		return session_finish(SESSION_TIMEOUT, "the client was never heard");
	if (receive->tries >= SESSION_TRIES ||
	    now_ms - receive->progress_ms >= session_silence_limit_ms(&receive->terms))
		return session_fail(SESSION_TIMEOUT, PACKET_UNDEFINED,
				    "the client fell silent");
	receive->tries++;
	receive->repeat_ms = next_wait_ms(receive);
	/* of a window whose rest was lost, what came is acknowledged */
	return receive->received > receive->acked ? store(receive)
						  : answer_again(receive, now_ms);
}

static struct session_step on_unreachable(struct receive *receive, uint64_t now_ms)
{
	if (receive->is_storing) /* it may be whole already */
		return keep_waiting(receive);
	receive->is_unreachable = true;
	receive->wait_until_ms = lesser(receive->wait_until_ms, now_ms + SESSION_GAP_MS);
	return keep_waiting(receive);
}

bool receive_may_be_asked_again(const struct receive *receive, uint64_t now_ms)
{
	return receive->received == 0 || now_ms - receive->progress_ms < SESSION_REPEAT_MS;
}

bool receive_is_last(const struct receive *receive, uint16_t number)
{
	return receive->is_last &&
	       number == block_number(receive->received, receive->terms.rollover);
}

struct session_step receive_step(struct receive *receive, const struct session_event *event,
				 uint64_t now_ms)
{
	switch (event->kind) {
	case SESSION_START:
		receive->tries = 1;
		return answer(receive, now_ms);
	case SESSION_DATA:
		return on_data(receive, event, now_ms);
	case SESSION_STORED:
		return on_stored(receive, now_ms);
	case SESSION_NOT_STORED:
		return session_fail(SESSION_ABORTED, (enum packet_code)event->number,
				    event->message);
	case SESSION_TIMER:
		return on_timer(receive, now_ms);
	case SESSION_ASKED_AGAIN:
		return receive->received == 0 && !receive->is_storing
			       ? answer_again(receive, now_ms)
			       : keep_waiting(receive);
	case SESSION_ERROR:
		return session_finish(SESSION_ABORTED, "the client gave up");
	case SESSION_REPLACED:
		return session_finish(SESSION_ABORTED, "the client began something else");
	case SESSION_UNREACHABLE:
		return on_unreachable(receive, now_ms);
	case SESSION_CROWDED:
		return session_finish(
			SESSION_TIMEOUT,
			"it was never heard, and its place was needed for others");
	case SESSION_STOPPING:
		return session_fail(SESSION_ABORTED, PACKET_UNDEFINED,
				    "the server is stopping: ask again in a moment");
	case SESSION_ACK:
	case SESSION_UNREADABLE:
		break; /* a sender's */
	}
	return keep_waiting(receive);
}
