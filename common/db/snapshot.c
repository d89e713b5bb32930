#include "db/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/conn.h"
#include "db/rows.h"
#include "db/saved.h"
#include "db/site_load.h"
#include "io/log.h"

#define SETTLE_MS 100			   /* between two loads that NOTIFY asked for */
#define CHECK_MS ((uint64_t)5 * 60 * 1000) /* a lost NOTIFY is found by asking */
#define RETRY_MS 1000
#define LOAD_DEADLINE_MS 30000

struct snapshot {
	struct loop *loop;
	struct db_conn *conn;
	struct snapshot_options options;
	struct loaded_site *loaded; /* in force; never NULL after open */
	struct site empty;
	struct site_rows draft; /* what the load in progress has read */
	struct loop_timer load_timer, check_timer;
	char *saved_file;
	char problem[256];
	char xmin[32]; /* of the set in force, as text; "" before the first */
	char draft_xmin[32];
	uint64_t read_ms, saved_ms; /* when the latest load ended; when it was saved */
	bool is_loading, is_stale;  /* stale: something changed while it was being read */
	bool load_failed;
	bool is_unsaved;
	unsigned open_timers;
};

static bool is_wanted(const struct snapshot *snapshot, enum site_view view)
{
	static const unsigned needs[SITE_VIEWS] = {
		[SITE_SUBNETS] = SNAPSHOT_NETWORK,
		[SITE_POOLS] = SNAPSHOT_LEASING,
		[SITE_RESERVATIONS] = SNAPSHOT_LEASING,
		[SITE_BOOT_FILES] = SNAPSHOT_BOOT_FILES,
		[SITE_OPTIONS] = SNAPSHOT_LEASING,
		[SITE_PROFILES] = SNAPSHOT_MENU,
		[SITE_MENU] = SNAPSHOT_MENU,
	};

	return (needs[view] & ~snapshot->options.parts) == 0;
}

static void drop_draft(struct snapshot *snapshot)
{
	for (int view = 0; view < SITE_VIEWS; view++) {
		rows_free(snapshot->draft.view[view]);
		snapshot->draft.view[view] = NULL;
	}
}

static void save(struct snapshot *snapshot)
{
	enum err err;

	if (!snapshot->saved_file || !snapshot->is_unsaved)
		return;
	err = saved_write(snapshot->saved_file, &snapshot->loaded->rows);
	if (err != ERR_OK)
		log_warning(
			"snapshot_not_saved", "file=%s reason=%s remedy=%s",
			log_text(snapshot->saved_file),
			log_text(err == ERR_SYSTEM ? strerror(errno) : err_text(err)),
			log_text("the folder of state_dir must be writable for this daemon; "
				 "until then it cannot start while the database is away"));
	snapshot->is_unsaved = err != ERR_OK;
	snapshot->saved_ms = loop_now_ms(snapshot->loop);
}

static void put_in_force(struct snapshot *snapshot, struct loaded_site *loaded)
{
	struct loaded_site *old = snapshot->loaded;

	snapshot->loaded = loaded;
	if (snapshot->options.on_site)
		snapshot->options.on_site(snapshot->options.data, &loaded->site);
	site_load_free(old);
}

/* All views are here, from one moment of the database. */
static void accept_draft(struct snapshot *snapshot)
{
	struct loaded_site *loaded;

	if (site_load_take(&snapshot->draft, &loaded, snapshot->problem,
			   sizeof(snapshot->problem)) != ERR_OK) {
		log_error(
			"snapshot_refused", "reason=%s remedy=%s", log_text(snapshot->problem),
			log_text("mend that row; until then the previous configuration stays"));
		return;
	}
	put_in_force(snapshot, loaded);
	memcpy(snapshot->xmin, snapshot->draft_xmin, sizeof(snapshot->xmin));
	snapshot->is_unsaved = true;
	log_info("snapshot_loaded", "hosts=%zu rules=%zu subnets=%zu menu=%zu",
		 loaded->site.host_count, loaded->site.rule_count, loaded->site.subnet_count,
		 loaded->site.menu_count);
	/* otherwise the next check saves it, or the stop */
	if (snapshot->saved_ms == 0 || snapshot->read_ms - snapshot->saved_ms >= CHECK_MS)
		save(snapshot);
}

static void load(struct snapshot *snapshot);

static void on_commit(void *data, const struct db_answer *answer)
{
	struct snapshot *snapshot = data;

	snapshot->is_loading = false;
	snapshot->read_ms = loop_now_ms(snapshot->loop);
	if (answer->outcome == DB_OK && !snapshot->load_failed)
		accept_draft(snapshot);
	drop_draft(snapshot);
	if (answer->outcome == DB_LOST)
		return; /* the next connection loads anew */
	if (snapshot->is_stale)
		loop_timer_start(&snapshot->load_timer, SETTLE_MS, 0);
	else if (snapshot->load_failed || answer->outcome != DB_OK)
		loop_timer_start(&snapshot->load_timer, RETRY_MS, 0);
}

static void fail_load(struct snapshot *snapshot, const char *what,
		      const struct db_answer *answer)
{
	bool is_first = !snapshot->load_failed;

	snapshot->load_failed = true;
	/* after the first mistake the transaction refuses all: no news */
	if (!is_first || answer->outcome == DB_LOST)
		return;
	(void)snprintf(snapshot->problem, sizeof(snapshot->problem), "%s: %s", what,
		       answer->message);
	log_error("snapshot_failed", "view=%s reason=%s hint=%s", what,
		  log_text(answer->message), log_text(answer->hint));
}

/* One view asked for; lives until its answer is here. */
struct request {
	struct snapshot *snapshot;
	enum site_view view;
};

static void on_view(void *data, const struct db_answer *answer)
{
	struct request *request = data;
	struct snapshot *snapshot = request->snapshot;

	if (answer->outcome != DB_OK) {
		fail_load(snapshot, site_view_name(request->view), answer);
	} else {
		rows_free(snapshot->draft.view[request->view]);
		snapshot->draft.view[request->view] = rows_take(answer->rows);
		if (!snapshot->draft.view[request->view])
			snapshot->load_failed = true;
	}
	free(request);
}

static void on_begin(void *data, const struct db_answer *answer)
{
	if (answer->outcome != DB_OK)
		fail_load(data, "begin", answer);
}

static void on_xmin(void *data, const struct db_answer *answer)
{
	struct snapshot *snapshot = data;

	if (answer->outcome != DB_OK) {
		fail_load(snapshot, "changed_since", answer);
	} else if (rows_count(answer->rows) == 1) {
		struct row row = rows_row(answer->rows, 0);

		(void)snprintf(snapshot->draft_xmin, sizeof(snapshot->draft_xmin), "%s",
			       row_text(&row, "xmin"));
	}
}

static enum err ask_view(struct snapshot *snapshot, enum site_view view)
{
	struct request *request = malloc(sizeof(*request));
	char sql[128];
	enum err err;

	if (!request)
		return ERR_MEMORY;
	*request = (struct request){snapshot, view};
	(void)snprintf(sql, sizeof(sql), "select * from rouse_daemon.%s", site_view_name(view));
	err = db_query(snapshot->conn, sql, NULL, 0, LOAD_DEADLINE_MS, on_view, request);
	if (err != ERR_OK)
		free(request);
	return err;
}

/* Sends everything that reads the views in one read-only transaction, but for its end. */
static enum err ask_all(struct snapshot *snapshot)
{
	enum err err = db_query(snapshot->conn,
				"begin transaction isolation level repeatable read, read only",
				NULL, 0, LOAD_DEADLINE_MS, on_begin, snapshot);
	if (err == ERR_OK)
		err = db_query(snapshot->conn, "select * from rouse_daemon.changed_since(null)",
			       NULL, 0, LOAD_DEADLINE_MS, on_xmin, snapshot);
	for (int view = 0; view < SITE_VIEWS && err == ERR_OK; view++) {
		if (is_wanted(snapshot, (enum site_view)view))
			err = ask_view(snapshot, (enum site_view)view);
	}
	return err;
}

static void load(struct snapshot *snapshot)
{
	enum err err;

	if (snapshot->is_loading) {
		snapshot->is_stale = true;
		return;
	}
	loop_timer_stop(&snapshot->load_timer);
	snapshot->is_stale = false;
	snapshot->load_failed = false;
	err = ask_all(snapshot);
	snapshot->load_failed = err != ERR_OK;
	/* also behind half a load: within an open transaction no NOTIFY would ever come */
	if (err != ERR_AWAY)
		err = db_query(snapshot->conn, "commit", NULL, 0, LOAD_DEADLINE_MS, on_commit,
			       snapshot);
	snapshot->is_loading = err == ERR_OK;
	/* when the connection is lost, its return loads anew */
	if (err != ERR_OK && err != ERR_AWAY) {
		log_error("snapshot_not_asked", "reason=%s", err_text(err));
		loop_timer_start(&snapshot->load_timer, RETRY_MS, 0);
	}
}

static void on_load_time(void *data)
{
	load(data);
}

static void on_up(void *data)
{
	load(data);
}

static void on_down(void *data, const char *reason)
{
	struct snapshot *snapshot = data;

	(void)reason;
	snapshot->is_loading = false;
	drop_draft(snapshot);
}

/* The first change acts at once, those that follow wait until 100 ms have passed since the
 * load, whatever came of that. */
static void on_notify(void *data, const char *channel, const char *payload)
{
	struct snapshot *snapshot = data;
	uint64_t since_ms = loop_now_ms(snapshot->loop) - snapshot->read_ms;

	log_debug("database_notify", "channel=%s payload=%s", channel, log_text(payload));
	if (snapshot->is_loading)
		snapshot->is_stale = true;
	else if (since_ms >= SETTLE_MS)
		load(snapshot);
	else
		loop_timer_start(&snapshot->load_timer, SETTLE_MS - since_ms, 0);
}

static void on_checked(void *data, const struct db_answer *answer)
{
	struct snapshot *snapshot = data;

	if (answer->outcome == DB_OK && rows_count(answer->rows) == 1) {
		struct row row = rows_row(answer->rows, 0);

		if (row_truth(&row, "changed"))
			load(snapshot);
	}
}

static void on_check_time(void *data)
{
	struct snapshot *snapshot = data;
	const char *params[1] = {snapshot->xmin[0] ? snapshot->xmin : NULL};

	save(snapshot);
	/* when the database is away, the connection's return loads anew */
	(void)!db_query(snapshot->conn, "select * from rouse_daemon.changed_since($1::xid8)",
			params, 1, LOAD_DEADLINE_MS, on_checked, snapshot);
}

/* A view that is missing, since an older version wrote the file, is not an empty one. */
static enum err check_saved(struct snapshot *snapshot)
{
	for (int view = 0; view < SITE_VIEWS; view++) {
		if (!is_wanted(snapshot, (enum site_view)view) || snapshot->draft.view[view])
			continue;
		(void)snprintf(snapshot->problem, sizeof(snapshot->problem), "it has no %s",
			       site_view_name((enum site_view)view));
		drop_draft(snapshot);
		return ERR_ABSENT;
	}
	return ERR_OK;
}

static void load_saved(struct snapshot *snapshot)
{
	struct loaded_site *loaded;
	enum err err;

	if (!snapshot->saved_file)
		return;
	err = saved_read(snapshot->saved_file, &snapshot->draft);
	if (err == ERR_ABSENT)
		return;
	if (err == ERR_OK)
		err = check_saved(snapshot);
	if (err == ERR_OK)
		err = site_load_take(&snapshot->draft, &loaded, snapshot->problem,
				     sizeof(snapshot->problem));
	if (err != ERR_OK) {
		log_warning("saved_snapshot_ignored", "file=%s reason=%s",
			    log_text(snapshot->saved_file),
			    log_text(snapshot->problem[0] ? snapshot->problem : err_text(err)));
		return;
	}
	log_info("saved_snapshot_loaded", "file=%s hosts=%zu", log_text(snapshot->saved_file),
		 loaded->site.host_count);
	put_in_force(snapshot, loaded);
}

static void destroy(struct snapshot *snapshot)
{
	site_load_free(snapshot->loaded);
	drop_draft(snapshot);
	free(snapshot->saved_file);
	free(snapshot);
}

enum err snapshot_open(struct loop *loop, const struct snapshot_options *options,
		       struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct db_conn_options conn = {.conninfo = options->conninfo,
				       .program = options->program,
				       .listen = "rouse_changed rouse_job",
				       .on_up = on_up,
				       .on_down = on_down,
				       .on_notify = on_notify,
				       .data = snapshot};
	enum err err = ERR_MEMORY;

	if (!snapshot)
		return ERR_MEMORY;
	snapshot->loop = loop;
	snapshot->options = *options;
	if (options->saved_file)
		snapshot->saved_file = strdup(options->saved_file);
	if (!options->saved_file || snapshot->saved_file)
		err = db_open(loop, &conn, &snapshot->conn);
	if (err != ERR_OK) {
		destroy(snapshot);
		return err;
	}
	loop_timer_open(loop, &snapshot->load_timer, on_load_time, snapshot);
	loop_timer_open(loop, &snapshot->check_timer, on_check_time, snapshot);
	loop_timer_start(&snapshot->check_timer, CHECK_MS, CHECK_MS);
	snapshot->open_timers = 2;
	load_saved(snapshot);
	*ret_snapshot = snapshot;
	return ERR_OK;
}

const struct site *snapshot_site(const struct snapshot *snapshot)
{
	return snapshot->loaded ? &snapshot->loaded->site : &snapshot->empty;
}

bool snapshot_is_loaded(const struct snapshot *snapshot)
{
	return snapshot->loaded != NULL;
}

const char *snapshot_problem(const struct snapshot *snapshot)
{
	return snapshot->problem[0] ? snapshot->problem : NULL;
}

void snapshot_reload(struct snapshot *snapshot)
{
	load(snapshot);
}

static void on_timer_closed(void *data)
{
	struct snapshot *snapshot = data;

	if (--snapshot->open_timers == 0)
		destroy(snapshot);
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	save(snapshot);
	db_close(snapshot->conn);
	loop_timer_close_then(&snapshot->load_timer, on_timer_closed);
	loop_timer_close_then(&snapshot->check_timer, on_timer_closed);
}
