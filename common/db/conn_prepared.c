/*
 * What a daemon asks again and again is parsed and planned once for each connection. When a
 * text is new, the server is asked to prepare it, and it goes as it is; once that is answered,
 * it goes by its name. A text that cannot be prepared stays a text.
 */
#include <stdlib.h>
#include <string.h>

#include "db/conn_internal.h"

#define PREPARE_DEADLINE_MS 10000

static void on_prepared(void *data, const struct db_answer *answer)
{
	struct conn_prepared *prepared = data;

	if (answer->outcome == DB_OK)
		prepared->state = CONN_PREPARED_READY;
	else if (answer->outcome == DB_ERROR)
		prepared->state = CONN_PREPARED_REFUSED;
	/* lost: forgotten with the connection; too late: its name is never used */
}

static void prepare(struct db_conn *conn, const char *sql, int param_count)
{
	struct conn_prepared *prepared = &conn->prepared[conn->prepared_count];
	struct conn_call call = {.sql = sql,
				 .param_count = param_count,
				 .name = prepared->name,
				 .is_preparing = true};
	char *copy = strdup(sql);

	if (!copy)
		return;
	*prepared = (struct conn_prepared){.conn = conn, .sql = copy};
	(void)snprintf(prepared->name, sizeof(prepared->name), "r%zu", conn->prepared_count);
	conn->prepared_count++;
	if (conn_send(conn, &call, PREPARE_DEADLINE_MS, on_prepared, prepared) != ERR_OK)
		prepared->state = CONN_PREPARED_REFUSED;
}

const char *conn_prepared_name(struct db_conn *conn, const char *sql, int param_count)
{
	/* without parameters they are LISTEN, BEGIN and what is asked now and then */
	if (param_count == 0 || conn->is_pooled)
		return NULL;
	for (size_t i = 0; i < conn->prepared_count; i++) {
		const struct conn_prepared *prepared = &conn->prepared[i];

		if (strcmp(prepared->sql, sql) == 0)
			return prepared->state == CONN_PREPARED_READY ? prepared->name : NULL;
	}
	if (conn->prepared_count < CONN_PREPARED_MAX)
		prepare(conn, sql, param_count);
	return NULL;
}

/*
 * 0A000: a migration has changed what the statement gives. 26000: a pooler has passed us on to
 * another server process (PgBouncer before 1.21 in its transaction mode).
 */
bool conn_prepared_is_stale(struct db_conn *conn, const struct conn_statement *statement)
{
	const char *state = statement->is_named
				    ? PQresultErrorField(statement->result, PG_DIAG_SQLSTATE)
				    : NULL;

	if (!state)
		return false;
	if (strcmp(state, "26000") == 0) {
		conn->is_pooled = true;
		log_warning(
			"statements_not_kept", "program=%s reason=%s remedy=%s", conn->program,
			log_text("a pooler changes the server process between transactions; "
				 "statements are sent unprepared from now on"),
			log_text("connect the daemon to PostgreSQL itself, or set "
				 "pool_mode = session"));
		return true;
	}
	return strcmp(state, "0A000") == 0;
}

void conn_prepared_forget(struct db_conn *conn)
{
	for (size_t i = 0; i < conn->prepared_count; i++)
		free(conn->prepared[i].sql);
	conn->prepared_count = 0;
}
