#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/conn_internal.h"
#include "db/rows.h"

#define CONNECT_DEADLINE_MS 3000
#define BACK_OFF_MOST_MS 2000
/*
 * A statement that waits for a lock holds up all behind it in the pipeline: the server gives it
 * up soon, so that a transaction left open in psql stops one machine and not all of them. The
 * second is for statements whose answer nobody awaits any more. A standby answers as well as
 * any server until one wants to write or LISTEN, so it is asked.
 */
#define FIRST_STATEMENT                                                                        \
	"select set_config('lock_timeout', '2s', false), "                                     \
	"set_config('statement_timeout', '30s', false), pg_is_in_recovery()"

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

void conn_finish(struct db_conn *conn)
{
	stop_watching(conn); /* before PQfinish closes the descriptor */
	PQfinish(conn->pg);
	conn->pg = NULL;
}

void conn_forget_addresses(struct db_conn *conn)
{
	uv_freeaddrinfo(conn->addresses);
	conn->addresses = NULL;
	conn->next_address = NULL;
}

/* One line, without libpq's line breaks and tabs. */
static void one_line(const char *message, char *line, size_t size)
{
	size_t length = 0;

	for (; *message && length + 1 < size; message++) {
		if (*message != '\n' && *message != '\t')
			line[length++] = *message;
		else if (length > 0 && line[length - 1] != ' ' && message[1] != '\0')
			line[length++] = ' ';
	}
	line[length] = '\0';
}

/* Which host is next, and how long until then: at once, until all have been tried. */
static uint64_t choose_next(struct db_conn *conn, bool was_up)
{
	uint64_t wait_ms;

	if (conn->next_address)
		return 0; /* the same host has more addresses */
	conn_forget_addresses(conn);
	conn->host = (conn->host + 1) % conn->info.host_count;
	conn->failed_in_round = was_up ? 1 : conn->failed_in_round + 1;
	if (was_up)
		conn->back_off_ms = CONN_BACK_OFF_LEAST_MS;
	if (conn->failed_in_round < conn->info.host_count)
		return 0;
	conn->failed_in_round = 0;
	wait_ms = conn->back_off_ms + arc4random_uniform((uint32_t)conn->back_off_ms / 2 + 1);
	conn->back_off_ms = conn->back_off_ms * 2 < BACK_OFF_MOST_MS ? conn->back_off_ms * 2
								     : BACK_OFF_MOST_MS;
	return wait_ms;
}

void conn_lose(struct db_conn *conn, const char *reason)
{
	bool was_up = conn->state == CONN_UP && conn->is_proven;
	unsigned long left_out;
	char line[512];

	if (conn->state == CONN_CLOSED || conn->state == CONN_WAITING)
		return;
	one_line(reason, line, sizeof(line));
	if (was_up || log_repeat_due(&conn->repeat, loop_now_ms(conn->loop), 30000, &left_out))
		log_warning(
			"database_away", "program=%s reason=%s remedy=%s", conn->program,
			log_text(line),
			log_text("check that PostgreSQL runs and that the connection string "
				 "(key database) names it; rouse keeps trying"));
	conn_finish(conn);
	conn->state = CONN_WAITING;
	loop_timer_stop(&conn->deadline_timer);
	loop_timer_start(&conn->attempt_timer, choose_next(conn, was_up), 0);
	conn_answer_lost(conn, line);
	if (conn->options.on_down && conn->state != CONN_CLOSED)
		conn->options.on_down(conn->options.data, line);
}

/* Watches libpq's socket, which may be another one than before. false: could not. */
bool conn_watch(struct db_conn *conn, int events)
{
	int fd = PQsocket(conn->pg);

	if (conn->watcher && conn->watcher->fd != fd)
		stop_watching(conn);
	if (!conn->watcher) {
		struct conn_watcher *watcher = calloc(1, sizeof(*watcher));

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
	return uv_poll_start(&conn->watcher->uv, events, conn_on_socket) == 0;
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

	if (answer->outcome == DB_LOST)
		return;
	if (answer->outcome != DB_OK)
		conn_lose(conn, answer->message);
	else if (--conn->listens_left == 0 && conn->options.on_up)
		conn->options.on_up(conn->options.data);
}

/* LISTEN comes before anything is read, so that no change between the two is missed. */
static enum err start_listening(struct db_conn *conn)
{
	const char *at = conn->listen;

	conn->listens_left = 0;
	while (*at) {
		size_t length = strcspn(at, " ");
		char *name = strndup(at, length);
		char *quoted;
		char sql[256];
		enum err err;

		quoted = name ? PQescapeIdentifier(conn->pg, name, length) : NULL;
		free(name);
		if (!quoted)
			return ERR_MEMORY;
		(void)snprintf(sql, sizeof(sql), "listen %s", quoted);
		PQfreemem(quoted);
		err = db_query(conn, sql, NULL, 0, 10000, on_listening, conn);
		if (err != ERR_OK)
			return err;
		conn->listens_left++;
		at += length;
		at += *at == ' ';
	}
	return ERR_OK;
}

/* Only now is the attempt a success: before, its failure adds to the back-off. */
static void on_first_answer(void *data, const struct db_answer *answer)
{
	struct db_conn *conn = data;

	if (answer->outcome == DB_LOST)
		return;
	if (answer->outcome != DB_OK) {
		conn_lose(conn, answer->message);
		return;
	}
	if (strcmp(rows_at(answer->rows, 0, 2), "f") != 0) {
		conn_lose(conn, "this server is a standby, which nothing can be written to");
		return;
	}
	conn->is_proven = true;
	conn->back_off_ms = CONN_BACK_OFF_LEAST_MS;
	conn->failed_in_round = 0;
	conn->repeat = (struct log_repeat){0};
	log_info("database_connected", "program=%s server=%s:%s", conn->program,
		 log_text(PQhost(conn->pg)), PQport(conn->pg));
}

static void connected(struct db_conn *conn)
{
	loop_timer_stop(&conn->attempt_timer);
	PQsetNoticeReceiver(conn->pg, ignore_notice, conn);
	if (PQsetnonblocking(conn->pg, 1) != 0 || PQenterPipelineMode(conn->pg) != 1 ||
	    !conn_watch(conn, UV_READABLE)) {
		conn_lose(conn, "libpq cannot enter pipeline mode");
		return;
	}
	conn->state = CONN_UP;
	conn_forget_addresses(conn);
	conn_prepared_forget(conn);
	if (db_query(conn, FIRST_STATEMENT, NULL, 0, 10000, on_first_answer, conn) != ERR_OK ||
	    (conn->listen && start_listening(conn) != ERR_OK))
		conn_lose(conn, "the first statement could not be sent");
	else if (!conn->listen && conn->options.on_up)
		conn->options.on_up(conn->options.data);
}

void conn_step(struct db_conn *conn)
{
	bool watching = true;

	switch (PQconnectPoll(conn->pg)) {
	case PGRES_POLLING_READING:
		watching = conn_watch(conn, UV_READABLE);
		break;
	case PGRES_POLLING_WRITING:
		watching = conn_watch(conn, UV_WRITABLE);
		break;
	case PGRES_POLLING_OK:
		connected(conn);
		break;
	default:
		conn_lose(conn, PQerrorMessage(conn->pg));
		break;
	}
	if (!watching)
		conn_lose(conn, "the connection's socket cannot be watched");
}

static void start_libpq(struct db_conn *conn)
{
	struct conninfo_host *host = &conn->info.hosts[conn->host];

	conn->state = CONN_CONNECTING;
	conn->is_proven = false;
	loop_timer_start(&conn->attempt_timer, CONNECT_DEADLINE_MS, 0);
	conn->pg = PQconnectStartParams(host->keywords, host->values, 0);
	if (!conn->pg || PQstatus(conn->pg) == CONNECTION_BAD)
		conn_lose(conn, conn->pg ? PQerrorMessage(conn->pg) : "out of memory");
	else if (!conn_watch(conn, UV_WRITABLE))
		conn_lose(conn, "the connection's socket cannot be watched");
}

/* The next of the host's addresses: one that does not answer must not hide the others. */
static void start_address(struct db_conn *conn)
{
	struct conninfo_host *host = &conn->info.hosts[conn->host];
	const struct addrinfo *at = conn->next_address;

	if (at->ai_family == AF_INET6)
		(void)uv_ip6_name((const struct sockaddr_in6 *)(const void *)at->ai_addr,
				  conn->address, sizeof(conn->address));
	else
		(void)uv_ip4_name((const struct sockaddr_in *)(const void *)at->ai_addr,
				  conn->address, sizeof(conn->address));
	conn->next_address = at->ai_next;
	host->values[host->address_slot] = conn->address;
	start_libpq(conn);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct db_conn *conn = request->data;

	conn->is_resolving = false;
	conn->addresses = found;
	if (conn->state == CONN_CLOSED) {
		conn_release(conn);
	} else if (status != 0) {
		conn_lose(conn, uv_strerror(status));
	} else {
		conn->next_address = found;
		start_address(conn);
	}
}

static void resolve(struct db_conn *conn, const char *name)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	conn->state = CONN_RESOLVING;
	conn->resolver.data = conn;
	if (uv_getaddrinfo(&conn->loop->uv, &conn->resolver, on_resolved, name, NULL, &hints) ==
	    0)
		conn->is_resolving = true;
	else
		conn_lose(conn, "the host's name cannot be resolved");
}

void conn_attempt(void *data)
{
	struct db_conn *conn = data;
	const struct conninfo_host *host = &conn->info.hosts[conn->host];

	/* the resolver's own time-out ends it; its answer starts the timer anew */
	if (conn->state == CONN_RESOLVING)
		return;
	if (conn->state != CONN_WAITING)
		conn_lose(conn, conn->state == CONN_UP ? "a statement could not be sent"
						       : "no answer within 3 seconds");
	else if (conn->next_address)
		start_address(conn);
	else if (host->name)
		resolve(conn, host->name);
	else
		start_libpq(conn);
}
