/*
 * conn_internal - the two halves of a connection: conn_attempt.c brings it up and back, conn.c
 * sends statements through it. Nobody else includes this.
 */
#ifndef ROUSE_DB_CONN_INTERNAL_H
#define ROUSE_DB_CONN_INTERNAL_H

#include <libpq-fe.h>
#include <netinet/in.h>

#include "db/conn.h"
#include "db/conninfo.h"
#include "io/log.h"

#define CONN_BACK_OFF_LEAST_MS 50
#define CONN_DEADLINE_CHECK_MS 50 /* a time-out is told so late at most */
#define CONN_LINGER_MS 2000	  /* what was sent before db_close() has so long to be done */
#define CONN_STATEMENTS_MAX 4096  /* of callers, in flight */
#define CONN_PREPARED_MAX 32	  /* texts; the rest is sent as text each time */

enum conn_state {
	CONN_RESOLVING,
	CONN_CONNECTING,
	CONN_UP,
	CONN_WAITING, /* for the next attempt */
	CONN_CLOSED,
};

struct conn_statement {
	struct conn_statement *next;
	db_on_answer *on_answer; /* NULL once answered (by a time-out) */
	void *data;
	uint64_t deadline_ms; /* on the loop's clock */
	bool is_named;	      /* runs a prepared statement */
	bool is_grouped;      /* its commit waits for a flush that is asked for behind it */
	PGresult *result; /* what it said, until its sync point shows that it has committed */
};

/* A statement as libpq is to send it. */
struct conn_call {
	const char *sql;
	const char *const *params;
	int param_count;
	const char *name;  /* of the prepared statement, or NULL */
	bool is_preparing; /* gives `sql` that name, and does not run it */
	bool is_grouped;   /* as in struct conn_statement */
};

/* One text that the server has parsed and planned for this connection, or is asked to. */
struct conn_prepared {
	struct db_conn *conn;
	char *sql;
	char name[8];
	enum { CONN_PREPARED_ASKED, CONN_PREPARED_READY, CONN_PREPARED_REFUSED } state;
};

/* libuv's poll handle outlives a connection by one turn: it is freed in its close callback. */
struct conn_watcher {
	uv_poll_t uv;
	int fd;
	struct db_conn *conn;
};

struct db_conn {
	struct loop *loop;
	struct db_conn_options options;
	struct conninfo info;
	char *program;
	char *listen;
	size_t host; /* of info, that the next attempt tries */
	size_t failed_in_round;
	uint64_t back_off_ms;
	enum conn_state state;
	PGconn *pg;
	struct conn_watcher *watcher;
	uv_getaddrinfo_t resolver;
	bool is_resolving;
	bool is_proven;				   /* it has answered, and is no standby */
	struct addrinfo *addresses, *next_address; /* of the host; the latter not yet tried */
	size_t listens_left;			   /* of the channels */
	char address[INET6_ADDRSTRLEN];
	struct loop_timer attempt_timer;     /* connect deadline, or back-off */
	struct loop_timer deadline_timer;    /* runs while something is in flight */
	struct conn_statement *first, *last; /* in flight, in order */
	size_t statement_count;
	size_t syncs_left; /* once it is closed: sync points still to come */
	struct conn_statement *held, *last_held; /* done, but not flushed yet */
	size_t unflushed; /* grouped statements sent since a flush was asked for last */
	size_t flushes;	  /* asked for, and on their way */
	struct conn_prepared prepared[CONN_PREPARED_MAX];
	size_t prepared_count;
	bool is_pooled; /* another server process answers each transaction: nothing is prepared
			 */
	struct log_repeat repeat;
	unsigned closing; /* handles still to go before the memory may be freed */
};

/* Begins the next attempt, or gives up the one that has run out of its time. */
void conn_attempt(void *data);
/* This attempt, or the connection it made, is over: answers what waits, and tries again later.
 */
void conn_lose(struct db_conn *conn, const char *reason);
/* One step of libpq's connecting: its socket is ready. */
void conn_step(struct db_conn *conn);
/* Gives libpq's connection back. */
void conn_finish(struct db_conn *conn);
/* The host's addresses are no longer wanted: the next attempt asks for them anew. */
void conn_forget_addresses(struct db_conn *conn);
/* Watches libpq's socket, which may be another one than before. false: could not. */
bool conn_watch(struct db_conn *conn, int events);
/* What is in flight is answered DB_LOST: nobody knows whether it was done. */
void conn_answer_lost(struct db_conn *conn, const char *reason);
/* The statement has its result. Hands it to its reader, whether it is DB_OK or DB_ERROR. */
void conn_answer(struct conn_statement *statement);
/* It has its result, and waits for the flush (conn_group.c). */
void conn_hold(struct db_conn *conn, struct conn_statement *statement);
/* libpq's socket is ready (conn.c). */
void conn_on_socket(uv_poll_t *handle, int status, int events);
/* Looks for statements whose time is up (conn.c). */
void conn_check_deadlines(void *data);
/* Sends one statement, as db_query() does. */
MUST_CHECK enum err conn_send(struct db_conn *conn, const struct conn_call *call,
			      uint64_t deadline_ms, db_on_answer *on_answer, void *data);
/* The name under which the server knows this text by now, or NULL; asks for one at the first
 * time (conn_prepared.c). */
const char *conn_prepared_name(struct db_conn *conn, const char *sql, int param_count);
/* Did it fail because the server no longer knows its plan? Then it has not run. */
bool conn_prepared_is_stale(struct db_conn *conn, const struct conn_statement *statement);
/* Another connection: it has prepared nothing yet. */
void conn_prepared_forget(struct db_conn *conn);
/* Frees it once nothing of it is alive any more. */
void conn_release(struct db_conn *conn);

#endif
