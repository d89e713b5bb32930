/*
 * session - one transfer as a pure machine: an event and the time go in, what to send and how
 * long to wait come out. It knows no socket, no file and no clock, so that a whole lossy
 * network can be played through it in a test.
 *
 *	session_begin(&session, &terms, now_ms);
 *	struct session_step step = session_step(&session, &(struct
 * session_event){SESSION_START}, now_ms); send what step.send says; on a datagram or at
 * step.wait_until_ms call session_step() again, until step.outcome is no longer SESSION_OPEN.
 *
 * RFC 1350 with the lesson of RFC 1123 section 4.2.3.1 (Sorcerer's Apprentice: a repeated ACK
 * never makes a repeated DATA by itself), RFC 2347 to 2349, RFC 7440 windows. Blocks are
 * counted from 1 without wrapping; only the wire's 16 bits wrap, to 0, or to 1 if the client
 * asks so.
 *
 * A window in which something was lost is repeated from the first missing block, once, after
 * SESSION_GAP_MS without progress: a client that was only overtaken (reordered or doubled
 * datagrams) has acknowledged more by then. Everything else is repeated by the timer alone.
 */
#ifndef ROUSE_TFTPD_SESSION_H
#define ROUSE_TFTPD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "tftpd/packet.h"

#define SESSION_FIRST_WAIT_MS 1000 /* before the first repetition; doubles from there */
#define SESSION_LEAST_WAIT_MS 100  /* the same, where the round trip is known */
#define SESSION_MOST_WAIT_MS 4000
#define SESSION_TRIES 6 /* sendings of one block without progress, sooner ones apart */
#define SESSION_TRIES_UNHEARD                                                                  \
	4 /* the same to a client that was never heard: a forged address? */
#define SESSION_SILENCE_MS 60000 /* and the longest silence in all */
#define SESSION_GAP_MS 10
#define SESSION_REPEAT_MS 1000 /* a request that comes again so soon is the same wish */
#define SESSION_HOLD_MS 5      /* until a full socket is tried again */
#define SESSION_WINDOW_MAX 64

/* What the server grants at most. */
struct session_limits {
	uint16_t blksize;    /* what fits the interface's MTU */
	uint16_t windowsize; /* at most SESSION_WINDOW_MAX */
};

/* What was agreed; every value was asked for, or is RFC 1350's. */
struct session_terms {
	uint64_t size; /* of the file, octets */
	uint16_t blksize;
	uint16_t windowsize;
	uint32_t timeout_ms; /* 0: not asked for */
	uint8_t rollover;    /* the number that follows block 65535 on the wire: 0 or 1 */
	bool has_oack;	     /* something was granted, so the answer begins with an OACK */
};

enum session_event_kind {
	SESSION_START,
	SESSION_ACK,	     /* number: the block */
	SESSION_ERROR,	     /* number: the code; message */
	SESSION_TIMER,	     /* wait_until_ms has come, or not yet: no harm */
	SESSION_ASKED_AGAIN, /* the same request once more, before anything was acknowledged */
	SESSION_REPLACED,    /* the same client and port asks for something else */
	SESSION_UNREACHABLE, /* ICMP: nobody listens there any more */
	SESSION_CROWDED,     /* never heard, and others need its place */
	SESSION_UNREADABLE,  /* the file could not be read on */
	SESSION_STOPPING,    /* the server ends */
	/* of uploads alone (receive.h): */
	SESSION_DATA,	    /* number: the block; message: its octets */
	SESSION_STORED,	    /* what was to be stored is */
	SESSION_NOT_STORED, /* number: the code for the client; message: why, static text */
};

struct session_event {
	enum session_event_kind kind;
	uint16_t number;
	const char *message;
	size_t message_length;
};

enum session_send {
	SESSION_SEND_NOTHING,
	SESSION_SEND_OACK,
	SESSION_SEND_DATA, /* blocks first .. first + count - 1 */
	SESSION_SEND_ERROR,
	SESSION_SEND_ACK, /* first: the number, as on the wire */
};

enum session_outcome {
	SESSION_OPEN,
	SESSION_SENT,	 /* the last block was acknowledged */
	SESSION_CLOSED,	 /* the client had read enough and said so (GRUB, Raspberry Pi) */
	SESSION_PROBE,	 /* the client only wanted to know the size (EDK2) */
	SESSION_ABORTED, /* reason says by whom and why */
	SESSION_TIMEOUT,
	SESSION_RECEIVED, /* an upload is whole and safe */
};

struct session_step {
	enum session_send send;
	uint64_t first; /* the first block's number */
	unsigned count;
	bool keep, store;      /* of an upload, see receive.h */
	enum packet_code code; /* of the ERROR */
	uint64_t wait_until_ms;
	enum session_outcome outcome;
	const char *reason; /* static text for the ERROR and the log; "" when there is none */
};

struct session {
	struct session_terms terms;
	uint64_t blocks;	/* of the whole file; the last one is shorter than blksize */
	uint64_t acked;		/* the highest block acknowledged in order */
	uint64_t sent;		/* the highest block sent since then; acked: none */
	uint64_t highest;	/* the highest block ever sent */
	uint64_t retransmits;	/* blocks and OACKs sent once more */
	uint64_t progress_ms;	/* when a new block was last acknowledged */
	uint64_t wait_until_ms; /* the step's, kept for the shell's timer */
	uint32_t repeat_ms;	/* the wait after the next sending */
	uint32_t round_trip_ms; /* RFC 6298: smoothed, times 8; 0: not known yet */
	uint32_t variation_ms;	/* times 4 */
	uint64_t timed_ms;	/* when block `timed` was sent, for the first time */
	uint64_t timed;		/* 0: none, for it was repeated */
	unsigned tries;		/* sendings since the last progress */
	bool is_heard;		/* the client has acknowledged something */
	bool is_agreeing;	/* the OACK waits for its ACK 0 */
	bool has_gap;		/* a gap was reported: repeat when nothing moves */
	bool was_gap_repeated;
	bool is_unreachable; /* ICMP said so: over, unless the client says otherwise at once */
	bool is_held;	     /* the socket was full: the rest of the window waits */
};

/* Fills the terms from what was asked and what the server allows. Never more than asked. */
struct session_terms session_agree(const struct packet_options *asked,
				   const struct session_limits *limits, uint64_t size);
/* The OACK for these terms, names as the client spelled them. */
void session_write_oack(struct bytes_writer *out, const struct packet_options *asked,
			const struct session_terms *terms);
void session_begin(struct session *session, const struct session_terms *terms, uint64_t now_ms);
/* Not to be called once a step's outcome was not SESSION_OPEN. */
struct session_step session_step(struct session *session, const struct session_event *event,
				 uint64_t now_ms);
/* The last `count` blocks of the latest step could not be sent: they are sent a little later.
 */
void session_hold(struct session *session, unsigned count, uint64_t now_ms);
/*
 * Would the same request, come now, be the first one once more (repeated by the client or by
 * the network) rather than a machine that begins anew?
 */
bool session_may_be_asked_again(const struct session *session, uint64_t now_ms);
/* Where a block lies in the file, and how long it is. */
uint64_t session_block_offset(const struct session *session, uint64_t block);
size_t session_block_length(const struct session *session, uint64_t block);
/* Its number on the wire. */
uint16_t session_block_number(const struct session *session, uint64_t block);
/* Octets of the file that the client has acknowledged. */
uint64_t session_octets_acked(const struct session *session);
/* The step that ends a transfer: in silence, or with an ERROR. `reason` is static. */
struct session_step session_finish(enum session_outcome outcome, const char *reason);
struct session_step session_fail(enum session_outcome outcome, enum packet_code code,
				 const char *reason);
/* A client that asked for long waits gets three of them, whatever our own patience. */
uint64_t session_silence_limit_ms(const struct session_terms *terms);
/* "sent", "probe" ...: the event's kind. */
const char *session_outcome_name(enum session_outcome outcome);

#endif
