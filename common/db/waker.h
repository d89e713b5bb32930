/*
 * waker - sends the Wake-on-LAN packets that rouse.wake(), jobs and schedules order. Every 2 s
 * it takes the orders that are this daemon's to send (those for machines in its own networks,
 * and such as nobody else took), sends their packets, and tells the database.
 */
#ifndef ROUSE_DB_WAKER_H
#define ROUSE_DB_WAKER_H

#include "core/err.h"
#include "db/conn.h"

struct waker;

/* `instance` must outlive it. */
MUST_CHECK enum err waker_open(struct loop *loop, struct db_conn *conn, const char *instance,
			       struct waker **ret_waker);
/* Accepts NULL. */
void waker_close(struct waker *waker);

#endif
