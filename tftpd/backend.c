#include "tftpd/backend.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/conn.h"
#include "db/hello.h"
#include "db/snapshot.h"
#include "io/log.h"
#include "io/notify.h"

#define PROGRAM "rouse tftpd" /* as PostgreSQL shows who is connected */

struct backend {
	struct backend_options options;
	struct db_conn *conn; /* NULL: works alone, and so are the three below */
	struct snapshot *snapshot;
	struct events *events;
	struct hello *hello;
	struct site empty;
	bool is_down; /* and that was told */
	char instance[128];
	char saved_file[512];
};

static const char *status(void *data)
{
	const struct backend *backend = data;

	return backend->options.status(backend->options.data);
}

static const char *problem(void *data)
{
	const struct backend *backend = data;

	return backend->snapshot ? snapshot_problem(backend->snapshot) : NULL;
}

static void on_up(void *data)
{
	struct backend *backend = data;

	backend->is_down = false;
	log_info("database_up", "instance=%s", log_text(backend->instance));
	if (backend->hello)
		hello_now(backend->hello);
}

static void on_down(void *data, const char *reason)
{
	struct backend *backend = data;

	/* each try that fails comes here */
	if (backend->is_down)
		return;
	backend->is_down = true;
	log_warning("database_down", "reason=%s effect=%s", log_text(reason),
		    log_text("files and scripts are served from the last known configuration"));
}

static const char *saved_file(struct backend *backend)
{
	const char *folder = backend->options.settings->state_dir;
	int length = snprintf(backend->saved_file, sizeof(backend->saved_file), "%s/%s", folder,
			      "snapshot.json");

	if (folder[0] == '\0')
		return NULL;
	if (length < 0 || (size_t)length >= sizeof(backend->saved_file)) {
		log_warning("snapshot_not_saved", "state_dir=%s reason=%s", log_text(folder),
			    log_text("the path is too long: nothing is saved"));
		return NULL;
	}
	return backend->saved_file;
}

/* What a daemon has that is one. */
static enum err open_site_parts(struct loop *loop, struct backend *backend)
{
	struct snapshot_options snapshot = {.conninfo = backend->options.settings->database,
					    .program = PROGRAM,
					    .parts = SNAPSHOT_NETWORK | SNAPSHOT_BOOT_FILES |
						     SNAPSHOT_MENU,
					    .saved_file = saved_file(backend)};
	struct hello_options hello = {.daemon = "tftpd",
				      .instance = backend->instance,
				      .version = ROUSE_VERSION,
				      .status = status,
				      .problem = problem,
				      .data = backend};
	enum err err = snapshot_open(loop, &snapshot, &backend->snapshot);

	return err == ERR_OK ? hello_open(loop, backend->conn, &hello, &backend->hello) : err;
}

static enum err open_parts(struct loop *loop, struct backend *backend)
{
	struct db_conn_options conn = {.conninfo = backend->options.settings->database,
				       .program = PROGRAM,
				       .on_up = on_up,
				       .on_down = on_down,
				       .data = backend};
	enum err err = db_open(loop, &conn, &backend->conn);

	if (err == ERR_OK)
		err = events_open(loop, backend->conn, "tftpd", backend->instance,
				  &backend->events);
	if (err == ERR_OK && backend->options.status)
		err = open_site_parts(loop, backend);
	return err;
}

/* Leaves only the empty site. */
static void close_parts(struct backend *backend)
{
	if (backend->hello)
		hello_close(backend->hello);
	if (backend->events)
		events_close(backend->events);
	if (backend->snapshot)
		snapshot_close(backend->snapshot);
	db_close(backend->conn);
	backend->hello = NULL;
	backend->events = NULL;
	backend->snapshot = NULL;
	backend->conn = NULL;
}

enum err backend_open(struct loop *loop, const struct backend_options *options,
		      struct backend **ret_backend)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	enum err err;

	if (!backend)
		return ERR_MEMORY;
	backend->options = *options;
	hello_instance(backend->instance, sizeof(backend->instance));
	*ret_backend = backend;
	if (options->settings->database[0] == '\0') {
		if (options->status) {
			log_info("no_database", "effect=%s",
				 log_text("serving alone: set 'database' to join a site"));
			notify_status("serving alone, without a database");
		}
		return ERR_OK;
	}
	err = open_parts(loop, backend);
	if (err != ERR_OK) {
		/* never the string itself: it may hold a password */
		log_error("database_unusable", "reason=%s effect=%s remedy=%s", err_text(err),
			  log_text("serving files and default.ipxe without it"),
			  log_text("mend 'database' in tftpd.conf and restart"));
		close_parts(backend);
	}
	return ERR_OK;
}

const struct site *backend_site(const struct backend *backend)
{
	return backend->snapshot ? snapshot_site(backend->snapshot) : &backend->empty;
}

void backend_record(struct backend *backend, const struct event *event)
{
	if (backend && backend->events)
		events_push(backend->events, event);
}

bool backend_is_behind(const struct backend *backend)
{
	return backend && backend->events && events_waiting(backend->events) > 0;
}

enum err backend_query(struct backend *backend, const char *sql, const char *const *params,
		       int param_count, uint64_t deadline_ms, db_on_answer *on_answer,
		       void *data)
{
	if (!backend->conn)
		return ERR_AWAY;
	return db_query(backend->conn, sql, params, param_count, deadline_ms, on_answer, data);
}

void backend_reload(struct backend *backend)
{
	if (backend->snapshot)
		snapshot_reload(backend->snapshot);
	else
		log_info("nothing_reloaded", "reason=%s remedy=%s",
			 log_text("there is no database to read again"),
			 log_text("restart tftpd for what its own file says"));
}

void backend_close(struct backend *backend)
{
	if (!backend)
		return;
	close_parts(backend);
	free(backend);
}
