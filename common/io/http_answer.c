/* Answers: made at once or later, given to libmicrohttpd when it asks for them. */
#include <assert.h>
#include <microhttpd.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "core/http_date.h"
#include "io/http_internal.h"
#include "io/log.h"

#define RETRY_AFTER_SECONDS "2"

bool http_queue_answer(struct http_request *request)
{
	if (!request->response)
		return false;
	if (request->is_queued)
		return true;
	request->is_queued = true;
	return MHD_queue_response(request->connection, request->status, request->response) ==
	       MHD_YES;
}

static const char *date_now(struct http *server)
{
	time_t now = time(NULL);

	if (now != server->dated)
		(void)http_date_format(now, server->date);
	server->dated = now;
	return server->date;
}

static bool add_headers(struct http *server, struct MHD_Response *response, const char *type,
			const struct http_header *headers)
{
	bool is_good = MHD_add_response_header(response, MHD_HTTP_HEADER_DATE,
					       date_now(server)) == MHD_YES;

	if (is_good && type)
		is_good = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
						  type) == MHD_YES;
	/* nothing more is asked of one that is to end */
	if (is_good && server->newer)
		is_good = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
						  "close") == MHD_YES;
	for (; is_good && headers && headers->name; headers++)
		is_good = MHD_add_response_header(response, headers->name, headers->value) ==
			  MHD_YES;
	return is_good;
}

/* Keeps the answer, and wakes the connection when it was parked. `response` may be NULL. */
static void set_answer(struct http_request *request, unsigned status, uint64_t length,
		       struct MHD_Response *response)
{
	bool was_parked = request->state == HTTP_PARKED;

	assert(request->state != HTTP_ANSWERED);
	if (!response)
		log_error("http_answer_failed", "path=%s status=%u", log_text(request->path),
			  status);
	request->state = HTTP_ANSWERED;
	request->response = response;
	request->status = status;
	request->response_length =
		status == 304 || strcmp(request->method, "HEAD") == 0 ? 0 : length;
	if (!was_parked) {
		http_resume(request); /* an upload that is refused in mid-body */
		return;
	}
	DL_DELETE(request->server->parked, request);
	http_arm_deadline(request->server);
	/* not suspended: parked and answered within one call of the handler */
	if (!request->is_suspended)
		return;
	request->is_suspended = false;
	MHD_resume_connection(request->connection);
	http_run_soon(request->server);
}

void http_answer_text(struct http_request *request, unsigned status, const char *type,
		      const char *body, size_t length, const struct http_header *headers)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length, (void *)body, MHD_RESPMEM_MUST_COPY);

	if (response && !add_headers(request->server, response, type, headers)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	set_answer(request, status, length, response);
}

void http_answer_file(struct http_request *request, unsigned status, const char *type, int file,
		      uint64_t offset, uint64_t length, const struct http_header *headers)
{
	struct MHD_Response *response =
		MHD_create_response_from_fd_at_offset64(length, file, offset);

	if (!response)
		(void)close(file);
	if (response && !add_headers(request->server, response, type, headers)) {
		MHD_destroy_response(response); /* closes the file too */
		response = NULL;
	}
	set_answer(request, status, length, response);
}

void http_park(struct http_request *request, uint64_t deadline_ms,
	       void (*on_abandon)(void *data, struct http_request *request))
{
	struct http *server = request->server;

	assert(request->state == HTTP_ASKED);
	request->state = HTTP_PARKED;
	request->deadline_ms = loop_now_ms(server->loop) + deadline_ms;
	request->on_abandon = on_abandon;
	DL_APPEND(server->parked, request);
	http_arm_deadline(server);
}

static void abandon(struct http_request *request)
{
	static const char body[] = "the answer takes too long: please ask again\n";
	static const struct http_header headers[] = {
		{MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER_SECONDS}, {NULL, NULL}};
	struct http *server = request->server;

	/* first the handler forgets it, so that nobody answers twice */
	if (request->on_abandon)
		request->on_abandon(server->options.data, request);
	http_answer_text(request, 503, "text/plain; charset=utf-8", body, sizeof(body) - 1,
			 headers);
}

void http_abandon_parked(struct http *server, uint64_t now_ms)
{
	struct http_request *request;
	struct http_request *next;

	DL_FOREACH_SAFE(server->parked, request, next)
	{
		if (request->deadline_ms <= now_ms)
			abandon(request);
	}
}
