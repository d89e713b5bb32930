/*
 * Those who hold a connection and ask nothing. libmicrohttpd ends one on which nothing comes at
 * all; a client that sends an octet now and then (slowloris) would hold its place for ever, and
 * as many of them as there are places would shut out everybody. So a request must be whole
 * within the time that a silent connection has, and when places are scarce, that time is short.
 */
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#include "io/http_internal.h"
#include "io/log.h"

#define SCARCE_MS 5000

static void on_time(uv_timer_t *timer);

static bool is_scarce(const struct http *server)
{
	unsigned most = server->options.connections_max;

	return server->line_count > most - most / 8;
}

static uint64_t patience_ms(const struct http *server)
{
	uint64_t idle_ms = (uint64_t)server->options.idle_seconds * 1000;

	return is_scarce(server) && idle_ms > SCARCE_MS ? SCARCE_MS : idle_ms;
}

/* For the one that waits longest. */
static void arm(struct http *server)
{
	uint64_t now_ms = loop_now_ms(server->loop);
	uint64_t due_ms;

	if (!server->waiting || server->is_closing) {
		(void)uv_timer_stop(&server->patience);
		return;
	}
	due_ms = server->waiting->since_ms + patience_ms(server);
	(void)uv_timer_start(&server->patience, on_time, due_ms > now_ms ? due_ms - now_ms : 0,
			     0);
}

/* libmicrohttpd is told of no end from here: it hears one on the socket, and if in the middle
 * of a request, believes it a second later. */
static void end_line(struct http_line *line)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(line->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	http_line_busy(line);
	if (info)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
	(void)MHD_set_connection_option(line->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

static void on_time(uv_timer_t *timer)
{
	struct http *server = timer->data;
	uint64_t now_ms = loop_now_ms(server->loop);
	unsigned ended = 0;

	while (server->waiting && now_ms - server->waiting->since_ms >= patience_ms(server)) {
		end_line(server->waiting);
		ended++;
	}
	if (ended > 0) {
		log_debug("http_ended", "connections=%u reason=%s", ended,
			  log_text(is_scarce(server) ? "places are scarce"
						     : "no whole request in time"));
		http_run_soon(server);
	}
	arm(server);
}

void http_line_wait(struct http_line *line)
{
	struct http *server = line ? line->server : NULL;

	if (!line || line->is_waiting)
		return;
	line->is_waiting = true;
	line->since_ms = loop_now_ms(server->loop);
	DL_APPEND(server->waiting, line);
	if (!uv_is_active((uv_handle_t *)&server->patience))
		arm(server);
}

void http_line_busy(struct http_line *line)
{
	if (!line || !line->is_waiting)
		return;
	line->is_waiting = false;
	DL_DELETE(line->server->waiting, line);
}

void http_line_open(struct http *server, struct MHD_Connection *connection, void **context)
{
	struct http_line *line = calloc(1, sizeof(*line));

	*context = line;
	if (!line)
		return; /* it lives by libmicrohttpd's rules alone */
	line->server = server;
	line->connection = connection;
	server->line_count++;
	http_line_wait(line);
	if (is_scarce(server))
		arm(server);
}

void http_line_close(void **context)
{
	struct http_line *line = *context;

	if (!line)
		return;
	http_line_busy(line);
	line->server->line_count--;
	free(line);
	*context = NULL;
}

struct http_line *http_line_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}
