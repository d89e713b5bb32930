#include "tftpd/session.h"

#include <string.h>
#include <strings.h>

#include "tftpd/block.h"

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct session_terms session_agree(const struct packet_options *asked,
				   const struct session_limits *limits, uint64_t size)
{
	struct session_terms terms = {
		.size = size, .blksize = PACKET_BLKSIZE_DEFAULT, .windowsize = 1};

	for (int i = 0; i < PACKET_OPTIONS; i++)
		terms.has_oack = terms.has_oack || asked->option[i].is_asked;
	if (asked->option[PACKET_BLKSIZE].is_asked)
		terms.blksize =
			(uint16_t)lesser(asked->option[PACKET_BLKSIZE].value, limits->blksize);
	if (asked->option[PACKET_WINDOWSIZE].is_asked)
		terms.windowsize = (uint16_t)lesser(asked->option[PACKET_WINDOWSIZE].value,
						    limits->windowsize);
	if (asked->option[PACKET_TIMEOUT].is_asked)
		terms.timeout_ms = (uint32_t)asked->option[PACKET_TIMEOUT].value * 1000;
	if (asked->option[PACKET_UTIMEOUT].is_asked) /* the finer one of the two */
		terms.timeout_ms = (uint32_t)(asked->option[PACKET_UTIMEOUT].value / 1000);
	if (asked->option[PACKET_ROLLOVER].is_asked)
		terms.rollover = (uint8_t)asked->option[PACKET_ROLLOVER].value;
	return terms;
}

void session_write_oack(struct bytes_writer *out, const struct packet_options *asked,
			const struct session_terms *terms)
{
	const uint64_t granted[PACKET_OPTIONS] = {
		[PACKET_BLKSIZE] = terms->blksize,
		[PACKET_TSIZE] = terms->size,
		[PACKET_TIMEOUT] = asked->option[PACKET_TIMEOUT].value,
		[PACKET_UTIMEOUT] = asked->option[PACKET_UTIMEOUT].value,
		[PACKET_ROLLOVER] = terms->rollover,
		[PACKET_WINDOWSIZE] = terms->windowsize,
	};

	packet_write_oack(out);
	for (int i = 0; i < PACKET_OPTIONS; i++) {
		if (asked->option[i].is_asked)
			packet_write_option(out, asked->option[i].spelling, granted[i]);
	}
}

static uint32_t first_wait_ms(const struct session *session)
{
	uint32_t wait_ms = session->round_trip_ms / 8 + session->variation_ms;

	if (session->terms.timeout_ms > 0)
		return session->terms.timeout_ms;
	if (session->terms.windowsize == 1 || session->round_trip_ms == 0)
		return SESSION_FIRST_WAIT_MS;
	if (wait_ms < SESSION_LEAST_WAIT_MS)
		return SESSION_LEAST_WAIT_MS;
	return wait_ms < SESSION_MOST_WAIT_MS ? wait_ms : SESSION_MOST_WAIT_MS;
}

/* RFC 6298 section 2, in integers. A millisecond is the least that can be told. */
static void note_round_trip(struct session *session, uint32_t took_ms)
{
	uint32_t smooth_ms = session->round_trip_ms / 8;
	uint32_t off_ms = took_ms > smooth_ms ? took_ms - smooth_ms : smooth_ms - took_ms;

	took_ms = took_ms > 0 ? took_ms : 1;
	if (session->round_trip_ms == 0) {
		session->round_trip_ms = took_ms * 8;
		session->variation_ms = took_ms * 2;
		return;
	}
	session->variation_ms = session->variation_ms - session->variation_ms / 4 + off_ms;
	session->round_trip_ms = session->round_trip_ms - smooth_ms + took_ms;
}

/* An ACK has come: the answer to what was sent once only (Karn's rule) says how long it took.
 */
static void look_at_clock(struct session *session, uint64_t now_ms)
{
	if (session->timed == 0 || session->acked < session->timed)
		return;
	note_round_trip(session,
			(uint32_t)lesser(now_ms - session->timed_ms, SESSION_SILENCE_MS));
	session->timed = 0;
}

uint64_t session_silence_limit_ms(const struct session_terms *terms)
{
	uint64_t asked = 3ULL * terms->timeout_ms;

	return asked > SESSION_SILENCE_MS ? asked : SESSION_SILENCE_MS;
}

void session_begin(struct session *session, const struct session_terms *terms, uint64_t now_ms)
{
	memset(session, 0, sizeof(*session));
	session->terms = *terms;
	/* a file that fills its last block exactly ends with an empty one (RFC 1350 section 6)
	 */
	session->blocks = terms->size / terms->blksize + 1;
	session->is_agreeing = terms->has_oack;
	session->progress_ms = now_ms;
	session->repeat_ms = first_wait_ms(session);
}

uint64_t session_block_offset(const struct session *session, uint64_t block)
{
	return (block - 1) * session->terms.blksize;
}

size_t session_block_length(const struct session *session, uint64_t block)
{
	return (size_t)lesser(session->terms.size - session_block_offset(session, block),
			      session->terms.blksize);
}

uint16_t session_block_number(const struct session *session, uint64_t block)
{
	return block_number(block, session->terms.rollover);
}

uint64_t session_octets_acked(const struct session *session)
{
	return lesser(session->acked * session->terms.blksize, session->terms.size);
}

static struct session_step keep_waiting(const struct session *session)
{
	return (struct session_step){.wait_until_ms = session->wait_until_ms, .reason = ""};
}

struct session_step session_finish(enum session_outcome outcome, const char *reason)
{
	return (struct session_step){.outcome = outcome, .reason = reason};
}

struct session_step session_fail(enum session_outcome outcome, enum packet_code code,
				 const char *reason)
{
	return (struct session_step){
		.send = SESSION_SEND_ERROR, .code = code, .outcome = outcome, .reason = reason};
}

/* The wait that follows a sending. */
static void wait_for_reply(struct session *session, uint64_t now_ms)
{
	session->wait_until_ms =
		lesser(now_ms + session->repeat_ms,
		       session->progress_ms + session_silence_limit_ms(&session->terms));
}

/* Sends from block `first` to the window's end. */
static struct session_step send_blocks(struct session *session, uint64_t first, uint64_t now_ms)
{
	uint64_t last = lesser(session->acked + session->terms.windowsize, session->blocks);

	session->timed = session->highest < first ? last : 0;
	session->timed_ms = now_ms;
	if (session->highest >= first)
		session->retransmits += lesser(session->highest, last) - first + 1;
	if (session->highest < last)
		session->highest = last;
	session->sent = last;
	session->is_held = false;
	wait_for_reply(session, now_ms);
	return (struct session_step){.send = SESSION_SEND_DATA,
				     .first = first,
				     .count = (unsigned)(last + 1 - first),
				     .wait_until_ms = session->wait_until_ms,
				     .reason = ""};
}

static struct session_step send_window(struct session *session, uint64_t now_ms)
{
	return send_blocks(session, session->acked + 1, now_ms);
}

static struct session_step send_oack(struct session *session, uint64_t now_ms)
{
	wait_for_reply(session, now_ms);
	return (struct session_step){.send = SESSION_SEND_OACK,
				     .wait_until_ms = session->wait_until_ms,
				     .reason = ""};
}

static struct session_step send_current(struct session *session, uint64_t now_ms)
{
	return session->is_agreeing ? send_oack(session, now_ms) : send_window(session, now_ms);
}

/* Something new arrived at the client: patience begins anew. */
static void note_progress(struct session *session, uint64_t now_ms)
{
	session->progress_ms = now_ms;
	session->repeat_ms = first_wait_ms(session);
	session->tries = 1;
	session->is_heard = true;
	session->has_gap = false;
	session->was_gap_repeated = false;
	session->is_unreachable = false;
}

/* The client misses something of a window: give what is under way a moment to arrive. */
static struct session_step note_gap(struct session *session, uint64_t now_ms)
{
	session->has_gap = true;
	session->wait_until_ms = lesser(session->wait_until_ms, now_ms + SESSION_GAP_MS);
	return keep_waiting(session);
}

static struct session_step on_repeated_ack(struct session *session, uint64_t now_ms)
{
	bool may_be_gap = session->terms.windowsize > 1 && session->sent > session->acked &&
			  !session->has_gap && !session->was_gap_repeated && !session->is_held;

	return may_be_gap ? note_gap(session, now_ms) : keep_waiting(session);
}

static struct session_step on_ack(struct session *session, uint16_t block, uint64_t now_ms)
{
	uint64_t ahead = block_ahead(session->acked, block, session->terms.rollover);

	if (session->is_agreeing) {
		if (block != 0)
			return keep_waiting(session);
		session->is_agreeing = false;
		note_progress(session, now_ms);
		return send_window(session, now_ms);
	}
	if (ahead == 0)
		return on_repeated_ack(session, now_ms);
	if (ahead > session->sent - session->acked)
		return keep_waiting(session); /* an old one, or of a block never sent */
	session->acked += ahead;
	look_at_clock(session, now_ms);
	note_progress(session, now_ms);
	if (session->acked == session->blocks)
		return session_finish(SESSION_SENT, "");
	if (session->acked < session->sent && !session->is_held)
		return note_gap(session, now_ms);
	return send_blocks(session, session->sent + 1, now_ms);
}

static bool begins_with(const struct session_event *event, const char *words)
{
	return event->message_length >= strlen(words) &&
	       strncasecmp(event->message, words, strlen(words)) == 0;
}

static struct session_step on_error(const struct session *session,
				    const struct session_event *event)
{
	bool is_polite =
		event->number == PACKET_UNDEFINED &&
		(begins_with(event, "closed") || begins_with(event, "early terminate"));

	if (session->is_agreeing &&
	    (event->number == PACKET_BAD_OPTIONS || event->number == PACKET_UNDEFINED))
		return session_finish(SESSION_PROBE, "the client asked for the size only");
	if (is_polite)
		return session_finish(SESSION_CLOSED, "the client had read enough");
	return session_finish(SESSION_ABORTED, "the client gave up");
}

/*
 * A client that ends a transfer by ERROR and closes its port makes the rest of a window bounce:
 * its own word may stand right behind the bounce, and says more.
 */
static struct session_step on_unreachable(struct session *session, uint64_t now_ms)
{
	session->is_unreachable = true;
	session->wait_until_ms = lesser(session->wait_until_ms, now_ms + SESSION_GAP_MS);
	return keep_waiting(session);
}

static struct session_step on_timer(struct session *session, uint64_t now_ms)
{
	if (now_ms < session->wait_until_ms)
		return keep_waiting(session);
	if (session->is_unreachable)
		return session_finish(SESSION_ABORTED,
				      "nobody listens at the client's port any more");
	if (now_ms - session->progress_ms >= session_silence_limit_ms(&session->terms))
		return session_fail(SESSION_TIMEOUT, PACKET_UNDEFINED,
				    "the client fell silent");
	if (session->is_held)
		return send_blocks(session, session->sent + 1, now_ms);
	if (session->has_gap) {
		session->has_gap = false;
		session->was_gap_repeated = true;
		return send_window(session, now_ms);
	}
	/* nobody may be there at all, and an ERROR would be one datagram more for him */
	if (!session->is_heard && session->tries >= SESSION_TRIES_UNHEARD)
		return session_finish(SESSION_TIMEOUT, "the client was never heard");
	if (session->tries >= SESSION_TRIES)
		return session_fail(SESSION_TIMEOUT, PACKET_UNDEFINED,
				    "the client fell silent");
	/* sooner repetitions come before the usual ones, not in their place */
	if (session->terms.timeout_ms > 0 || session->repeat_ms >= SESSION_FIRST_WAIT_MS)
		session->tries++;
	if (session->terms.timeout_ms == 0)
		session->repeat_ms *= 2;
	if (session->is_agreeing)
		session->retransmits++;
	return send_current(session, now_ms);
}

bool session_may_be_asked_again(const struct session *session, uint64_t now_ms)
{
	/* nothing of ours has reached it yet, as far as we know */
	bool is_unheard =
		session->is_agreeing || (session->acked == 0 && !session->terms.has_oack);

	return is_unheard || now_ms - session->progress_ms < SESSION_REPEAT_MS;
}

/* The client's port was used for another request: how far had this one come? */
static struct session_step on_replaced(const struct session *session)
{
	if (session->is_agreeing)
		return session_finish(SESSION_PROBE, "the client asked for the size only");
	if (session->sent == session->blocks) /* its last ACK is lost or still on the way */
		return session_finish(SESSION_SENT,
				      "the client went on without acknowledging the end");
	return session_finish(SESSION_ABORTED, "the client asked for another file");
}

/* Only an OACK is repeated at once: a DATA that comes twice hangs some boot ROMs. */
static struct session_step on_asked_again(struct session *session, uint64_t now_ms)
{
	if (!session->is_agreeing)
		return keep_waiting(session);
	session->retransmits++;
	return send_oack(session, now_ms);
}

struct session_step session_step(struct session *session, const struct session_event *event,
				 uint64_t now_ms)
{
	switch (event->kind) {
	case SESSION_START:
		session->tries = 1;
		return send_current(session, now_ms);
	case SESSION_ACK:
		return on_ack(session, event->number, now_ms);
	case SESSION_ERROR:
		return on_error(session, event);
	case SESSION_TIMER:
		return on_timer(session, now_ms);
	case SESSION_ASKED_AGAIN:
		return on_asked_again(session, now_ms);
	case SESSION_REPLACED:
		return on_replaced(session);
	case SESSION_UNREACHABLE:
		return on_unreachable(session, now_ms);
	case SESSION_CROWDED:
		return session_finish(
			SESSION_TIMEOUT,
			"it was never heard, and its place was needed for others");
	case SESSION_UNREADABLE:
		return session_fail(SESSION_ABORTED, PACKET_UNDEFINED,
				    "the file could not be read to its end");
	case SESSION_STOPPING:
		return session_fail(SESSION_ABORTED, PACKET_UNDEFINED,
				    "the server is stopping: ask again in a moment");
	case SESSION_DATA:
	case SESSION_STORED:
	case SESSION_NOT_STORED:
		break; /* a receiver's */
	}
	return keep_waiting(session);
}

void session_hold(struct session *session, unsigned count, uint64_t now_ms)
{
	/* the same blocks may have been gathered twice, or acknowledged since */
	count = (unsigned)lesser(count, session->sent - session->acked);
	if (session->highest == session->sent)
		session->highest -= count;
	session->sent -= count;
	session->is_held = true;
	session->wait_until_ms = now_ms + SESSION_HOLD_MS;
}

const char *session_outcome_name(enum session_outcome outcome)
{
	static const char *const names[] = {
		[SESSION_OPEN] = "open",	 [SESSION_SENT] = "sent",
		[SESSION_CLOSED] = "sent",	 [SESSION_PROBE] = "probe",
		[SESSION_ABORTED] = "aborted",	 [SESSION_TIMEOUT] = "timeout",
		[SESSION_RECEIVED] = "received",
	};

	return names[outcome];
}
