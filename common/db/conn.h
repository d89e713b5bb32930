/*
 * conn - one connection to PostgreSQL that comes back by itself, on the loop, in pipeline mode.
 *
 * Hosts of the connection string, and all addresses of each, are tried one by one, each with
 * our own deadline (libpq has none when it does not block); after a loss it returns with a
 * back-off of 50 ms doubling to 2 s, with jitter. Nothing here ever blocks. Queries run in the
 * order given, each by itself (its own transaction) unless it says BEGIN; one that waits for a
 * lock longer than 2 s is given up by the server (DB_ERROR, 55P03), for those behind it wait
 * too. A text with parameters is prepared by the server once for each connection: texts are
 * few, and what varies is a parameter.
 *
 *	db_query(conn, "select * from rouse_daemon.lease_find($1)", params, 1, 2000, on_answer,
 *		 self);
 */
#ifndef ROUSE_DB_CONN_H
#define ROUSE_DB_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "io/loop.h"

struct db_conn;
struct db_rows; /* db/rows.h */

enum db_outcome {
	DB_OK,
	DB_ERROR, /* the database refused the statement: db_answer's sqlstate, message, hint */
	DB_LOST,  /* the connection went away: whether it was done is not known */
	DB_TIMEOUT, /* the deadline passed; the answer, if it comes, is thrown away */
};

struct db_answer {
	enum db_outcome outcome;
	const struct db_rows *rows; /* for DB_OK; lives during the callback only */
	const char *sqlstate;	    /* five characters, "" when not DB_ERROR */
	const char *message;	    /* never NULL */
	const char *hint;	    /* never NULL */
};

typedef void db_on_answer(void *data, const struct db_answer *answer);

struct db_conn_options {
	const char *conninfo; /* as psql takes it; several hosts are tried in turn */
	const char *program;  /* application_name */
	/* Channels parted by blanks, or NULL; LISTEN comes before on_up. */
	const char *listen;
	void (*on_up)(void *data);			 /* connected (and listening) */
	void (*on_down)(void *data, const char *reason); /* lost, or one attempt failed */
	void (*on_notify)(void *data, const char *channel, const char *payload);
	void *data;
};

/* Begins to connect. ERR_FORMAT when the connection string cannot be read (a message is
 * logged). */
MUST_CHECK enum err db_open(struct loop *loop, const struct db_conn_options *options,
			    struct db_conn **ret_conn);
/*
 * Did the database look at the statement and say no? Else it was lost, came too late, or failed
 * by what passes: a lock, a race, a full disk, a shutdown (SQLSTATE classes 08, 40, 53, 55,
 * 57).
 */
bool db_is_refusal(const struct db_answer *answer);
bool db_is_up(const struct db_conn *conn);
/*
 * Sends one statement with text parameters (NULL is SQL's null; copied). on_answer is called
 * exactly once, never from within db_query, with the deadline in ms from now. When the
 * connection is down: ERR_AWAY and no call. ERR_SPACE when 4,096 statements wait already.
 */
MUST_CHECK enum err db_query(struct db_conn *conn, const char *sql, const char *const *params,
			     int param_count, uint64_t deadline_ms, db_on_answer *on_answer,
			     void *data);
/*
 * The same for what many ask at once: each call still is a transaction of its own, with an
 * error of its own, but those that follow each other wait for one flush of the log together. So
 * the statement must not wait for the disk itself: it says
 *
 *	select ... from ... where " DB_GROUPED
 *
 * and a transaction behind it flushes what it has written, before on_answer is called. What is
 * answered is committed as safely as by db_query(), on the standby too where one is waited for.
 */
#define DB_GROUPED "set_config('synchronous_commit', 'off', true) is not null"
MUST_CHECK enum err db_query_grouped(struct db_conn *conn, const char *sql,
				     const char *const *params, int param_count,
				     uint64_t deadline_ms, db_on_answer *on_answer, void *data);
/*
 * Waiting statements are answered DB_LOST: nobody will know how they ended, but what was sent
 * is done where the database does it within two seconds. Accepts NULL.
 */
void db_close(struct db_conn *conn);

#endif
