#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/conn_internal.h"

#define CONNECT_DEADLINE_MS 3000
#define BACK_OFF_MOST_MS 2000
#define DEADLINE_CHECK_MS 50

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
void conn_lose(struct db_conn *conn, const char *reason)
{
	bool was_up = conn->state == CONN_UP;
	unsigned long left_out;
	char line[512];
	uint64_t wait_ms;

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
	conn->host = (conn->host + 1) % conn->info.host_count;
	conn->failed_in_round = was_up ? 1 : conn->failed_in_round + 1;
	if (was_up)
		conn->back_off_ms = CONN_BACK_OFF_LEAST_MS;
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
	    !conn_watch(conn, UV_READABLE)) {
		conn_lose(conn, "libpq cannot enter pipeline mode");
		return;
	}
	conn->state = CONN_UP;
	conn->back_off_ms = CONN_BACK_OFF_LEAST_MS;
	conn->failed_in_round = 0;
	conn->repeat = (struct log_repeat){0};
	log_info("database_connected", "program=%s server=%s:%s", conn->program,
		 log_text(PQhost(conn->pg)), PQport(conn->pg));
	loop_timer_start(&conn->deadline_timer, DEADLINE_CHECK_MS, DEADLINE_CHECK_MS);
	if (conn->listen) {
		if (start_listening(conn) != ERR_OK)
			conn_lose(conn, "LISTEN could not be sent");
	} else if (conn->options.on_up) {
		conn->options.on_up(conn->options.data);
	}
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
	conn->pg = PQconnectStartParams(host->keywords, host->values, 0);
	if (!conn->pg || PQstatus(conn->pg) == CONNECTION_BAD)
		conn_lose(conn, conn->pg ? PQerrorMessage(conn->pg) : "out of memory");
	else if (!conn_watch(conn, UV_WRITABLE))
		conn_lose(conn, "the connection's socket cannot be watched");
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct db_conn *conn = request->data;
	struct conninfo_host *host = &conn->info.hosts[conn->host];

	conn->is_resolving = false;
	if (conn->state == CONN_CLOSED) {
		uv_freeaddrinfo(found);
		conn_release(conn);
		return;
	}
	if (status != 0) {
		uv_freeaddrinfo(found);
		conn_lose(conn, uv_strerror(status));
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
void conn_attempt(void *data)
{
	struct db_conn *conn = data;
	struct conninfo_host *host;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	if (conn->state != CONN_WAITING) {
		if (!conn->is_resolving) /* a resolver's answer comes, however late */
			conn_lose(conn, conn->state == CONN_UP ? "a statement could not be sent"
							       : "no answer within 3 seconds");
		return;
	}
	host = &conn->info.hosts[conn->host];
	loop_timer_start(&conn->attempt_timer, CONNECT_DEADLINE_MS, 0);
	if (!host->name) {
		start_libpq(conn);
		return;
	}
	conn->state = CONN_RESOLVING;
	conn->resolver.data = conn;
	if (uv_getaddrinfo(&conn->loop->uv, &conn->resolver, on_resolved, host->name, NULL,
			   &hints) == 0)
		conn->is_resolving = true;
	else
		conn_lose(conn, "the host's name cannot be resolved");
}
