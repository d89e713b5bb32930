/*
 * fos-http: one HTTP request, for FOS's shell scripts.
 *
 *	fos-http REPORT post URL <fields        fields: "name=value" each ended by a NUL byte
 *	fos-http REPORT get URL OFFSET <secrets secrets: "token=..." and "etag=...", likewise
 *
 * The body of a 200 (for a get with an offset: of a 206 that starts there) goes to standard
 * output, anything else about the answer as key=value lines into the file REPORT:
 *
 *	status=206  bytes=1048576  etag="7-1"  retry_after=5  date=784111777  error=...
 *
 * `bytes` counts what standard output has taken, so that an interrupted stream goes on exactly
 * behind it; `date` is the server's clock, in seconds since 1970. Exit status 0: all of the
 * body arrived; 1: wrong usage; 2: the network failed or the body broke off; 3: another status
 * than the wanted one; 4: standard output took no more.
 *
 * It speaks HTTP/1.0 with one request per connection, so bodies are never chunked. Secrets come
 * by standard input because any process may read another's arguments. It takes the place of
 * curl, whose thirty libraries cost 2 s of every boot and 0.2 s of every call in an emulated
 * machine.
 */
#include "head.h"
#include "url.h"
#include "wire.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 300 * 1024 }; /* the inventory's 256 KiB and some small fields */

struct exchange {
	struct wire wire;
	bool is_get;
	int64_t offset;
	struct head head;
	int64_t bytes; /* of the body, taken by standard output */
};

static char input[INPUT_MAX];
static char request[3 * INPUT_MAX + 4096];
static char buffer[256 * 1024];

static bool read_input(size_t *length)
{
	ssize_t got;

	for (*length = 0; *length < sizeof(input); *length += (size_t)got) {
		got = read(STDIN_FILENO, input + *length, sizeof(input) - *length);
		if (got < 0)
			return false;
		if (got == 0)
			return *length == 0 || input[*length - 1] == '\0';
	}
	return false; /* too long */
}

/* The value of a field of the input, or NULL. */
static const char *find_field(size_t length, const char *name)
{
	size_t name_length = strlen(name);

	for (const char *field = input; field < input + length; field += strlen(field) + 1) {
		if (strncmp(field, name, name_length) == 0 && field[name_length] == '=')
			return field + name_length + 1;
	}
	return NULL;
}

static bool make_body(size_t length, char *body, size_t size, size_t *used)
{
	*used = 0;
	for (const char *field = input; field < input + length; field += strlen(field) + 1) {
		if (!url_append_field(field, strlen(field), body, size, used))
			return false;
	}
	return true;
}

static size_t make_get(const struct exchange *exchange, size_t input_length)
{
	const char *token = find_field(input_length, "token");
	const char *etag = find_field(input_length, "etag");
	size_t used = 0;

	if (token != NULL)
		used = (size_t)snprintf(request, sizeof(request),
					"Authorization: Bearer %s\r\n", token);
	if (exchange->offset > 0) {
		used += (size_t)snprintf(request + used, sizeof(request) - used,
					 "Range: bytes=%" PRId64 "-\r\n", exchange->offset);
		if (etag != NULL && *etag != '\0')
			used += (size_t)snprintf(request + used, sizeof(request) - used,
						 "If-Range: %s\r\n", etag);
	}
	return used + (size_t)snprintf(request + used, sizeof(request) - used, "\r\n");
}

/* The request's variable part goes into `request`; the lines before it are written on their
 * own. */
static bool make_request(const struct exchange *exchange, char *start, size_t size,
			 size_t *length)
{
	const struct url *url = &exchange->wire.url;
	size_t input_length, body_length;
	char fields[128] = "";

	if (!read_input(&input_length))
		return false;
	if (exchange->is_get) {
		*length = make_get(exchange, input_length);
	} else {
		if (!make_body(input_length, request, sizeof(request), &body_length))
			return false;
		snprintf(fields, sizeof(fields),
			 "Content-Type: application/x-www-form-urlencoded\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 body_length);
		*length = body_length;
	}
	snprintf(start, size,
		 "%s %s HTTP/1.0\r\nHost: %s%s%s:%s\r\nUser-Agent: rouse-fos\r\n%s",
		 exchange->is_get ? "GET" : "POST", url->path, url->is_ipv6 ? "[" : "",
		 url->host, url->is_ipv6 ? "]" : "", url->port, fields);
	return true;
}

static bool write_all(struct exchange *exchange, size_t length)
{
	ssize_t written;

	for (size_t done = 0; done < length; done += (size_t)written) {
		written = write(STDOUT_FILENO, buffer + done, length - done);
		if (written < 0 && errno != EINTR)
			return false;
		if (written < 0)
			written = 0;
		exchange->bytes += written;
	}
	return true;
}

static int receive_body(struct exchange *exchange, size_t have)
{
	int64_t expected = exchange->head.content_length;
	ssize_t got = (ssize_t)have;

	for (;;) {
		if (expected >= 0 && got > expected - exchange->bytes)
			got = (ssize_t)(expected - exchange->bytes);
		if (!write_all(exchange, (size_t)got))
			return wire_fail(&exchange->wire, EXIT_OUTPUT, "our output: %s",
					 strerror(errno));
		if (exchange->bytes == expected)
			return 0;
		got = wire_receive(&exchange->wire, buffer, sizeof(buffer));
		if (got < 0)
			return wire_fail(&exchange->wire, EXIT_NETWORK,
					 "%s after %" PRId64 " bytes", strerror(errno),
					 exchange->bytes);
		if (got == 0 && expected >= 0)
			return wire_fail(&exchange->wire, EXIT_NETWORK,
					 "broke off after %" PRId64 " of %" PRId64 " bytes",
					 exchange->bytes, expected);
		if (got == 0)
			return 0;
	}
}

/* The first line of a refusal's body says why, often better than the number. */
static int refuse_status(struct exchange *exchange, size_t have)
{
	size_t length = 0;
	ssize_t got = have > 0 ? (ssize_t)have
			       : wire_receive(&exchange->wire, buffer, sizeof(buffer));

	while ((ssize_t)length < got && length < 200 && buffer[length] >= ' ' &&
	       buffer[length] < 0x7f)
		length++;
	return wire_fail(&exchange->wire, EXIT_STATUS, "status %d%s%.*s", exchange->head.status,
			 length > 0 ? ", " : "", (int)length, buffer);
}

static int check_head(struct exchange *exchange, size_t have)
{
	const struct head *head = &exchange->head;

	if (head->status != (exchange->offset > 0 ? 206 : 200))
		return refuse_status(exchange, have);
	if (head->is_encoded)
		return wire_fail(&exchange->wire, EXIT_STATUS,
				 "answered with a transfer encoding");
	if (exchange->offset > 0 && head->range_start != exchange->offset)
		return wire_fail(&exchange->wire, EXIT_STATUS, "answered with another range");
	return 0;
}

static int run(struct exchange *exchange)
{
	char start[2048];
	size_t length, extra = 0;
	int code;

	if (!make_request(exchange, start, sizeof(start), &length))
		return wire_fail(&exchange->wire, EXIT_USAGE,
				 "the fields on standard input are malformed or too long");
	if ((code = wire_open(&exchange->wire)) != 0 ||
	    (code = wire_send(&exchange->wire, start, strlen(start))) != 0 ||
	    (code = wire_send(&exchange->wire, request, length)) != 0 ||
	    (code = wire_receive_head(&exchange->wire, buffer, sizeof(buffer), &exchange->head,
				      &extra)) != 0 ||
	    (code = check_head(exchange, extra)) != 0)
		return code;
	return receive_body(exchange, extra);
}

static bool write_report(const char *path, const struct exchange *exchange)
{
	FILE *file = fopen(path, "w");
	bool failed;

	if (file == NULL)
		return false;
	fprintf(file, "status=%d\nbytes=%" PRId64 "\n", exchange->head.status, exchange->bytes);
	if (exchange->head.etag[0] != '\0')
		fprintf(file, "etag=%s\n", exchange->head.etag);
	if (exchange->head.retry_after_seconds >= 0)
		fprintf(file, "retry_after=%d\n", exchange->head.retry_after_seconds);
	if (exchange->head.date_seconds >= 0)
		fprintf(file, "date=%" PRId64 "\n", exchange->head.date_seconds);
	if (exchange->wire.error[0] != '\0')
		fprintf(file, "error=%s\n", exchange->wire.error);
	failed = ferror(file) != 0;
	return fclose(file) == 0 && !failed;
}

int main(int argc, char **argv)
{
	static struct exchange exchange;
	bool is_get = argc == 5 && strcmp(argv[2], "get") == 0;
	bool is_post = argc == 4 && strcmp(argv[2], "post") == 0;
	char *end = NULL;
	int code;

	signal(SIGPIPE, SIG_IGN);
	exchange.head.retry_after_seconds = -1;
	exchange.head.date_seconds = -1;
	if (is_get)
		exchange.offset = strtoll(argv[4], &end, 10);
	if ((!is_get && !is_post) || (is_get && (*end != '\0' || exchange.offset < 0))) {
		fputs("usage: fos-http REPORT post URL | fos-http REPORT get URL OFFSET\n",
		      stderr);
		return EXIT_USAGE;
	}
	exchange.is_get = is_get;
	if (url_parse(argv[3], &exchange.wire.url))
		code = run(&exchange);
	else
		code = wire_fail(&exchange.wire, EXIT_USAGE, "%s is no http URL", argv[3]);
	if (!write_report(argv[1], &exchange)) {
		fprintf(stderr, "fos-http: cannot write %s: %s\n", argv[1], strerror(errno));
		return EXIT_USAGE;
	}
	return code;
}
