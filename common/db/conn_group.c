/*
 * Group commit: transactions that do not wait for the disk, and behind them one that does. It
 * writes a few octets, since a transaction without any is not flushed; the log has one order,
 * so that what lies before it is on the disk, too. The first call has its flush right behind
 * it; those that come while it is under way share the next one. Under load a flush is asked for
 * each GROUP_MOST calls, so that answers come in a stream and not in one burst.
 */
#include <stdlib.h>

#include "db/conn_internal.h"

#define GROUP_MOST 32
/* Those that wait for it have their own, and are answered in time. */
#define FLUSH_DEADLINE_MS 3600000

static void on_flushed(void *data, const struct db_answer *answer);

static void ask_for_flush(struct db_conn *conn)
{
	static const struct conn_call call = {
		.sql = "select pg_logical_emit_message(true, 'rouse', '')"};

	conn->unflushed = 0;
	conn->flushes++;
	/* without it nobody would ever be answered: only a new connection is clean */
	if (conn_send(conn, &call, FLUSH_DEADLINE_MS, on_flushed, conn) != ERR_OK)
		loop_timer_start(&conn->attempt_timer, 0, 0);
}

void conn_hold(struct db_conn *conn, struct conn_statement *statement)
{
	statement->next = NULL;
	if (conn->last_held)
		conn->last_held->next = statement;
	else
		conn->held = statement;
	conn->last_held = statement;
}

/* The flush failed: whether these are on the disk is not known, as after a lost connection. */
static void fail(struct conn_statement *statement, const struct db_answer *why)
{
	if (statement->on_answer)
		statement->on_answer(statement->data, why);
	PQclear(statement->result);
}

/* All that is held was sent before this flush: answers come in order. */
static void on_flushed(void *data, const struct db_answer *answer)
{
	struct db_conn *conn = data;
	struct conn_statement *at = conn->held;

	/* lost: conn_answer_lost() has told those that were held */
	if (answer->outcome == DB_LOST)
		return;
	conn->flushes--;
	conn->held = conn->last_held = NULL;
	if (conn->flushes == 0 && conn->unflushed > 0)
		ask_for_flush(conn);
	while (at) {
		struct conn_statement *next = at->next;

		if (answer->outcome != DB_OK)
			fail(at, answer);
		else if (at->result)
			conn_answer(at);
		free(at);
		at = next;
	}
}

enum err db_query_grouped(struct db_conn *conn, const char *sql, const char *const *params,
			  int param_count, uint64_t deadline_ms, db_on_answer *on_answer,
			  void *data)
{
	struct conn_call call = {
		.sql = sql, .params = params, .param_count = param_count, .is_grouped = true};
	enum err err;

	if (conn->statement_count >= CONN_STATEMENTS_MAX)
		return ERR_SPACE;
	if (conn->state == CONN_UP)
		call.name = conn_prepared_name(conn, sql, param_count);
	err = conn_send(conn, &call, deadline_ms, on_answer, data);
	if (err != ERR_OK)
		return err;
	conn->unflushed++;
	if (conn->flushes == 0 || conn->unflushed >= GROUP_MOST)
		ask_for_flush(conn);
	return ERR_OK;
}
