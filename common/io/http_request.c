/* One request: its target, headers, body and fields, until it is whole and the handler sees it.
 */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "io/http_internal.h"
#include "io/log.h"

/* Of a body that is too large, so much is read on to be able to answer 413 in peace. */
#define EXCESS_READ ((size_t)1024 * 1024)

struct http_request *http_request_new(struct http *server, struct MHD_Connection *connection,
				      const char *target)
{
	size_t size = strlen(target) + 1;
	struct http_request *request = malloc(sizeof(*request) + size);

	if (!request)
		return NULL;
	*request = (struct http_request){.server = server,
					 .connection = connection,
					 .line = http_line_of(connection),
					 .path = "",
					 .query = ""};
	memcpy(request->target, target, size);
	return request;
}

void http_request_free(struct http_request *request)
{
	if (request->response)
		MHD_destroy_response(request->response);
	free(request->body);
	free(request->fields);
	free(request);
}

bool http_refuse(struct http_request *request, unsigned status, const char *reason)
{
	char body[256];
	int length = snprintf(body, sizeof(body), "%s\n", reason);

	log_debug("http_refused", "status=%u reason=%s", status, log_text(reason));
	http_answer_text(request, status, "text/plain; charset=utf-8", body, (size_t)length,
			 NULL);
	return http_queue_answer(request);
}

/* What the headers say that has to be known before anything else is read. */
struct heads {
	unsigned hosts, lengths, encodings;
	bool is_malformed, is_chunked, expects_more;
	uint64_t length;
};

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool is_word = (name[i] >= 'a' && name[i] <= 'z') ||
			       (name[i] >= 'A' && name[i] <= 'Z') ||
			       (name[i] >= '0' && name[i] <= '9');

		if (name[i] == '\0' || (!is_word && !strchr("!#$%&'*+-.^_`|~", name[i])))
			return false;
	}
	return length > 0;
}

static enum MHD_Result look_at_header(void *data, enum MHD_ValueKind kind, const char *name,
				      size_t name_length, const char *value, size_t length)
{
	struct heads *heads = data;

	(void)kind;
	(void)length;
	if (!is_token(name, name_length))
		heads->is_malformed = true;
	else if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0)
		heads->hosts++;
	else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0)
		heads->expects_more |= !value || strcasecmp(value, "100-continue") != 0;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		heads->lengths++;
		/* libmicrohttpd has refused what is no number */
		heads->length = strtoull(value ? value : "", NULL, 10);
	} else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		heads->encodings++;
		heads->is_chunked = value && strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

/*
 * What is wrong with the headers, or 0. A request whose end or whose host can be read in two
 * ways would be cut in two by one reader and taken whole by another (RFC 9112 sections 3.2, 5.1
 * and 6.3). libmicrohttpd lets most of it pass.
 */
static unsigned judge_heads(const struct heads *heads, const char *version,
			    const char **ret_reason)
{
	bool is_1_0 = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;

	*ret_reason = "a header's name holds what it may not, or a blank before its colon";
	if (heads->is_malformed)
		return 400;
	/* one that is missing libmicrohttpd has refused */
	*ret_reason = "the host is told twice: send one Host";
	if (heads->hosts > 1)
		return 400;
	*ret_reason = "the length of the body is told twice: send either one Content-Length "
		      "or Transfer-Encoding: chunked";
	if (heads->lengths + heads->encodings > 1)
		return 400;
	*ret_reason = "unknown Transfer-Encoding: only chunked is understood";
	if (heads->encodings > 0 && !heads->is_chunked)
		return 501;
	*ret_reason = "what is expected is not known: only 100-continue is";
	return heads->expects_more && !is_1_0 ? 417 : 0;
}

/* The headers are there: whether to go on. An answer at this place ends the connection. */
static bool begin(struct http_request *request, const char *method, const char *version)
{
	struct heads heads = {0};
	const struct http_options *options = &request->server->options;
	size_t most = options->body_max + EXCESS_READ;
	const char *reason;
	unsigned status;

	request->is_known = true;
	(void)snprintf(request->method, sizeof(request->method), "%s", method);
	(void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, look_at_header,
					  &heads);
	status = judge_heads(&heads, version, &reason);
	if (status != 0)
		return http_refuse(request, status, reason);
	if (strlen(method) >= sizeof(request->method))
		return http_refuse(request, 501, "unknown method");
	if (strcmp(method, "PUT") == 0 && options->on_head) {
		/* judged before there is a handler, which would answer it, too */
		most = options->upload_max;
		if (heads.length <= most)
			return http_begin_upload(request);
	}
	if (heads.length > most)
		return http_refuse(request, 413, "the body is too large");
	return true;
}

static bool grow_body(struct http_request *request, size_t needed)
{
	size_t size = request->body_size ? request->body_size : 1024;
	char *body;

	while (size < needed)
		size *= 2;
	if (size == request->body_size)
		return true;
	body = realloc(request->body, size);
	if (!body)
		return false;
	request->body = body;
	request->body_size = size;
	return true;
}

static bool add_to_body(struct http_request *request, const char *upload, size_t length)
{
	size_t most = request->server->options.body_max;

	request->body_seen += length;
	if (request->body_seen > most)
		return request->body_seen <= most + EXCESS_READ; /* read on, answer 413 */
	/* one octet more than the text: the form parser ends its last field there */
	if (!grow_body(request, request->body_length + length + 1))
		return false;
	memcpy(request->body + request->body_length, upload, length);
	request->body_length += length;
	request->body[request->body_length] = '\0';
	return true;
}

static void add_field(void *data, const char *name, const char *value)
{
	struct http_request *request = data;

	if (request->field_count == request->field_size) {
		size_t size = request->field_size ? request->field_size * 2 : 16;
		struct http_field *fields =
			realloc(request->fields, size * sizeof(request->fields[0]));

		if (!fields) {
			request->is_out_of_memory = true;
			return;
		}
		request->fields = fields;
		request->field_size = size;
	}
	request->fields[request->field_count++] = (struct http_field){name, value};
}

static bool is_form(const struct http_request *request)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = http_get_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);

	return type && strncasecmp(type, form, sizeof(form) - 1) == 0 &&
	       strchr("; \t", type[sizeof(form) - 1]);
}

static unsigned judge_fields(enum err err, const char **ret_reason)
{
	*ret_reason = "too many fields";
	if (err == ERR_RANGE)
		return 400;
	*ret_reason = "out of memory";
	if (err == ERR_MEMORY)
		return 500;
	*ret_reason = "a field is malformed: a broken %-escape, a NUL byte or no name";
	return err == ERR_OK ? 0 : 400;
}

static enum err parse_fields(struct http_request *request, char *text, size_t length)
{
	enum err err = http_parse_form(text, length, HTTP_FIELDS_MAX - request->field_count,
				       add_field, request);

	return request->is_out_of_memory ? ERR_MEMORY : err;
}

unsigned http_judge_target(struct http_request *request, const char **ret_reason)
{
	*ret_reason = "the path is malformed: a broken %-escape, or no leading /";
	if (http_split_target(request->target, &request->path, &request->query) != ERR_OK)
		return 400;
	return judge_fields(parse_fields(request, request->query, strlen(request->query)),
			    ret_reason);
}

/* The request is whole: tells what is wrong with it, or 0. */
static unsigned judge(struct http_request *request, const char **ret_reason)
{
	unsigned status = request->is_judged ? 0 : http_judge_target(request, ret_reason);

	if (status != 0)
		return status;
	*ret_reason = "the body is too large";
	if (request->body_seen > request->server->options.body_max)
		return 413;
	*ret_reason = "the body must be application/x-www-form-urlencoded";
	if (request->body_length > 0 && !is_form(request))
		return 415;
	if (request->body_length == 0)
		return 0;
	return judge_fields(parse_fields(request, request->body, request->body_length),
			    ret_reason);
}

static bool deliver(struct http_request *request)
{
	struct http *server = request->server;

	request->state = HTTP_ASKED;
	request->is_delivered = true;
	http_line_busy(request->line);
	server->options.on_request(server->options.data, request);
	if (request->state == HTTP_PARKED) {
		request->is_suspended = true;
		MHD_suspend_connection(request->connection);
		return true;
	}
	if (request->state == HTTP_ASKED) {
		log_error("http_unanswered", "path=%s", log_text(request->path));
		return http_refuse(request, 500, "the server has no answer to this");
	}
	return http_queue_answer(request);
}

bool http_request_advance(struct http_request *request, const char *method, const char *version,
			  const char *upload, size_t *upload_size)
{
	const char *reason;
	unsigned status;

	/* No answer yet, if it can be helped: libmicrohttpd would close the connection. */
	if (!request->is_known)
		return begin(request, method, version);
	if (request->is_dropped)
		return false;
	if (request->is_upload && *upload_size > 0)
		return http_take_piece(request, upload, upload_size);
	if (request->state == HTTP_ANSWERED)
		return http_queue_answer(request);
	if (*upload_size > 0) {
		size_t length = *upload_size;

		*upload_size = 0;
		return add_to_body(request, upload, length);
	}
	if (request->state != HTTP_READING)
		return true; /* parked: the answer comes later */
	if (request->is_upload)
		return deliver(request);
	status = judge(request, &reason);
	return status ? http_refuse(request, status, reason) : deliver(request);
}

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

struct ip http_peer(const struct http_request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	uint16_t port;

	if (!info || !info->client_addr)
		return (struct ip){{0}};
	return http_read_address(info->client_addr, &port);
}

struct ip http_local(const struct http_request *request, uint16_t *ret_port)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return http_socket_address(info ? info->connect_fd : -1, ret_port);
}

bool http_is_tls(const struct http_request *request)
{
	return request->server->is_tls;
}

const char *http_get_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

size_t http_field_count(const struct http_request *request)
{
	return request->field_count;
}

const char *http_field_name(const struct http_request *request, size_t position)
{
	return position < request->field_count ? request->fields[position].name : NULL;
}

const char *http_field_value(const struct http_request *request, size_t position)
{
	return position < request->field_count ? request->fields[position].value : NULL;
}

const char *http_field(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->field_count; i++) {
		if (strcmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	}
	return NULL;
}

bool http_field_is_repeated(const struct http_request *request, size_t position)
{
	return http_field(request, request->fields[position].name) !=
	       request->fields[position].value;
}

void http_set_data(struct http_request *request, void *data)
{
	request->data = data;
}

void *http_get_data(const struct http_request *request)
{
	return request->data;
}
