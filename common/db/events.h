/*
 * events - what a daemon saw, on its way to rouse.events: a bounded queue that never holds
 * anybody up. Batched every 100 ms; repeats (same MAC, stage, kind and name) within a batch
 * fold to one with a count. When it runs full, as when the database is away, the newest are
 * dropped, counted and told in the log once a minute: of each card what is beyond its fair
 * share (db/event_queue.h).
 *
 *	struct event event = {.stage = "tftp_nbp", .kind = "sent", .mac = &mac};
 *
 *	event.name = "ipxe.efi";
 *	event.detail = "{\"bytes\":1048576}";
 *	events_push(events, &event);
 */
#ifndef ROUSE_DB_EVENTS_H
#define ROUSE_DB_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "core/mac.h"
#include "core/uuid.h"
#include "db/conn.h"

struct event {
	const char *stage; /* of design's list: fw_dhcp, proxy, tftp_nbp, ... */
	const char *kind;  /* what happened: discover, offer, ack, sent, missing, aborted ... */
	const struct mac *mac;	 /* NULL: not known */
	const struct uuid *uuid; /* NULL: not known */
	struct ip address;	 /* none: not known */
	const char *name;   /* the file, the job, the menu item; NULL: none. Foreign text is
			       welcome */
	const char *reason; /* in words; NULL: none */
	const char *detail; /* a JSON object; NULL: none */
};

struct events;

MUST_CHECK enum err events_open(struct loop *loop, struct db_conn *conn, const char *daemon,
				const char *instance, struct events **ret_events);
/*
 * Is there room for another event? Otherwise it counts one as dropped: whoever asks may save
 * itself the trouble of making it.
 */
bool events_have_room(struct events *events);
/* Copies what it is given. Never fails: what does not fit is counted. */
void events_push(struct events *events, const struct event *event);
/* Those that are not recorded yet. */
size_t events_waiting(const struct events *events);
uint64_t events_dropped(const struct events *events);
/* Sends what is left, once, if the database is up. Call before db_close. */
void events_close(struct events *events);

#endif
