/*
 * fos-get: fetches a part of an image from menud to standard output, however long that takes,
 * and hashes it on the way.
 *
 *	fos-get DIR URL SIZE | zstd -dc | ...
 *
 * DIR/token holds the bearer token. After a cut, or a menud that was started anew, it goes on
 * at the octet where the stream stopped (Range with If-Range: of the same version). It gives up
 * when for 120 s not one octet came although menud answered the agent's progress reports
 * (transfer/stall.h).
 *
 * DIR/fetch.report gets key=value lines: bytes (taken by standard output), sha256 (when all
 * SIZE are), reason (a reason code) and error (in words). Exit status 0: all is written; 1:
 * wrong usage; 2: given up; 3: the server has something else, or refuses; 4: standard output
 * took no more.
 *
 * One process fetches and hashes: each further one in the pipe would copy every octet twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../http/head.h"
#include "../http/url.h"
#include "../http/wire.h"
#include "../transfer/stall.h"

enum { CHUNK = 1 << 20 };

struct fetch {
	struct wire wire;
	char token[128];
	char etag[128]; /* of the first answer: what follows is of the same version */
	int64_t size;
	int64_t bytes; /* taken by standard output */
	struct sha256_ctx hash;
	struct head head; /* of the last answer; status 0: none came */
	const char *reason;
	struct stall stall;
};

static char chunk[CHUNK];

static int fail(struct fetch *fetch, const char *reason, const char *words)
{
	fetch->reason = reason;
	return wire_fail(&fetch->wire, EXIT_STATUS, "%s", words);
}

static int ask(struct fetch *fetch, size_t *ret_extra)
{
	struct wire *wire = &fetch->wire;
	const struct url *url = &wire->url;
	char request[2048];
	char range[256] = "";
	int code, length;

	fetch->head = (struct head){.retry_after_seconds = -1};
	if (fetch->bytes > 0)
		snprintf(range, sizeof(range), "Range: bytes=%" PRId64 "-\r\n%s%s%s",
			 fetch->bytes, fetch->etag[0] != '\0' ? "If-Range: " : "", fetch->etag,
			 fetch->etag[0] != '\0' ? "\r\n" : "");
	length = snprintf(request, sizeof(request),
			  "GET %s HTTP/1.0\r\nHost: %s%s%s:%s\r\nUser-Agent: rouse-fos\r\n"
			  "Authorization: Bearer %s\r\n%s\r\n",
			  url->path, url->is_ipv6 ? "[" : "", url->host,
			  url->is_ipv6 ? "]" : "", url->port, fetch->token, range);
	code = wire_open(wire);
	if (code == 0)
		code = wire_send(wire, request, (size_t)length);
	if (code == 0)
		code = wire_receive_head(wire, chunk, sizeof(chunk), &fetch->head, ret_extra);
	return code;
}

/* The first line of a refusal's body says why, often better than the number. */
static int refuse(struct fetch *fetch, size_t extra)
{
	int status = fetch->head.status;
	int words = 0;

	while (words < 200 && (size_t)words < extra && chunk[words] >= ' ' &&
	       chunk[words] < 0x7f)
		words++;
	fetch->reason = status == 404 ? "image_missing" : "client_error";
	return wire_fail(&fetch->wire, EXIT_STATUS, "status %d%s%.*s", status,
			 words > 0 ? ", " : "", words, chunk);
}

static int check_head(struct fetch *fetch, size_t extra)
{
	const struct head *head = &fetch->head;

	if (head->status == 408 || head->status == 429 || head->status >= 500) {
		(void)refuse(fetch, extra);
		return EXIT_NETWORK;
	}
	if (fetch->bytes > 0 && (head->status == 200 || head->status == 416 ||
				 (head->status == 206 && head->range_start != fetch->bytes)))
		return fail(fetch, "hash_mismatch", "the image changed while it was fetched");
	if (head->status != (fetch->bytes > 0 ? 206 : 200))
		return refuse(fetch, extra);
	if (head->is_encoded || head->content_length < 0)
		return fail(fetch, "client_error", "answered without a length");
	if (fetch->bytes + head->content_length == fetch->size)
		return 0;
	fetch->reason = "hash_mismatch";
	return wire_fail(&fetch->wire, EXIT_STATUS,
			 "the part has %" PRId64 " bytes, not %" PRId64,
			 fetch->bytes + head->content_length, fetch->size);
}

/* False with errno. What was taken is hashed: what comes after a cut goes on behind it. */
static bool write_chunk(struct fetch *fetch, size_t length)
{
	ssize_t written;

	sha256_update(&fetch->hash, length, (const uint8_t *)chunk);
	for (size_t done = 0; done < length; done += (size_t)written) {
		written = write(STDOUT_FILENO, chunk + done, length - done);
		if (written < 0 && errno != EINTR)
			return false;
		if (written < 0)
			written = 0;
	}
	fetch->bytes += (int64_t)length;
	if (length > 0)
		stall_end(&fetch->stall);
	return true;
}

/* Until the part is whole, or the connection ends. `have` octets stand in the chunk already. */
static int receive_body(struct fetch *fetch, size_t have)
{
	ssize_t got = (ssize_t)have;

	for (;;) {
		if (got > fetch->size - fetch->bytes)
			got = (ssize_t)(fetch->size - fetch->bytes);
		if (!write_chunk(fetch, (size_t)got))
			return wire_fail(&fetch->wire, EXIT_OUTPUT, "our output: %s",
					 strerror(errno));
		if (fetch->bytes == fetch->size)
			return 0;
		got = wire_receive(&fetch->wire, chunk, sizeof(chunk));
		if (got < 0)
			return wire_fail(&fetch->wire, EXIT_NETWORK,
					 "%s after %" PRId64 " bytes", strerror(errno),
					 fetch->bytes);
		if (got == 0)
			return wire_fail(&fetch->wire, EXIT_NETWORK,
					 "broke off after %" PRId64 " of %" PRId64 " bytes",
					 fetch->bytes, fetch->size);
	}
}

static int fetch_once(struct fetch *fetch)
{
	size_t extra = 0;
	int code = ask(fetch, &extra);

	if (code == 0)
		code = check_head(fetch, extra);
	if (code == 0 && fetch->bytes == 0)
		memcpy(fetch->etag, fetch->head.etag, sizeof(fetch->etag));
	if (code == 0)
		code = receive_body(fetch, extra);
	if (fetch->wire.socket >= 0)
		(void)close(fetch->wire.socket);
	fetch->wire.socket = -1;
	return code;
}

static int fetch_all(struct fetch *fetch)
{
	int code;

	sha256_init(&fetch->hash);
	while ((code = fetch_once(fetch)) == EXIT_NETWORK) {
		fetch->reason = "net_error";
		if (!stall_wait(&fetch->stall, fetch->wire.error,
				fetch->head.retry_after_seconds))
			break;
	}
	return code;
}

static bool write_report(struct fetch *fetch, int code)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	FILE *file = fopen("fetch.report", "w");
	bool failed;

	if (file == NULL)
		return false;
	fprintf(file, "bytes=%" PRId64 "\n", fetch->bytes);
	if (code == 0) {
		sha256_digest(&fetch->hash, sizeof(digest), digest);
		fputs("sha256=", file);
		for (size_t i = 0; i < sizeof(digest); i++)
			fprintf(file, "%02x", digest[i]);
		fputc('\n', file);
	} else {
		/* whoever reads our output has ended: it knows why */
		if (code != EXIT_OUTPUT)
			fprintf(file, "reason=%s\n", fetch->reason);
		fprintf(file, "error=%s\n", fetch->wire.error);
	}
	failed = ferror(file) != 0;
	return fclose(file) == 0 && !failed;
}

int main(int argc, char **argv)
{
	static struct fetch fetch = {.wire = {.socket = -1}, .reason = "client_error"};
	char *end = NULL;
	int code;

	if (argc == 4)
		fetch.size = strtoll(argv[3], &end, 10);
	if (argc != 4 || *end != '\0' || fetch.size <= 0 || chdir(argv[1]) != 0) {
		fputs("usage: fos-get DIR URL SIZE >part\n", stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	/* a large pipe saves changes of process; where it is refused, a small one does */
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, CHUNK);
	stall_read_line("token", fetch.token, sizeof(fetch.token));
	if (fetch.token[0] == '\0' || !url_parse(argv[2], &fetch.wire.url))
		code = wire_fail(&fetch.wire, EXIT_USAGE,
				 "%s is no http URL, or there is no token", argv[2]);
	else
		code = fetch_all(&fetch);
	if (!write_report(&fetch, code)) {
		fprintf(stderr, "fos-get: cannot write fetch.report: %s\n", strerror(errno));
		return EXIT_USAGE;
	}
	return code;
}
