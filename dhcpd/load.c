#include "dhcpd/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/rows.h"
#include "dhcpd/reassert.h"
#include "io/log.h"

#define SLICE "2000"	/* leases read in one turn of the loop: some milliseconds */
#define DROP_MOST 20000 /* leases looked at in one turn: about a millisecond */
#define DROP_MS 1
#define DEADLINE_MS 30000
#define RETRY_MS 2000
#define CHANGES_MS 1000
#define CHANGES_BUSY_MS 100 /* while others grant: fewer races for an address are lost */
#define CHANGES_DEADLINE_MS 5000
#define STALE_MS 300000 /* the database keeps the changes of ten minutes */
#define MARK_SIZE 24

enum phase {
	PHASE_IDLE,
	PHASE_FAILED, /* begun again at `again_ms` */
	PHASE_LOADING,
	PHASE_DROPPING, /* what the load did not see */
	PHASE_LOADED,
};

struct load {
	struct load_options options;
	enum phase phase;
	struct reassert *reassert;
	struct loop_timer drop_timer;
	char after[IP4_TEXT_SIZE]; /* the last address that was read */
	char mark[MARK_SIZE];	   /* of the changes that were seen */
	char timeline[MARK_SIZE];  /* of the server last connected to; "": none yet */
	uint64_t again_ms, heard_ms;
	uint64_t unheard_ms; /* since when changes are asked for in vain; 0: they are told */
	bool is_asking;
	struct log_repeat changes_log;
};

static uint64_t now_ms(const struct load *load)
{
	return loop_now_ms(load->options.loop);
}

static void fail(struct load *load, const struct db_answer *answer)
{
	if (load->phase != PHASE_LOADING)
		return; /* the connection is another one by now */
	load->phase = PHASE_FAILED;
	load->again_ms = now_ms(load) + RETRY_MS;
	if (answer && answer->outcome != DB_LOST)
		log_error("lease_load_failed", "reason=%s remedy=%s", log_text(answer->message),
			  log_text(answer->hint[0] ? answer->hint
						   : "run `rouse-db verify` on this database"));
}

/* Sends one statement of the sequence; what cannot be sent begins it again later. */
static void send_step(struct load *load, const char *sql, const char *const *params, int count,
		      db_on_answer *on_answer)
{
	if (db_query(load->options.conn, sql, params, count, DEADLINE_MS, on_answer, load) !=
	    ERR_OK)
		fail(load, NULL);
}

/* --- the slices --- */

static void on_slice(void *data, const struct db_answer *answer);

static void ask_slice(struct load *load)
{
	const char *params[] = {load->after[0] ? load->after : NULL};

	send_step(load, "select * from rouse_daemon.lease_load($1::inet, " SLICE ")", params, 1,
		  on_slice);
}

static void on_drop(void *data)
{
	struct load *load = data;

	if (table_load_end(load->options.table, DROP_MOST))
		return;
	loop_timer_stop(&load->drop_timer);
	load->unheard_ms = 0;
	load->phase = PHASE_LOADED;
	load->heard_ms = now_ms(load);
	log_info("leases_loaded", "count=%zu", table_leases(load->options.table)->count);
	load->options.on_done(load->options.data);
}

static void on_slice(void *data, const struct db_answer *answer)
{
	struct load *load = data;
	size_t count;
	struct row last;

	if (answer->outcome != DB_OK || load->phase != PHASE_LOADING) {
		fail(load, answer);
		return;
	}
	count = rows_count(answer->rows);
	if (count == 0) {
		load->phase = PHASE_DROPPING;
		loop_timer_start(&load->drop_timer, 0, DROP_MS);
		return;
	}
	for (size_t i = 0; i < count; i++)
		table_put_row(load->options.table, answer->rows, i, now_ms(load));
	last = rows_row(answer->rows, count - 1);
	ip4_format(row_ip4(&last, "address"), load->after);
	ask_slice(load);
}

/* --- changes of others --- */

/* The row that holds only the mark comes first; the mark counts when the rest was read. */
static void read_changes(struct load *load, const struct db_rows *rows, struct table *table)
{
	for (size_t i = 1; i < rows_count(rows) && table; i++)
		table_put_row(table, rows, i, now_ms(load));
	if (rows_count(rows) > 1) {
		log_debug("leases_of_others", "count=%zu", rows_count(rows) - 1);
		load->again_ms = now_ms(load) + CHANGES_BUSY_MS;
	}
	if (rows_count(rows) > 0) {
		struct row row = rows_row(rows, 0);

		(void)snprintf(load->mark, sizeof(load->mark), "%s", row_text(&row, "next"));
	}
}

static void on_changes(void *data, const struct db_answer *answer)
{
	struct load *load = data;
	unsigned long left_out;

	load->is_asking = false;
	if (load->phase != PHASE_LOADED)
		return;
	if (answer->outcome == DB_OK) {
		load->heard_ms = now_ms(load);
		load->unheard_ms = 0;
		read_changes(load, answer->rows, load->options.table);
	} else if (answer->outcome == DB_ERROR &&
		   log_repeat_due(&load->changes_log, now_ms(load), 10000, &left_out)) {
		log_error("lease_changes_refused", "reason=%s remedy=%s",
			  log_text(answer->message),
			  log_text("run `rouse-db verify` on this database"));
	}
}

static void ask_changes(struct load *load)
{
	const char *params[] = {load->options.instance, load->mark};

	load->is_asking = db_query(load->options.conn,
				   "select * from rouse_daemon.lease_changes($1, $2::xid8)",
				   params, 2, CHANGES_DEADLINE_MS, on_changes, load) == ERR_OK;
	load->again_ms = now_ms(load) + CHANGES_MS;
	if (load->unheard_ms == 0)
		load->unheard_ms = now_ms(load);
}

/* --- the beginning --- */

/* What is changed from now on, also between two slices, is behind this mark. */
static void on_mark(void *data, const struct db_answer *answer)
{
	struct load *load = data;

	if (answer->outcome != DB_OK || load->phase != PHASE_LOADING) {
		fail(load, answer);
		return;
	}
	read_changes(load, answer->rows, NULL);
	ask_slice(load);
}

static void read_all(struct load *load)
{
	const char *params[] = {load->options.instance};

	load->after[0] = '\0';
	table_load_begin(load->options.table);
	send_step(load, "select * from rouse_daemon.lease_changes($1, null)", params, 1,
		  on_mark);
}

static void on_reasserted(void *data, const struct db_answer *answer)
{
	struct load *load = data;

	if (load->phase != PHASE_LOADING)
		return;
	if (answer && answer->outcome != DB_OK) {
		/* the old timeline stays: so the next try asserts them again */
		fail(load, answer);
		return;
	}
	reassert_timeline(load->reassert, load->timeline, sizeof(load->timeline));
	read_all(load);
}

static void on_timeline(void *data, const struct db_answer *answer)
{
	struct load *load = data;
	char timeline[MARK_SIZE];
	struct row row;

	if (answer->outcome != DB_OK || load->phase != PHASE_LOADING) {
		fail(load, answer);
		return;
	}
	row = rows_row(answer->rows, 0);
	(void)snprintf(timeline, sizeof(timeline), "%s", row_text(&row, "timeline"));
	if (load->timeline[0] && strcmp(timeline, load->timeline) != 0) {
		log_warning("database_failed_over", "timeline=%s before=%s reason=%s", timeline,
			    load->timeline,
			    log_text("a standby was promoted: leases acknowledged lately are "
				     "asserted anew"));
		reassert_begin(load->reassert, table_leases(load->options.table), timeline);
		return;
	}
	memcpy(load->timeline, timeline, sizeof(timeline));
	read_all(load);
}

const char *load_timeline(const struct load *load)
{
	return load->timeline;
}

void load_expect_timeline(struct load *load, const char *timeline)
{
	(void)snprintf(load->timeline, sizeof(load->timeline), "%s", timeline);
}

void load_begin(struct load *load)
{
	if (load->phase == PHASE_LOADING || load->phase == PHASE_DROPPING)
		return;
	load->phase = PHASE_LOADING;
	load->is_asking = false;
	send_step(load, "select timeline from rouse_daemon.timeline()", NULL, 0, on_timeline);
}

void load_stop(struct load *load)
{
	load->phase = PHASE_IDLE;
	load->is_asking = false;
	loop_timer_stop(&load->drop_timer);
	reassert_stop(load->reassert);
}

uint64_t load_waits_ms(const struct load *load)
{
	return load->unheard_ms ? now_ms(load) - load->unheard_ms : 0;
}

void load_tick(struct load *load)
{
	uint64_t now = now_ms(load);

	if (load->phase == PHASE_FAILED && now >= load->again_ms)
		load_begin(load);
	if (load->phase != PHASE_LOADED)
		return;
	if (now - load->heard_ms > STALE_MS) {
		load->options.on_stale(load->options.data);
		load->phase = PHASE_IDLE;
		load_begin(load);
	} else if (!load->is_asking && now >= load->again_ms) {
		ask_changes(load);
	}
}

enum err load_open(const struct load_options *options, struct load **ret_load)
{
	struct load *load = calloc(1, sizeof(*load));
	const struct reassert_options reassert = {options->loop, options->conn,
						  options->instance, on_reasserted, load};

	if (!load)
		return ERR_MEMORY;
	load->options = *options;
	if (reassert_open(&reassert, &load->reassert) != ERR_OK) {
		free(load);
		return ERR_MEMORY;
	}
	loop_timer_open(options->loop, &load->drop_timer, on_drop, load);
	*ret_load = load;
	return ERR_OK;
}

static void free_load(void *data)
{
	struct load *load = data;

	reassert_close(load->reassert);
	free(load);
}

void load_close(struct load *load)
{
	if (load)
		loop_timer_close_then(&load->drop_timer, free_load);
}
