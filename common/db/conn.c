#include "db/conn.h"

#include <stdlib.h>
#include <string.h>

#include "db/conn_internal.h"
#include "db/rows_internal.h"

/* Answers what is in flight: nobody knows whether it was done. */
void conn_answer_lost(struct db_conn *conn, const char *reason)
{
	struct conn_statement *statement = conn->held ? conn->held : conn->first;

	if (conn->held)
		conn->last_held->next = conn->first;
	conn->first = conn->last = conn->held = conn->last_held = NULL;
	conn->statement_count = conn->unflushed = conn->flushes = 0;
	while (statement) {
		struct conn_statement *next = statement->next;
		struct db_answer answer = {
			.outcome = DB_LOST, .sqlstate = "", .message = reason, .hint = ""};

		if (statement->on_answer)
			statement->on_answer(statement->data, &answer);
		PQclear(statement->result);
		free(statement);
		statement = next;
	}
}

/* Sends what libpq holds back, and watches for what must come. false: the connection is lost.
 */
static bool flush(struct db_conn *conn)
{
	int left = PQflush(conn->pg);

	if (left < 0)
		return false;
	return conn_watch(conn, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

void conn_answer(struct conn_statement *statement)
{
	PGresult *result = statement->result;
	ExecStatusType status = PQresultStatus(result);
	struct db_rows rows = {.result = result};
	struct db_answer answer = {
		.outcome = DB_OK, .rows = &rows, .sqlstate = "", .message = "", .hint = ""};

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

		answer.outcome = DB_ERROR;
		answer.rows = NULL;
		answer.sqlstate = state ? state : "";
		answer.message = message ? message : PQresultErrorMessage(result);
		answer.hint = hint ? hint : "";
	}
	if (statement->on_answer)
		statement->on_answer(statement->data, &answer);
	PQclear(rows.result);
}

/* Its sync point has come. It leaves the queue first: its reader may close the connection. */
static void answer_first(struct db_conn *conn)
{
	struct conn_statement *statement = conn->first;

	conn->first = statement->next;
	if (!conn->first)
		conn->last = NULL;
	conn->statement_count--;
	if (statement->is_grouped) {
		conn_hold(conn, statement);
		return;
	}
	if (statement->result)
		conn_answer(statement);
	free(statement);
}

/*
 * Takes in order: a statement's result, its end (NULL), its sync point. Only the sync point
 * says that it has committed: a server that fails within the commit sends the rows, and then
 * the error.
 */
static void take_results(struct db_conn *conn)
{
	while (conn->state == CONN_UP && conn->first && !PQisBusy(conn->pg)) {
		PGresult *result = PQgetResult(conn->pg);
		struct conn_statement *first = conn->first;

		if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			if (conn_prepared_is_stale(conn, first))
				conn_lose(conn, "a prepared statement is no longer valid");
			else
				answer_first(conn);
		} else if (result) {
			PQclear(first->result);
			first->result = result;
		} else if (PQstatus(conn->pg) == CONNECTION_BAD) {
			conn_lose(conn, PQerrorMessage(conn->pg));
		}
	}
}

static void take_notifications(struct db_conn *conn)
{
	PGnotify *notify;

	while (conn->state == CONN_UP && (notify = PQnotifies(conn->pg))) {
		if (conn->options.on_notify)
			conn->options.on_notify(conn->options.data, notify->relname,
						notify->extra);
		PQfreemem(notify);
	}
}

static void on_timer_closed(void *data)
{
	struct db_conn *conn = data;

	conn->closing--;
	conn_release(conn);
}

static void end_closing(struct db_conn *conn)
{
	conn_finish(conn);
	loop_timer_close_then(&conn->attempt_timer, on_timer_closed);
	loop_timer_close_then(&conn->deadline_timer, on_timer_closed);
}

/* Throws away what was said to statements that nobody waits for. true: that was the last one.
 */
static bool has_said_all(struct db_conn *conn)
{
	bool was_end = false;

	while (conn->syncs_left > 0 && !PQisBusy(conn->pg)) {
		PGresult *result = PQgetResult(conn->pg);

		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
			conn->syncs_left--;
		if (!result && (was_end || PQstatus(conn->pg) == CONNECTION_BAD))
			return true;
		was_end = !result;
		PQclear(result);
	}
	return conn->syncs_left == 0;
}

void conn_on_socket(uv_poll_t *handle, int status, int events)
{
	struct conn_watcher *watcher = handle->data;
	struct db_conn *conn = watcher->conn;

	(void)status; /* libuv reports a refused connect as EBADF: libpq knows better */
	(void)events;
	if (conn->state == CONN_CONNECTING) {
		conn_step(conn);
		return;
	}
	if (conn->state == CONN_CLOSED &&
	    (!PQconsumeInput(conn->pg) || has_said_all(conn) || !flush(conn)))
		end_closing(conn);
	if (conn->state != CONN_UP)
		return;
	if (!PQconsumeInput(conn->pg)) {
		conn_lose(conn, PQerrorMessage(conn->pg));
		return;
	}
	take_results(conn);
	take_notifications(conn);
	if (conn->state == CONN_UP && !flush(conn))
		conn_lose(conn, PQerrorMessage(conn->pg));
}

/* false: the connection is gone, and the list with it. */
static bool check_deadlines_of(struct db_conn *conn, struct conn_statement *list)
{
	uint64_t now_ms = loop_now_ms(conn->loop);
	struct db_answer answer = {.outcome = DB_TIMEOUT,
				   .sqlstate = "",
				   .message = "the database did not answer in time",
				   .hint = ""};

	for (struct conn_statement *at = list; at; at = at->next) {
		db_on_answer *on_answer = at->on_answer;

		if (!on_answer || at->deadline_ms > now_ms)
			continue;
		at->on_answer = NULL;
		on_answer(at->data, &answer);
		if (conn->state != CONN_UP)
			return false;
	}
	return true;
}

void conn_check_deadlines(void *data)
{
	struct db_conn *conn = data;

	if (conn->state == CONN_CLOSED) {
		end_closing(conn);
		return;
	}
	if (!check_deadlines_of(conn, conn->held) || !check_deadlines_of(conn, conn->first))
		return;
	/* it runs on while there is something to look at: a database that says nothing, and is
	   asked nothing, costs nothing */
	if (!conn->first)
		loop_timer_stop(&conn->deadline_timer);
}

enum err db_open(struct loop *loop, const struct db_conn_options *options,
		 struct db_conn **ret_conn)
{
	struct db_conn *conn = calloc(1, sizeof(*conn));
	char *message = NULL;
	enum err err;

	if (!conn)
		return ERR_MEMORY;
	conn->loop = loop;
	conn->options = *options;
	conn->back_off_ms = CONN_BACK_OFF_LEAST_MS;
	conn->program = strdup(options->program);
	conn->listen = options->listen ? strdup(options->listen) : NULL;
	err = !conn->program || (options->listen && !conn->listen)
		      ? ERR_MEMORY
		      : conninfo_parse(options->conninfo, conn->program, &conn->info, &message);
	if (err != ERR_OK) {
		log_error("bad_connection_string", "reason=%s remedy=%s",
			  log_text(message ? message : err_text(err)),
			  log_text("mend the key database; psql takes the same string"));
		free(message);
		free(conn->program);
		free(conn->listen);
		free(conn);
		return err;
	}
	loop_timer_open(loop, &conn->attempt_timer, conn_attempt, conn);
	loop_timer_open(loop, &conn->deadline_timer, conn_check_deadlines, conn);
	conn->state = CONN_WAITING;
	loop_timer_start(&conn->attempt_timer, 0, 0);
	*ret_conn = conn;
	return ERR_OK;
}

bool db_is_refusal(const struct db_answer *answer)
{
	static const char *const passing[] = {"08", "40", "53", "55", "57"};

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		if (strncmp(answer->sqlstate, passing[i], 2) == 0)
			return false;
	}
	return answer->outcome == DB_ERROR;
}

bool db_is_up(const struct db_conn *conn)
{
	return conn->state == CONN_UP;
}

/* Hands it to libpq. false: half of it may be in libpq's buffer. */
static bool hand_over(PGconn *pg, const struct conn_call *call)
{
	int sent;

	if (call->is_preparing)
		sent = PQsendPrepare(pg, call->name, call->sql, call->param_count, NULL);
	else if (call->name)
		sent = PQsendQueryPrepared(pg, call->name, call->param_count, call->params,
					   NULL, NULL, 0);
	else
		sent = PQsendQueryParams(pg, call->sql, call->param_count, NULL, call->params,
					 NULL, NULL, 0);
	return sent == 1 && PQpipelineSync(pg) == 1;
}

enum err conn_send(struct db_conn *conn, const struct conn_call *call, uint64_t deadline_ms,
		   db_on_answer *on_answer, void *data)
{
	struct conn_statement *statement;

	if (conn->state != CONN_UP)
		return ERR_AWAY;
	statement = calloc(1, sizeof(*statement));
	if (!statement)
		return ERR_MEMORY;
	if (!hand_over(conn->pg, call)) {
		free(statement);
		/* only a new connection is clean */
		loop_timer_start(&conn->attempt_timer, 0, 0);
		return ERR_AWAY;
	}
	statement->on_answer = on_answer;
	statement->data = data;
	statement->is_named = call->name && !call->is_preparing;
	statement->is_grouped = call->is_grouped;
	statement->deadline_ms = loop_now_ms(conn->loop) + deadline_ms;
	if (conn->last)
		conn->last->next = statement;
	else
		conn->first = statement;
	conn->last = statement;
	conn->statement_count++;
	if (!loop_timer_is_running(&conn->deadline_timer))
		loop_timer_start(&conn->deadline_timer, CONN_DEADLINE_CHECK_MS,
				 CONN_DEADLINE_CHECK_MS);
	/* an error here shows itself again when the socket is read */
	(void)flush(conn);
	return ERR_OK;
}

enum err db_query(struct db_conn *conn, const char *sql, const char *const *params,
		  int param_count, uint64_t deadline_ms, db_on_answer *on_answer, void *data)
{
	struct conn_call call = {.sql = sql, .params = params, .param_count = param_count};

	if (conn->statement_count >= CONN_STATEMENTS_MAX)
		return ERR_SPACE;
	if (conn->state == CONN_UP)
		call.name = conn_prepared_name(conn, sql, param_count);
	return conn_send(conn, &call, deadline_ms, on_answer, data);
}

void conn_release(struct db_conn *conn)
{
	if (conn->closing > 0 || conn->is_resolving)
		return;
	conn_forget_addresses(conn);
	conn_prepared_forget(conn);
	conninfo_free(&conn->info);
	free(conn->program);
	free(conn->listen);
	free(conn);
}

static size_t count_in_flight(const struct db_conn *conn)
{
	size_t count = 0;

	for (const struct conn_statement *at = conn->first; at; at = at->next)
		count++;
	return conn->state == CONN_UP ? count : 0;
}

/*
 * A server that cannot send an answer gives up what was sent behind that statement. So the
 * connection is kept, for a moment, until all of it was answered.
 */
void db_close(struct db_conn *conn)
{
	if (!conn || conn->state == CONN_CLOSED)
		return;
	conn->syncs_left = count_in_flight(conn);
	conn->state = CONN_CLOSED;
	conn->closing = 2;
	if (conn->is_resolving)
		(void)uv_cancel((uv_req_t *)&conn->resolver);
	loop_timer_stop(&conn->attempt_timer);
	if (conn->syncs_left > 0)
		loop_timer_start(&conn->deadline_timer, CONN_LINGER_MS, 0);
	else
		end_closing(conn);
	conn_answer_lost(conn, "the daemon stops");
}
