/*
 * probe - is another DHCP server on the wire? Asked by DISCOVERs of our own.
 *
 * A second server that nobody knows of gives addresses that the first one believes to be free.
 * So for a moment after the start nothing is served; when a stranger answers, nothing is served
 * as long as it does, and it is asked again every 30 s. Some servers look for seconds whether
 * an address is free before they offer it: for a while after the start a late answer counts,
 * too.
 *
 * From then on we are asked for by clients that hold our promises, and whoever can send one
 * OFFER could silence a campus: a stranger who comes later is told of, and we step back only if
 * the site wants it so. It is asked for every five minutes, and at once when something hints at
 * it.
 *
 *	if (probe_tick(&probe, now_ms, verdict))
 *		length = probe_encode(&mac, probe.xid, buffer);
 *	if (probe_permits(&probe, policy))
 *		... serve
 */
#ifndef ROUSE_DHCPD_PROBE_H
#define ROUSE_DHCPD_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mac.h"
#include "dhcpd/packet.h"

#define PROBE_HOLD_MS 1000    /* how long the start waits for an answer */
#define PROBE_LATE_MS 10000   /* how long after it an answer still counts as one to the start */
#define PROBE_WATCH_MS 300000 /* from one question to the next while nobody answers */
#define PROBE_HINT_MS 10000   /* the least between two questions, however many hints come */
#define PROBE_AGAIN_MS 30000  /* from an answer to the next question */
#define PROBE_ROUND_MS 5000   /* how long an answer to a later question may take */
#define PROBE_REPEAT_MS 500   /* a frame may be lost: each question is sent twice */
#define PROBE_ANSWERS_MAX 8
#define PROBE_TICK_MS 250 /* how often probe_tick() is to be called */

/* What the last question has shown. */
enum probe_state {
	PROBE_STARTING, /* the first one is open */
	PROBE_CLEAR,	/* nobody but us and our peers */
	PROBE_FOREIGN,	/* a stranger serves here */
};

/* Who answered, in the caller's eyes: only the database knows our peers. */
enum probe_verdict {
	PROBE_NOT_KNOWN, /* the database was not asked yet */
	PROBE_NOBODY,
	PROBE_STRANGER,
};

/* When do we step back for a stranger? */
enum probe_policy {
	PROBE_AT_START, /* when it was there before us */
	PROBE_ALWAYS,
	PROBE_NEVER,
};

struct probe {
	enum probe_state state;
	bool is_asking;	 /* a question is open */
	bool is_settled; /* the start is over: nobody had answered */
	uint32_t xid;	 /* of this round */
	uint64_t began_ms, next_ms, late_until_ms;
	unsigned sent;			     /* in this round */
	uint32_t answers[PROBE_ANSWERS_MAX]; /* servers that answered in this round */
	size_t answer_count;
};

void probe_begin(struct probe *probe, uint32_t xid, uint64_t now_ms);
/* An OFFER with an address was heard from this server: does it answer our question? */
void probe_heard(struct probe *probe, const struct packet *packet, uint32_t server);
/* Something shows a stranger, and may be forged: ask soon. */
void probe_hint(struct probe *probe);
/* Moves on; true: send the question now. */
bool probe_tick(struct probe *probe, uint64_t now_ms, enum probe_verdict verdict);
/* May we serve? */
bool probe_permits(const struct probe *probe, enum probe_policy policy);
/* The card that asks: a locally administered address beside our own. */
struct mac probe_mac(const struct mac *our_mac);
/* The DISCOVER; `buffer` has PACKET_SIZE_MIN octets. */
size_t probe_encode(const struct mac *mac, uint32_t xid, uint8_t *buffer);

#endif
