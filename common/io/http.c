/*
 * The server: libmicrohttpd driven by the loop. It keeps its sockets in an epoll descriptor of
 * its own, which is one more readable descriptor to libuv.
 */
#include "io/http.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http_internal.h"
#include "io/log.h"

#define CONNECTIONS_MAX 1024
#define IDLE_SECONDS 60
#define BODY_MAX ((size_t)64 * 1024)
/*
 * Headers, one piece of a body and libmicrohttpd's own notes of HTTP_FIELDS_MAX fields: 4 KiB
 * would refuse a browser's headers. All of it is cleared after each request, and a processor's
 * nearest cache holds little more: with 24 KiB a boot script takes 7 % longer.
 */
#define CONNECTION_MEMORY ((size_t)16 * 1024)
/* Turns that the last answers get to leave when the server closes. */
#define CLOSING_RUNS 16

/*
 * Sockets are edge-triggered inside libmicrohttpd: after every run its time-out must be asked
 * for and obeyed, or a connection stands still.
 */
static void run(struct http *server);

static void on_time(uv_timer_t *timer)
{
	run(timer->data);
}

static void run(struct http *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
	enum MHD_Result has_timeout;

	server->is_running = true;
	(void)MHD_run(server->daemon);
	has_timeout = MHD_get_timeout(server->daemon, &timeout_ms);
	if (has_timeout == MHD_NO) {
		/*
		 * Connections that expired in this run were cleaned up after the listening
		 * socket had been looked at: at the connection limit nobody would ever be
		 * accepted again. A second run looks at it once more.
		 */
		(void)MHD_run(server->daemon);
		has_timeout = MHD_get_timeout(server->daemon, &timeout_ms);
	}
	server->is_running = false;
	if (has_timeout == MHD_NO)
		(void)uv_timer_stop(&server->timer);
	else
		(void)uv_timer_start(&server->timer, on_time, timeout_ms, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

void http_run_soon(struct http *server)
{
	/* within a run, libmicrohttpd says by its time-out that there is more to do */
	if (!server->is_running && !server->is_closing)
		(void)uv_timer_start(&server->timer, on_time, 0, 0);
}

static void on_deadline(uv_timer_t *timer)
{
	struct http *server = timer->data;

	http_abandon_parked(server, loop_now_ms(server->loop));
	http_arm_deadline(server);
}

void http_arm_deadline(struct http *server)
{
	uint64_t earliest = UINT64_MAX;
	uint64_t now_ms = loop_now_ms(server->loop);

	for (struct http_request *it = server->parked; it; it = it->next) {
		if (it->deadline_ms < earliest)
			earliest = it->deadline_ms;
	}
	if (server->is_closing || !server->parked)
		(void)uv_timer_stop(&server->deadline);
	else
		(void)uv_timer_start(&server->deadline, on_deadline,
				     earliest > now_ms ? earliest - now_ms : 0, 0);
}

/* libmicrohttpd calls this with the raw target before it has read the headers. */
static void *on_target(void *data, const char *target, struct MHD_Connection *connection)
{
	return http_request_new(data, connection, target);
}

static enum MHD_Result on_access(void *data, struct MHD_Connection *connection, const char *url,
				 const char *method, const char *version, const char *upload,
				 size_t *upload_size, void **context)
{
	struct http_request *request = *context;

	(void)data;
	(void)connection;
	(void)url;
	(void)version;
	if (!request) {
		log_error("http_refused", "reason=\"out of memory\"");
		return MHD_NO;
	}
	return http_request_advance(request, method, upload, upload_size) ? MHD_YES : MHD_NO;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct http *server = data;
	struct http_request *request = *context;
	bool is_sent = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;

	(void)connection;
	if (!request)
		return;
	if (request->is_delivered && server->options.on_done)
		server->options.on_done(server->options.data, request,
					is_sent ? request->status : 0,
					is_sent ? request->response_length : 0);
	http_request_free(request);
	*context = NULL;
}

static void on_message(void *data, const char *format, va_list arguments)
{
	char line[256];

	(void)data;
	(void)vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http_library", "message=%s", log_text(line));
}

static int listen_on(const struct http_options *options)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(options->port),
				      .sin_addr = options->address};
	int opened = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	int saved;

	if (opened < 0)
		return -1;
	if (setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (!options->reuse_port ||
	     setsockopt(opened, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
	    bind(opened, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(opened, SOMAXCONN) == 0)
		return opened;
	saved = errno;
	(void)close(opened);
	errno = saved;
	return -1;
}

/* The loop ignores SIGPIPE; unless libmicrohttpd is told so, it never uses sendfile. */
static struct MHD_Daemon *start_daemon(struct http *server, int listening)
{
	const struct http_options *options = &server->options;

	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			MHD_USE_SUPPRESS_DATE_NO_CLOCK,
		0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
		MHD_OPTION_CONNECTION_TIMEOUT, options->idle_seconds,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, server, MHD_OPTION_END);
}

static enum err start(struct http *server)
{
	int listening = server->options.activated;
	const union MHD_DaemonInfo *info;

	if (listening == 0)
		listening = listen_on(&server->options);
	if (listening < 0)
		return ERR_SYSTEM;
	server->daemon = start_daemon(server, listening);
	if (!server->daemon) {
		int saved = errno;

		if (server->options.activated == 0)
			(void)close(listening);
		errno = saved;
		return ERR_SYSTEM;
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (uv_poll_init(&server->loop->uv, &server->poll, info->epoll_fd) == 0)
		return ERR_OK;
	MHD_stop_daemon(server->daemon);
	return ERR_SYSTEM;
}

static void set_defaults(struct http_options *options)
{
	if (options->connections_max == 0)
		options->connections_max = CONNECTIONS_MAX;
	if (options->idle_seconds == 0)
		options->idle_seconds = IDLE_SECONDS;
	if (options->body_max == 0)
		options->body_max = BODY_MAX;
}

enum err http_open(struct loop *loop, const struct http_options *options,
		   struct http **ret_server)
{
	struct http *server = calloc(1, sizeof(*server));
	enum err err;

	if (!server)
		return ERR_MEMORY;
	server->loop = loop;
	server->options = *options;
	set_defaults(&server->options);
	err = start(server);
	if (err != ERR_OK) {
		int saved = errno;

		free(server);
		errno = saved;
		return err;
	}
	(void)uv_timer_init(&loop->uv, &server->timer);
	(void)uv_timer_init(&loop->uv, &server->deadline);
	server->open_handles = 3;
	server->poll.data = server->timer.data = server->deadline.data = server;
	(void)uv_poll_start(&server->poll, UV_READABLE, on_readable);
	run(server);
	*ret_server = server;
	return ERR_OK;
}

uint16_t http_port(const struct http *server)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD);
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	if (getsockname(info->listen_fd, (struct sockaddr *)&address, &length) < 0)
		return 0;
	return ntohs(address.sin_port);
}

static void on_closed(uv_handle_t *handle)
{
	struct http *server = handle->data;

	if (--server->open_handles == 0)
		free(server);
}

void http_close(struct http *server)
{
	if (!server || server->is_closing)
		return;
	assert(!server->is_running); /* not from within on_request */
	server->is_closing = true;
	/* libmicrohttpd must not be stopped while a connection is suspended */
	http_abandon_parked(server, UINT64_MAX);
	for (int i = 0; i < CLOSING_RUNS; i++)
		(void)MHD_run(server->daemon);
	uv_close((uv_handle_t *)&server->poll, on_closed);
	uv_close((uv_handle_t *)&server->timer, on_closed);
	uv_close((uv_handle_t *)&server->deadline, on_closed);
	MHD_stop_daemon(server->daemon);
}
