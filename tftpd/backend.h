/*
 * backend - tftpd's view of the database: what operators configured, and where events go. All
 * of it may be absent: without a connection string there is an empty site and events vanish,
 * and with a wrong one the same until it is right. Nothing that a client asks waits for it.
 */
#ifndef ROUSE_TFTPD_BACKEND_H
#define ROUSE_TFTPD_BACKEND_H

#include "core/err.h"
#include "core/site.h"
#include "db/conn.h"
#include "db/events.h"
#include "io/loop.h"
#include "tftpd/settings.h"

struct backend;

struct backend_options {
	const struct settings *settings;
	/* One line for people, in rouse.daemons. NULL: another process is the daemon by now,
	   and this one only records what it still sees. */
	const char *(*status)(void *data);
	void *data;
};

/* ERR_MEMORY only: a database that cannot be used is logged, and no error. */
MUST_CHECK enum err backend_open(struct loop *loop, const struct backend_options *options,
				 struct backend **ret_backend);
/* Never NULL; keep no pointer into it across a turn of the loop. */
const struct site *backend_site(const struct backend *backend);
/* Nothing without a backend (NULL). */
void backend_record(struct backend *backend, const struct event *event);
/* Is there something that was seen and is not recorded yet? */
bool backend_is_behind(const struct backend *backend);
/*
 * One statement, as db_query(). ERR_AWAY and no call: there is no database, or it is not in
 * reach.
 */
MUST_CHECK enum err backend_query(struct backend *backend, const char *sql,
				  const char *const *params, int param_count,
				  uint64_t deadline_ms, db_on_answer *on_answer, void *data);
void backend_reload(struct backend *backend);
/* Accepts NULL. */
void backend_close(struct backend *backend);

#endif
