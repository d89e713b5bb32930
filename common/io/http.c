/*
 * The server: libmicrohttpd driven by the loop. It keeps its sockets in an epoll descriptor of
 * its own, which is one more readable descriptor to libuv.
 */
#include "io/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
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
#define UPLOAD_MAX ((size_t)64 * 1024 * 1024)
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
static void close_one(struct http *server);

/* An older one that has served its last connection ends. */
static void end_when_served(struct http *server)
{
	const union MHD_DaemonInfo *info;

	if (!server->newer || server->is_closing)
		return;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
	if (info->num_connections == 0)
		close_one(server);
}

static void on_time(uv_timer_t *timer)
{
	run(timer->data);
}

static void run(struct http *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
	enum MHD_Result has_timeout;

	server->is_running = true;
	log_hold(); /* a line for each of the many that are answered in one run */
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
	log_release();
	if (has_timeout == MHD_NO)
		(void)uv_timer_stop(&server->timer);
	else
		(void)uv_timer_start(&server->timer, on_time, timeout_ms, 0);
	end_when_served(server);
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
	if (!request) {
		log_error("http_refused", "reason=\"out of memory\"");
		return MHD_NO;
	}
	return http_request_advance(request, method, version, upload, upload_size) ? MHD_YES
										   : MHD_NO;
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
	if ((request->is_delivered || request->is_upload) && server->options.on_done)
		server->options.on_done(server->options.data, request,
					is_sent ? request->status : 0,
					is_sent ? request->response_length : 0);
	http_line_busy(request->line); /* one that was refused has waited until now */
	http_line_wait(request->line);
	http_request_free(request);
	*context = NULL;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		http_line_open(data, connection, context);
	else
		http_line_close(context);
}

static void on_message(void *data, const char *format, va_list arguments)
{
	struct http *server = data;

	(void)vsnprintf(server->said, sizeof(server->said), format, arguments);
	server->said[strcspn(server->said, "\n")] = '\0';
	log_debug("http_library", "message=%s", log_text(server->said));
}

/* The loop ignores SIGPIPE; unless libmicrohttpd is told so, it never uses sendfile. */
static struct MHD_Daemon *start_daemon(struct http *server, int listening)
{
	const struct http_options *options = &server->options;
	const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	/* 1.2 is what firmware and iPXE know; what is older is broken */
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
		 (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 MHD_USE_SUPPRESS_DATE_NO_CLOCK;

	if (options->certificate)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_message,
		server, MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
		MHD_OPTION_CONNECTION_TIMEOUT, options->idle_seconds,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_ARRAY, options->certificate ? tls : plain, MHD_OPTION_END);
}

/* libmicrohttpd closes its socket when it cannot start, too: so it gets one of its own. */
static enum err open_daemon(struct http *server, int listening)
{
	bool is_tls = server->options.certificate != NULL;
	int own;

	if (is_tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
		log_error("no_tls", "reason=%s remedy=%s",
			  log_text("this libmicrohttpd was built without TLS"),
			  log_text("install one with GnuTLS, as Debian's is, or take "
				   "tls_certificate out of the configuration"));
		return ERR_REFUSED;
	}
	own = fcntl(listening, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return ERR_SYSTEM;
	server->daemon = start_daemon(server, own);
	if (server->daemon)
		return ERR_OK;
	if (!is_tls)
		return ERR_SYSTEM;
	/* what else may fail does so without TLS, too, and plain HTTP was opened before */
	log_error("no_tls", "reason=%s remedy=%s",
		  log_text(server->said[0] ? server->said : strerror(errno)),
		  log_text("see whether tls_key is the key of tls_certificate, both in PEM: "
			   "openssl x509 -pubkey, openssl pkey -pubout"));
	return ERR_REFUSED;
}

static enum err start(struct http *server)
{
	int listening = server->options.activated;
	const union MHD_DaemonInfo *info;
	enum err err;
	int saved;

	if (listening == 0)
		listening = http_listen(&server->options);
	if (listening < 0)
		return ERR_SYSTEM;
	err = open_daemon(server, listening);
	if (err == ERR_OK) {
		info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
		if (uv_poll_init(&server->loop->uv, &server->poll, info->epoll_fd) != 0) {
			MHD_stop_daemon(server->daemon);
			err = ERR_SYSTEM;
		}
	}
	saved = errno;
	if (server->options.activated == 0)
		(void)close(listening);
	errno = saved;
	return err;
}

static void set_defaults(struct http_options *options)
{
	if (options->connections_max == 0)
		options->connections_max = CONNECTIONS_MAX;
	if (options->idle_seconds == 0)
		options->idle_seconds = IDLE_SECONDS;
	if (options->body_max == 0)
		options->body_max = BODY_MAX;
	if (options->upload_max == 0)
		options->upload_max = UPLOAD_MAX;
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
	server->is_tls = options->certificate != NULL;
	err = start(server);
	/* they are the caller's, and libmicrohttpd has taken what it needs */
	server->options.certificate = server->options.key = NULL;
	if (err != ERR_OK) {
		int saved = errno;

		free(server);
		errno = saved;
		return err;
	}
	(void)uv_timer_init(&loop->uv, &server->timer);
	(void)uv_timer_init(&loop->uv, &server->deadline);
	(void)uv_timer_init(&loop->uv, &server->patience);
	server->open_handles = 4;
	server->poll.data = server->timer.data = server->deadline.data = server;
	server->patience.data = server;
	(void)uv_poll_start(&server->poll, UV_READABLE, on_readable);
	run(server);
	*ret_server = server;
	return ERR_OK;
}

static int listening_of(const struct http *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
}

enum err http_renew(struct http **server, const char *certificate, const char *key)
{
	struct http *older = *server;
	struct http_options options = older->options;
	enum err err;

	/* libmicrohttpd reads a certificate once; two of its servers can share a socket */
	options.activated = fcntl(listening_of(older), F_DUPFD_CLOEXEC, 0);
	if (options.activated < 0)
		return ERR_SYSTEM;
	options.certificate = certificate;
	options.key = key;
	err = http_open(older->loop, &options, server);
	(void)close(options.activated);
	if (err != ERR_OK)
		return err;
	(void)close(MHD_quiesce_daemon(older->daemon));
	older->newer = *server;
	(*server)->older = older;
	http_run_soon(older);
	return ERR_OK;
}

uint16_t http_port(const struct http *server)
{
	uint16_t port;

	(void)http_socket_address(listening_of(server), &port);
	return port;
}

static void on_closed(uv_handle_t *handle)
{
	struct http *server = handle->data;

	if (--server->open_handles == 0)
		free(server);
}

static void leave_chain(struct http *server)
{
	if (server->older)
		server->older->newer = server->newer;
	if (server->newer)
		server->newer->older = server->older;
}

static void close_one(struct http *server)
{
	assert(!server->is_running); /* not from within on_request */
	server->is_closing = true;
	leave_chain(server);
	/* libmicrohttpd must not be stopped while a connection is suspended */
	http_abandon_parked(server, UINT64_MAX);
	http_drop_resting(server);
	for (int i = 0; i < CLOSING_RUNS; i++)
		(void)MHD_run(server->daemon);
	uv_close((uv_handle_t *)&server->poll, on_closed);
	uv_close((uv_handle_t *)&server->timer, on_closed);
	uv_close((uv_handle_t *)&server->deadline, on_closed);
	uv_close((uv_handle_t *)&server->patience, on_closed);
	MHD_stop_daemon(server->daemon);
}

void http_close(struct http *server)
{
	if (!server || server->is_closing)
		return;
	while (server->older)
		close_one(server->older);
	close_one(server);
}
