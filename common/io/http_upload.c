/* Uploads: bodies that go to their handler piece by piece, at the pace that it can take. */
#include <microhttpd.h>
#include <utlist.h>

#include "io/http_internal.h"

bool http_begin_upload(struct http_request *request)
{
	struct http *server = request->server;
	const char *reason;
	unsigned status = http_judge_target(request, &reason);

	if (status != 0)
		return http_refuse(request, status, reason);
	request->is_judged = true;
	request->is_upload = server->options.on_head(server->options.data, request);
	if (request->is_upload) /* it may last; libmicrohttpd sees whether it goes on */
		http_line_busy(request->line);
	/* no answer now, even if there is one: libmicrohttpd would close the connection under a
	 * client that still sends, and the reset would overtake the answer */
	return true;
}

static void rest(struct http_request *request)
{
	request->is_resting = true;
	DL_APPEND(request->server->resting, request);
	MHD_suspend_connection(request->connection);
}

bool http_take_piece(struct http_request *request, const char *octets, size_t *length)
{
	struct http *server = request->server;
	size_t taken;

	if (request->is_dropped)
		return false;
	if (request->state == HTTP_ANSWERED) { /* refused in mid-body: the rest is of no use */
		taken = *length;
		http_line_wait(request->line); /* and has the time that any request has */
	} else {
		taken = server->options.on_body(server->options.data, request, octets, *length);
		if (taken < *length && request->state == HTTP_READING && !request->is_dropped)
			rest(request);
	}
	request->body_seen += taken;
	*length -= taken;
	/* one without Content-Length has shown its size only now */
	return !request->is_dropped && request->body_seen <= server->options.upload_max;
}

void http_resume(struct http_request *request)
{
	if (!request->is_resting)
		return;
	request->is_resting = false;
	DL_DELETE(request->server->resting, request);
	MHD_resume_connection(request->connection);
	http_run_soon(request->server);
}

void http_drop(struct http_request *request)
{
	request->is_dropped = true;
	http_resume(request);
}

void http_drop_resting(struct http *server)
{
	struct http_request *request;
	struct http_request *next;

	DL_FOREACH_SAFE(server->resting, request, next)
	{
		http_drop(request);
	}
}
