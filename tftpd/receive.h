/*
 * receive - one upload as a pure machine, the mirror of session.h: the client sends the blocks,
 * we acknowledge them. It speaks session's words: events and the time go in, a step comes out.
 *
 *	receive_begin(&receive, &terms, octets_max, now_ms);
 *	struct session_step step = receive_step(&receive, &(struct
 * session_event){SESSION_START}, now_ms); step.keep: the block that was given is the next one,
 * keep it step.store: write what was kept, and say SESSION_STORED when it is written (with the
 * last block: when the whole file is safe under its name), or SESSION_NOT_STORED
 *
 * RFC 1350: a block is acknowledged once it is written, so that the last ACK means that the
 * file is there. RFC 7440: the last block of a window is acknowledged, and a gap by the last
 * block before it, once. A block that comes again is acknowledged again (RFC 1123
 * section 4.2.3.1 leaves it to the sender not to multiply) and never kept twice. While the disk
 * is at work, whatever the client repeats is not answered: its answer is on the way.
 */
#ifndef ROUSE_TFTPD_RECEIVE_H
#define ROUSE_TFTPD_RECEIVE_H

#include "tftpd/session.h"

struct receive {
	struct session_terms terms; /* size: what the client announced, or 0 */
	uint64_t octets_max;
	uint64_t octets;	/* taken */
	uint64_t received;	/* the highest block taken in order */
	uint64_t acked;		/* the highest block acknowledged */
	uint64_t repeats;	/* answers said once more */
	uint64_t progress_ms;	/* when a new block last came */
	uint64_t answered_ms;	/* when we last said something */
	uint64_t wait_until_ms; /* the step's, kept for the shell's timer */
	uint32_t repeat_ms;	/* the wait after the next answer */
	unsigned tries;		/* answers since the last progress */
	bool is_last;		/* the last block has come */
	bool is_storing;	/* the disk is at work */
	bool has_gap;		/* and it was told */
	bool is_unreachable;
};

void receive_begin(struct receive *receive, const struct session_terms *terms,
		   uint64_t octets_max, uint64_t now_ms);
/* Not to be called once a step's outcome was not SESSION_OPEN. */
struct session_step receive_step(struct receive *receive, const struct session_event *event,
				 uint64_t now_ms);
/* As session_may_be_asked_again(). */
bool receive_may_be_asked_again(const struct receive *receive, uint64_t now_ms);
/*
 * Of an upload that is whole: is this the number of its last block? Then our last ACK was lost,
 * and is said again (the dallying of RFC 1350 section 6).
 */
bool receive_is_last(const struct receive *receive, uint16_t number);

#endif
