#include "db/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/conn.h"
#include "db/keeper.h"
#include "db/rows.h"
#include "io/log.h"

#define SETTLE_MS 50			   /* between two loads that NOTIFY asked for */
#define CHECK_MS ((uint64_t)5 * 60 * 1000) /* a lost NOTIFY is found by asking */
#define RETRY_MS 1000
#define LOAD_DEADLINE_MS 30000

struct snapshot {
	struct loop *loop;
	struct db_conn *conn;
	struct snapshot_options options;
	struct keeper *keeper;
	struct site_rows draft; /* what the load in progress has read */
	char *draft_hosts; /* whom hosts_now was asked for; NULL: all, or it was not asked */
	struct loop_timer load_timer, check_timer;
	char problem[256];
	char xmin[32]; /* of the set in force, as text */
	char draft_xmin[32];
	uint64_t read_ms;	   /* when the latest load ended */
	bool is_loading, is_stale; /* stale: something changed while it was being read */
	bool load_failed;
	bool is_whole_wanted; /* nothing of what is in force may be kept */
	bool is_draft_whole;  /* nor is it by the load in progress */
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
		[SITE_DEFAULTS] = SNAPSHOT_MENU,
	};

	return (needs[view] & ~snapshot->options.parts) == 0;
}

static void drop_draft(struct snapshot *snapshot)
{
	site_rows_free(&snapshot->draft);
	free(snapshot->draft_hosts);
	snapshot->draft_hosts = NULL;
}

static void load(struct snapshot *snapshot);

/* What the keeper made of a load. */
static void on_taken(void *data, enum err err, const char *problem)
{
	struct snapshot *snapshot = data;
	const struct site *site = keeper_site(snapshot->keeper);

	(void)snprintf(snapshot->problem, sizeof(snapshot->problem), "%s", problem);
	snapshot->read_ms = loop_now_ms(snapshot->loop);
	if (err == ERR_OK) {
		memcpy(snapshot->xmin, snapshot->draft_xmin, sizeof(snapshot->xmin));
		snapshot->is_whole_wanted =
			snapshot->is_whole_wanted && !snapshot->is_draft_whole;
		log_trace(site_setting(site, "trace_macs", ""));
		log_info("snapshot_loaded", "hosts=%zu rules=%zu subnets=%zu menu=%zu",
			 site->host_count, site->rule_count, site->subnet_count,
			 site->menu_count);
		/* otherwise the next check saves it, or the stop */
		if (keeper_saved_ms_ago(snapshot->keeper) >= CHECK_MS)
			keeper_save(snapshot->keeper);
	} else {
		log_error(
			"snapshot_refused", "reason=%s remedy=%s", log_text(problem),
			log_text("mend that row; until then the previous configuration stays"));
		snapshot->is_whole_wanted = true;
	}
	if (snapshot->is_stale || (err != ERR_OK && !snapshot->is_draft_whole))
		loop_timer_start(&snapshot->load_timer, SETTLE_MS, 0);
}

static void on_commit(void *data, const struct db_answer *answer)
{
	struct snapshot *snapshot = data;

	snapshot->is_loading = false;
	snapshot->read_ms = loop_now_ms(snapshot->loop);
	if (answer->outcome == DB_OK && !snapshot->load_failed)
		keeper_take(snapshot->keeper, &snapshot->draft, snapshot->draft_hosts);
	drop_draft(snapshot);
	/* the next connection loads anew; what is being taken ends in on_taken() */
	if (answer->outcome == DB_LOST || keeper_is_taking(snapshot->keeper))
		return;
	if (snapshot->load_failed || answer->outcome != DB_OK)
		loop_timer_start(&snapshot->load_timer, RETRY_MS, 0);
	else if (snapshot->is_stale)
		loop_timer_start(&snapshot->load_timer, SETTLE_MS, 0);
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

static enum err ask_view(struct snapshot *snapshot, enum site_view view)
{
	struct request *request = malloc(sizeof(*request));
	bool is_part = view == SITE_HOSTS && snapshot->draft_hosts;
	const char *params[1] = {snapshot->draft_hosts};
	char sql[160];
	enum err err;

	if (!request)
		return ERR_MEMORY;
	*request = (struct request){snapshot, view};
	(void)snprintf(sql, sizeof(sql), "select * from rouse_daemon.%s%s",
		       site_view_name(view),
		       is_part ? " where id = any (string_to_array($1, ' ')::bigint[])" : "");
	err = db_query(snapshot->conn, sql, params, is_part ? 1 : 0, LOAD_DEADLINE_MS, on_view,
		       request);
	if (err != ERR_OK)
		free(request);
	return err;
}

/* Is a view among those that the database names? NULL: it names none, since all are meant. */
static bool is_named(const char *views, enum site_view view)
{
	const char *name = site_view_name(view);
	size_t length = strlen(name);

	for (const char *at = views; at && (at = strstr(at, name)); at += length) {
		if ((at == views || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	}
	return !views;
}

/* Asks for what changed, and ends the transaction. */
static void ask_views(struct snapshot *snapshot, const char *views)
{
	enum err err = ERR_OK;

	for (int view = 0; view < SITE_VIEWS && err == ERR_OK; view++) {
		if (is_wanted(snapshot, (enum site_view)view) &&
		    is_named(views, (enum site_view)view))
			err = ask_view(snapshot, (enum site_view)view);
	}
	snapshot->load_failed = snapshot->load_failed || err != ERR_OK;
}

static void end_load(struct snapshot *snapshot)
{
	enum err err = db_query(snapshot->conn, "commit", NULL, 0, LOAD_DEADLINE_MS, on_commit,
				snapshot);

	/* when the connection is lost, its return loads anew */
	snapshot->is_loading = err == ERR_OK;
	if (err != ERR_OK && err != ERR_AWAY) {
		log_error("snapshot_not_asked", "reason=%s", err_text(err));
		loop_timer_start(&snapshot->load_timer, RETRY_MS, 0);
	}
}

static void on_changes(void *data, const struct db_answer *answer)
{
	struct snapshot *snapshot = data;

	if (answer->outcome != DB_OK || rows_count(answer->rows) != 1) {
		fail_load(snapshot, "changes_since", answer);
	} else {
		struct row row = rows_row(answer->rows, 0);
		const char *hosts = row_nullable(&row, "hosts");

		(void)snprintf(snapshot->draft_xmin, sizeof(snapshot->draft_xmin), "%s",
			       row_text(&row, "xmin"));
		snapshot->draft_hosts = hosts ? strdup(hosts) : NULL;
		/* also behind half a load: in an open transaction no NOTIFY would ever come */
		ask_views(snapshot, row_nullable(&row, "views"));
	}
	if (answer->outcome != DB_LOST)
		end_load(snapshot);
}

static void load(struct snapshot *snapshot)
{
	const char *params[1];
	enum err err;

	if (snapshot->is_loading || keeper_is_taking(snapshot->keeper)) {
		snapshot->is_stale = true;
		return;
	}
	loop_timer_stop(&snapshot->load_timer);
	snapshot->is_stale = false;
	snapshot->load_failed = false;
	snapshot->is_draft_whole = snapshot->is_whole_wanted;
	params[0] = snapshot->is_draft_whole ? NULL : snapshot->xmin;
	err = db_query(snapshot->conn,
		       "begin transaction isolation level repeatable read, read only", NULL, 0,
		       LOAD_DEADLINE_MS, on_begin, snapshot);
	if (err == ERR_OK)
		err = db_query(snapshot->conn,
			       "select * from rouse_daemon.changes_since($1::xid8)", params, 1,
			       LOAD_DEADLINE_MS, on_changes, snapshot);
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
	struct snapshot *snapshot = data;

	/* it may be another server: what is still being taken was the one before's */
	snapshot->is_draft_whole = false;
	snapshot_reload(snapshot);
}

static void on_down(void *data, const char *reason)
{
	struct snapshot *snapshot = data;

	(void)reason;
	snapshot->is_loading = false;
	drop_draft(snapshot);
}

/* The first change acts at once, those that follow wait until 50 ms have passed since the
 * load, whatever came of that. */
static void on_notify(void *data, const char *channel, const char *payload)
{
	struct snapshot *snapshot = data;
	uint64_t since_ms = loop_now_ms(snapshot->loop) - snapshot->read_ms;

	log_debug("database_notify", "channel=%s payload=%s", channel, log_text(payload));
	if (snapshot->is_loading || keeper_is_taking(snapshot->keeper))
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
	const char *params[1] = {snapshot->is_whole_wanted ? NULL : snapshot->xmin};

	keeper_save(snapshot->keeper);
	/* when the database is away, the connection's return loads anew */
	(void)!db_query(snapshot->conn, "select * from rouse_daemon.changed_since($1::xid8)",
			params, 1, LOAD_DEADLINE_MS, on_checked, snapshot);
}

static void on_site(void *data, const struct site *site)
{
	struct snapshot *snapshot = data;

	if (snapshot->options.on_site)
		snapshot->options.on_site(snapshot->options.data, site);
}

/* A view that is missing, since an older version wrote the file, is not an empty one. */
static const char *check_saved(void *data, const struct site_rows *rows)
{
	struct snapshot *snapshot = data;

	for (int view = 0; view < SITE_VIEWS; view++) {
		if (!is_wanted(snapshot, (enum site_view)view) || rows->view[view])
			continue;
		(void)snprintf(snapshot->problem, sizeof(snapshot->problem), "it has no %s",
			       site_view_name((enum site_view)view));
		return snapshot->problem;
	}
	return NULL;
}

static void destroy(struct snapshot *snapshot)
{
	drop_draft(snapshot);
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
	struct keeper_options keeper = {.loop = loop,
					.saved_file = options->saved_file,
					.on_site = on_site,
					.on_taken = on_taken,
					.data = snapshot};
	enum err err;

	if (!snapshot)
		return ERR_MEMORY;
	snapshot->loop = loop;
	snapshot->options = *options;
	err = keeper_open(&keeper, &snapshot->keeper);
	if (err == ERR_OK)
		err = db_open(loop, &conn, &snapshot->conn);
	if (err != ERR_OK) {
		keeper_close(snapshot->keeper);
		destroy(snapshot);
		return err;
	}
	loop_timer_open(loop, &snapshot->load_timer, on_load_time, snapshot);
	loop_timer_open(loop, &snapshot->check_timer, on_check_time, snapshot);
	loop_timer_start(&snapshot->check_timer, CHECK_MS, CHECK_MS);
	snapshot->open_timers = 2;
	keeper_read_saved(snapshot->keeper, check_saved, snapshot);
	*ret_snapshot = snapshot;
	return ERR_OK;
}

const struct site *snapshot_site(const struct snapshot *snapshot)
{
	return keeper_site(snapshot->keeper);
}

bool snapshot_is_loaded(const struct snapshot *snapshot)
{
	return keeper_is_loaded(snapshot->keeper);
}

const char *snapshot_problem(const struct snapshot *snapshot)
{
	return snapshot->problem[0] ? snapshot->problem : NULL;
}

void snapshot_reload(struct snapshot *snapshot)
{
	snapshot->is_whole_wanted = true;
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
	db_close(snapshot->conn);
	keeper_close(snapshot->keeper);
	loop_timer_close_then(&snapshot->load_timer, on_timer_closed);
	loop_timer_close_then(&snapshot->check_timer, on_timer_closed);
}
