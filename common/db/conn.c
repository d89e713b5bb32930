#include "db/conn.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/conninfo.h"
#include "db/rows_internal.h"
#include "io/log.h"

#define CONNECT_DEADLINE_MS 3000
#define BACK_OFF_LEAST_MS 50
#define BACK_OFF_MOST_MS 2000
#define STATEMENTS_MAX 4096
#define DEADLINE_CHECK_MS 50

enum state {
	STATE_RESOLVING,
	STATE_CONNECTING,
	STATE_UP,
	STATE_WAITING, /* for the next attempt */
	STATE_CLOSED,
};

/* What the server is to answer next for one statement: its result, the end of it, the sync. */
enum phase {
	PHASE_RESULT,
	PHASE_END,
	PHASE_SYNC,
};

struct statement {
	struct statement *next;
	db_on_answer *on_answer; /* NULL once answered (by a time-out) */
	void *data;
	uint64_t deadline_ms; /* on the loop's clock */
	enum phase phase;
};

/* libuv's poll handle outlives a connection by one turn: it is freed in its close callback. */
struct watcher {
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
	enum state state;
	PGconn *pg;
	struct watcher *watcher;
	uv_getaddrinfo_t resolver;
	bool is_resolving;
	char address[INET6_ADDRSTRLEN];
	struct loop_timer attempt_timer; /* connect deadline, or back-off */
	struct loop_timer deadline_timer;
	struct statement *first, *last; /* in flight, in order */
	size_t statement_count;
	struct log_repeat repeat;
	unsigned closing; /* handles still to go before the memory may be freed */
};

static void connect_next(void *data);

static void free_watcher(uv_handle_t *handle)
{
	free(handle->data);
}

static void stop_watching(struct db_conn *conn)
{
	if (!conn->watcher)
		return;
	uv_close((uv_handle_t *)&conn->watcher->uv, free_watcher);
	conn->watcher = NULL;
}

/* Answers what is in flight: nobody knows whether it was done. */
static void answer_lost(struct db_conn *conn, const char *reason)
{
	struct statement *statement = conn->first;

	conn->first = NULL;
	conn->last = NULL;
	conn->statement_count = 0;
	while (statement) {
		struct statement *next = statement->next;
		struct db_answer answer = {
			.outcome = DB_LOST, .sqlstate = "", .message = reason, .hint = ""};

		if (statement->on_answer)
			statement->on_answer(statement->data, &answer);
		free(statement);
		statement = next;
	}
}

static void finish(struct db_conn *conn)
{
	stop_watching(conn); /* before PQfinish closes the descriptor */
	PQfinish(conn->pg);
	conn->pg = NULL;
}

/* One line, without libpq's line breaks. */
static void one_line(const char *message, char *line, size_t size)
{
	size_t length = 0;

	for (; *message && length + 1 < size; message++) {
		if (*message != '\n')
			line[length++] = *message;
		else if (message[1] != '\0')
			line[length++] = ' ';
	}
	line[length] = '\0';
}

/* This attempt, or the connection it made, is over. */
static void lose(struct db_conn *conn, const char *reason)
{
	bool was_up = conn->state == STATE_UP;
	unsigned long left_out;
	char line[512];
	uint64_t wait_ms;

	if (conn->state == STATE_CLOSED || conn->state == STATE_WAITING)
		return;
	one_line(reason, line, sizeof(line));
	if (was_up || log_repeat_due(&conn->repeat, loop_now_ms(conn->loop), 30000, &left_out))
		log_warning(
			"database_away", "program=%s reason=%s remedy=%s", conn->program,
			log_text(line),
			log_text("check that PostgreSQL runs and that the connection string "
				 "(key database) names it; rouse keeps trying"));
	finish(conn);
	conn->state = STATE_WAITING;
	conn->host = (conn->host + 1) % conn->info.host_count;
	conn->failed_in_round = was_up ? 1 : conn->failed_in_round + 1;
	if (was_up)
		conn->back_off_ms = BACK_OFF_LEAST_MS;
	wait_ms = 0;
	if (conn->failed_in_round >= conn->info.host_count) {
		conn->failed_in_round = 0;
		wait_ms = conn->back_off_ms +
			  arc4random_uniform((uint32_t)conn->back_off_ms / 2 + 1);
		conn->back_off_ms = conn->back_off_ms * 2 < BACK_OFF_MOST_MS
					    ? conn->back_off_ms * 2
					    : BACK_OFF_MOST_MS;
	}
	loop_timer_stop(&conn->deadline_timer);
	loop_timer_start(&conn->attempt_timer, wait_ms, 0);
	answer_lost(conn, line);
	if (conn->options.on_down && conn->state != STATE_CLOSED)
		conn->options.on_down(conn->options.data, line);
}

static void on_socket(uv_poll_t *handle, int status, int events);

/* Watches libpq's socket, which may be another one than before. false: could not. */
static bool watch(struct db_conn *conn, int events)
{
	int fd = PQsocket(conn->pg);

	if (conn->watcher && conn->watcher->fd != fd)
		stop_watching(conn);
	if (!conn->watcher) {
		struct watcher *watcher = calloc(1, sizeof(*watcher));

		if (!watcher)
			return false;
		if (fd < 0 || uv_poll_init(&conn->loop->uv, &watcher->uv, fd) != 0) {
			free(watcher);
			return false;
		}
		watcher->fd = fd;
		watcher->conn = conn;
		watcher->uv.data = watcher;
		conn->watcher = watcher;
	}
	return uv_poll_start(&conn->watcher->uv, events, on_socket) == 0;
}

/* Sends what libpq holds back, and watches for what must come. false: the connection is lost.
 */
static bool flush(struct db_conn *conn)
{
	int left = PQflush(conn->pg);

	if (left < 0)
		return false;
	return watch(conn, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static void ignore_notice(void *data, const PGresult *result)
{
	(void)data;
	log_debug("database_notice", "message=%s",
		  log_text(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
}

static void on_listening(void *data, const struct db_answer *answer)
{
	struct db_conn *conn = data;

	if (answer->outcome == DB_ERROR)
		log_error("listen_refused", "reason=%s", log_text(answer->message));
	if (answer->outcome == DB_OK && conn->options.on_up)
		conn->options.on_up(conn->options.data);
}

/* LISTEN comes before anything is read, so that no change between the two is missed. */
static enum err start_listening(struct db_conn *conn)
{
	const char *at = conn->listen;

	while (*at) {
		size_t length = strcspn(at, " ");
		bool is_last = at[length] == '\0';
		char *name = NULL;
		char *quoted;
		char sql[256];
		enum err err;

		name = strndup(at, length);
		quoted = name ? PQescapeIdentifier(conn->pg, name, length) : NULL;
		free(name);
		if (!quoted)
			return ERR_MEMORY;
		(void)snprintf(sql, sizeof(sql), "listen %s", quoted);
		PQfreemem(quoted);
		err = db_query(conn, sql, NULL, 0, 10000, is_last ? on_listening : NULL, conn);
		if (err != ERR_OK)
			return err;
		at += length;
		at += *at == ' ';
	}
	return ERR_OK;
}

static void connected(struct db_conn *conn)
{
	loop_timer_stop(&conn->attempt_timer);
	PQsetNoticeReceiver(conn->pg, ignore_notice, conn);
	if (PQsetnonblocking(conn->pg, 1) != 0 || PQenterPipelineMode(conn->pg) != 1 ||
	    !watch(conn, UV_READABLE)) {
		lose(conn, "libpq cannot enter pipeline mode");
		return;
	}
	conn->state = STATE_UP;
	conn->back_off_ms = BACK_OFF_LEAST_MS;
	conn->failed_in_round = 0;
	conn->repeat = (struct log_repeat){0};
	log_info("database_connected", "program=%s server=%s:%s", conn->program,
		 log_text(PQhost(conn->pg)), PQport(conn->pg));
	loop_timer_start(&conn->deadline_timer, DEADLINE_CHECK_MS, DEADLINE_CHECK_MS);
	if (conn->listen) {
		if (start_listening(conn) != ERR_OK)
			lose(conn, "LISTEN could not be sent");
	} else if (conn->options.on_up) {
		conn->options.on_up(conn->options.data);
	}
}

static void step_connect(struct db_conn *conn)
{
	bool watching = true;

	switch (PQconnectPoll(conn->pg)) {
	case PGRES_POLLING_READING:
		watching = watch(conn, UV_READABLE);
		break;
	case PGRES_POLLING_WRITING:
		watching = watch(conn, UV_WRITABLE);
		break;
	case PGRES_POLLING_OK:
		connected(conn);
		break;
	default:
		lose(conn, PQerrorMessage(conn->pg));
		break;
	}
	if (!watching)
		lose(conn, "the connection's socket cannot be watched");
}

/* One result for the statement at the head of the queue. */
static void answer_first(struct db_conn *conn, PGresult *result)
{
	struct statement *statement = conn->first;
	ExecStatusType status = PQresultStatus(result);
	struct db_rows rows = {.result = result};
	struct db_answer answer = {
		.outcome = DB_OK, .rows = &rows, .sqlstate = "", .message = "", .hint = ""};
	db_on_answer *on_answer = statement->on_answer;

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
	statement->on_answer = NULL;
	statement->phase = PHASE_END;
	if (on_answer)
		on_answer(statement->data, &answer);
	PQclear(rows.result);
}

static void drop_first(struct db_conn *conn)
{
	struct statement *statement = conn->first;

	conn->first = statement->next;
	if (!conn->first)
		conn->last = NULL;
	conn->statement_count--;
	free(statement);
}

/* Takes in order: a statement's result, its end (NULL), its sync point. */
static void take_results(struct db_conn *conn)
{
	while (conn->state == STATE_UP && conn->first && !PQisBusy(conn->pg)) {
		PGresult *result = PQgetResult(conn->pg);

		if (conn->first->phase == PHASE_RESULT && result &&
		    PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
			answer_first(conn, result);
			continue;
		}
		if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC)
			drop_first(conn);
		else if (!result && conn->first->phase == PHASE_END)
			conn->first->phase = PHASE_SYNC;
		else if (!result && PQstatus(conn->pg) == CONNECTION_BAD)
			lose(conn, PQerrorMessage(conn->pg));
		PQclear(result);
	}
}

static void take_notifications(struct db_conn *conn)
{
	PGnotify *notify;

	while (conn->state == STATE_UP && (notify = PQnotifies(conn->pg))) {
		if (conn->options.on_notify)
			conn->options.on_notify(conn->options.data, notify->relname,
						notify->extra);
		PQfreemem(notify);
	}
}

static void on_socket(uv_poll_t *handle, int status, int events)
{
	struct watcher *watcher = handle->data;
	struct db_conn *conn = watcher->conn;

	(void)status; /* libuv reports a refused connect as EBADF: libpq knows better */
	(void)events;
	if (conn->state == STATE_CONNECTING) {
		step_connect(conn);
		return;
	}
	if (conn->state != STATE_UP)
		return;
	if (!PQconsumeInput(conn->pg)) {
		lose(conn, PQerrorMessage(conn->pg));
		return;
	}
	take_results(conn);
	take_notifications(conn);
	if (conn->state == STATE_UP && !flush(conn))
		lose(conn, PQerrorMessage(conn->pg));
}

static void start_libpq(struct db_conn *conn)
{
	struct conninfo_host *host = &conn->info.hosts[conn->host];

	conn->state = STATE_CONNECTING;
	conn->pg = PQconnectStartParams(host->keywords, host->values, 0);
	if (!conn->pg || PQstatus(conn->pg) == CONNECTION_BAD)
		lose(conn, conn->pg ? PQerrorMessage(conn->pg) : "out of memory");
	else if (!watch(conn, UV_WRITABLE))
		lose(conn, "the connection's socket cannot be watched");
}

static void released(struct db_conn *conn);

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct db_conn *conn = request->data;
	struct conninfo_host *host = &conn->info.hosts[conn->host];

	conn->is_resolving = false;
	if (conn->state == STATE_CLOSED) {
		uv_freeaddrinfo(found);
		released(conn);
		return;
	}
	if (status != 0) {
		uv_freeaddrinfo(found);
		lose(conn, uv_strerror(status));
		return;
	}
	if (found->ai_family == AF_INET6)
		(void)uv_ip6_name((const struct sockaddr_in6 *)(const void *)found->ai_addr,
				  conn->address, sizeof(conn->address));
	else
		(void)uv_ip4_name((const struct sockaddr_in *)(const void *)found->ai_addr,
				  conn->address, sizeof(conn->address));
	uv_freeaddrinfo(found);
	host->values[host->address_slot] = conn->address;
	start_libpq(conn);
}

/* Begins an attempt, or gives up the one that has run out of its time. */
static void connect_next(void *data)
{
	struct db_conn *conn = data;
	struct conninfo_host *host;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	if (conn->state != STATE_WAITING) {
		if (!conn->is_resolving) /* a resolver's answer comes, however late */
			lose(conn, conn->state == STATE_UP ? "a statement could not be sent"
							   : "no answer within 3 seconds");
		return;
	}
	host = &conn->info.hosts[conn->host];
	loop_timer_start(&conn->attempt_timer, CONNECT_DEADLINE_MS, 0);
	if (!host->name) {
		start_libpq(conn);
		return;
	}
	conn->state = STATE_RESOLVING;
	conn->resolver.data = conn;
	if (uv_getaddrinfo(&conn->loop->uv, &conn->resolver, on_resolved, host->name, NULL,
			   &hints) == 0)
		conn->is_resolving = true;
	else
		lose(conn, "the host's name cannot be resolved");
}

static void check_deadlines(void *data)
{
	struct db_conn *conn = data;
	uint64_t now_ms = loop_now_ms(conn->loop);
	struct db_answer answer = {.outcome = DB_TIMEOUT,
				   .sqlstate = "",
				   .message = "the database did not answer in time",
				   .hint = ""};

	for (struct statement *at = conn->first; at; at = at->next) {
		db_on_answer *on_answer = at->on_answer;

		if (!on_answer || at->deadline_ms > now_ms)
			continue;
		at->on_answer = NULL;
		on_answer(at->data, &answer);
		if (conn->state != STATE_UP)
			return;
	}
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
	conn->back_off_ms = BACK_OFF_LEAST_MS;
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
	loop_timer_open(loop, &conn->attempt_timer, connect_next, conn);
	loop_timer_open(loop, &conn->deadline_timer, check_deadlines, conn);
	conn->state = STATE_WAITING;
	loop_timer_start(&conn->attempt_timer, 0, 0);
	*ret_conn = conn;
	return ERR_OK;
}

bool db_is_up(const struct db_conn *conn)
{
	return conn->state == STATE_UP;
}

enum err db_query(struct db_conn *conn, const char *sql, const char *const *params,
		  int param_count, uint64_t deadline_ms, db_on_answer *on_answer, void *data)
{
	struct statement *statement;

	if (conn->state != STATE_UP)
		return ERR_AWAY;
	if (conn->statement_count >= STATEMENTS_MAX)
		return ERR_SPACE;
	statement = calloc(1, sizeof(*statement));
	if (!statement)
		return ERR_MEMORY;
	if (PQsendQueryParams(conn->pg, sql, param_count, NULL, params, NULL, NULL, 0) != 1 ||
	    PQpipelineSync(conn->pg) != 1) {
		free(statement);
		/* half a statement may be in libpq's buffer: only a new connection is clean */
		loop_timer_start(&conn->attempt_timer, 0, 0);
		return ERR_AWAY;
	}
	statement->on_answer = on_answer;
	statement->data = data;
	statement->deadline_ms = loop_now_ms(conn->loop) + deadline_ms;
	if (conn->last)
		conn->last->next = statement;
	else
		conn->first = statement;
	conn->last = statement;
	conn->statement_count++;
	/* an error here shows itself again when the socket is read */
	(void)flush(conn);
	return ERR_OK;
}

static void released(struct db_conn *conn)
{
	if (conn->closing > 0 || conn->is_resolving)
		return;
	conninfo_free(&conn->info);
	free(conn->program);
	free(conn->listen);
	free(conn);
}

static void on_timer_closed(void *data)
{
	struct db_conn *conn = data;

	conn->closing--;
	released(conn);
}

void db_close(struct db_conn *conn)
{
	if (!conn || conn->state == STATE_CLOSED)
		return;
	finish(conn);
	conn->state = STATE_CLOSED;
	if (conn->is_resolving)
		(void)uv_cancel((uv_req_t *)&conn->resolver);
	conn->closing = 2;
	loop_timer_close_then(&conn->attempt_timer, on_timer_closed);
	loop_timer_close_then(&conn->deadline_timer, on_timer_closed);
	answer_lost(conn, "the daemon stops");
}
