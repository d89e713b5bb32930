/*
 * hello - says to the database that this daemon lives (rouse.daemons), on connect and every 10
 * s, and learns whether the schema is one it can work with. Every 5 s it calls
 * rouse_daemon.tick(), by which any daemon that is alive moves what time moves: leases of
 * attempts, deadlines, schedules. It sends the Wake-on-LAN packets that are this daemon's to
 * send (db/waker.h).
 */
#ifndef ROUSE_DB_HELLO_H
#define ROUSE_DB_HELLO_H

#include <stdbool.h>

#include "core/err.h"
#include "db/conn.h"

#define HELLO_SCHEMA_WANTED 1 /* the schema version this source was written for */

struct hello_options {
	const char *daemon;   /* "dhcpd" */
	const char *instance; /* host name and process id */
	const char *version;
	const char *(*status)(void *data);  /* one line for people */
	const char *(*problem)(void *data); /* or NULL */
	void *data;
};

struct hello;

MUST_CHECK enum err hello_open(struct loop *loop, struct db_conn *conn,
			       const struct hello_options *options, struct hello **ret_hello);
/* Call from the connection's on_up. */
void hello_now(struct hello *hello);
/* false after the database said that its schema does not fit; the remedy has been logged. */
bool hello_is_accepted(const struct hello *hello);
void hello_close(struct hello *hello);
/* "hostname/pid" into the caller's buffer. */
void hello_instance(char *buffer, size_t size);

#endif
