/*
 * drain - an orderly stop: no request is taken any more, and transfers that are under way have
 * `drain_seconds` to come to their end. What is left then is told that the server stops.
 *
 *	on_stop of the loop:	drain_begin(&server)
 *	a turn has ended:	if (drain_is_idle(&server)) server_wake(&server,
 *				now + DRAIN_LOOK_MS)
 *	the server's timer:	drain_look(&server)
 *
 * With `drain_apart` this is done in a child, so that the next tftpd serves meanwhile. It has
 * transfer ports of its own then: with `transfer_ports` same there are none, and with a range
 * there may be too few, so these are drained in place (loop.h) and the next one comes later.
 */
#ifndef ROUSE_TFTPD_DRAIN_H
#define ROUSE_TFTPD_DRAIN_H

#include <stdbool.h>

#define DRAIN_LOOK_MS 50

struct server;

/* Closes the server at once, when there is nothing to wait for. */
void drain_begin(struct server *server);
/* Is it being drained, and no transfer is left? */
bool drain_is_idle(const struct server *server);
/* Closes the server when that is so and was recorded, or time is over. */
void drain_look(struct server *server);

#endif
