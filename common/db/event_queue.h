/*
 * event_queue - events that wait to be recorded, in a ring of fixed size; no I/O, clock or
 * memory of its own.
 *
 *	event_queue_push(queue, &event, now_ms);
 *	event_queue_take(queue, json, sizeof(json), now_ms);	what is sent now, in JSON
 *	event_queue_settle(queue, EVENT_QUEUE_KEPT);		and how that ended
 *
 * A repeat of one that waits is counted in that one. The ring is shared out fairly: a card (or
 * an address, where the card is not known) may have as many events waiting as there is room
 * left. So one card that floods gets half of the ring, two of them a third each, and whoever
 * comes new always finds room.
 */
#ifndef ROUSE_DB_EVENT_QUEUE_H
#define ROUSE_DB_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ip.h"
#include "core/mac.h"
#include "core/uuid.h"
#include "db/events.h"

#define EVENT_QUEUE_MAX 4096
#define EVENT_BATCH_MAX 100 /* what else the connection is asked waits behind it: some ms */
#define EVENT_BATCH_SIZE (EVENT_BATCH_MAX * 1024)

struct event_record {
	char stage[16];
	char kind[16];
	char name[160];
	char reason[160];
	char detail[320];
	struct mac mac;
	struct uuid uuid;
	bool has_mac, has_uuid;
	struct ip address;
	uint32_t count;
	uint64_t at_ms;
};

/* All zero but for `ring`, which the caller owns: EVENT_QUEUE_MAX records. */
struct event_queue {
	struct event_record *ring;
	uint32_t marks[EVENT_QUEUE_MAX];   /* of each record: most that differ, differ here */
	uint16_t waiting[EVENT_QUEUE_MAX]; /* how many wait, by the hash of their card */
	size_t first, count;		   /* what waits, the oldest first */
	size_t in_flight;
	uint64_t dropped;
};

enum event_queue_end {
	EVENT_QUEUE_KEPT,    /* recorded */
	EVENT_QUEUE_REFUSED, /* and never will be: counted as dropped */
	EVENT_QUEUE_AGAIN,   /* not known: it is taken once more; twice is better than never */
};

/* Is there room for anybody? Otherwise it counts one as dropped. */
bool event_queue_has_room(struct event_queue *queue);
/* Copies what it is given. What has no room, or no fair share of it, is counted as dropped. */
void event_queue_push(struct event_queue *queue, const struct event *event, uint64_t now_ms);
/*
 * Writes the oldest, EVENT_BATCH_MAX at most and as many as fit, and holds them in flight.
 * Returns how many: 0, if none waits or some are in flight already.
 */
size_t event_queue_take(struct event_queue *queue, char *json, size_t size, uint64_t now_ms);
void event_queue_settle(struct event_queue *queue, enum event_queue_end end);

#endif
