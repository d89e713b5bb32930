/*
 * fos-put: sends standard input to menud as a part of an image, however long that takes.
 *
 *	partclone.extfs -c ... | zstd -c | fos-put DIR URL
 *
 * DIR/token holds the bearer token. Pieces of at most 16 MiB are kept in memory until menud
 * says that they are on its disk: a network that is cut, or a menud that is started anew, costs
 * time and nothing else. It gives up when for 120 s not one octet was stored although menud
 * answered the agent's progress reports meanwhile (DIR/continued: the second of the last one).
 *
 * DIR/put.report gets key=value lines: bytes (stored), sha256 (when all is), status (of menud's
 * refusal), error (in words). DIR/note tells a person what it waits for. Exit status 0: all is
 * stored, synchronised and recorded; 1: wrong usage; 2: given up; 3: menud refuses; 5: standard
 * input failed.
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

enum { PIECE = 16 << 20 };

struct upload {
	struct wire wire;
	char token[128];
	int64_t stored; /* octets that menud has */
	size_t length;	/* of the piece that begins there */
	bool is_last;	/* the part ends with it */
	char sha256[2 * SHA256_DIGEST_SIZE + 1];
	int status; /* of menud's last answer; 0: none came */
	int retry_after_seconds;
	struct stall stall; /* nothing was stored for a while */
};

static char piece[PIECE];
static char answer[64 * 1024];

static bool read_piece(struct upload *upload, struct sha256_ctx *hash)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	ssize_t got;

	for (upload->length = 0; upload->length < sizeof(piece);
	     upload->length += (size_t)got) {
		got = read(STDIN_FILENO, piece + upload->length,
			   sizeof(piece) - upload->length);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return false;
		if (got < 0)
			got = 0;
	}
	sha256_update(hash, upload->length, (const uint8_t *)piece);
	upload->is_last = upload->length < sizeof(piece);
	if (!upload->is_last)
		return true;
	sha256_digest(hash, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(upload->sha256 + 2 * i, 3, "%02x", digest[i]);
	return true;
}

/* The request and its answer's head; *ret_extra octets of the answer's body stand in `answer`.
 */
static int exchange(struct upload *upload, const char *from, struct head *head,
		    size_t *ret_extra)
{
	struct wire *wire = &upload->wire;
	const struct url *url = &wire->url;
	char start[2048];
	int code;
	int length =
		snprintf(start, sizeof(start),
			 "PUT %s?offset=%" PRId64 "%s%s HTTP/1.0\r\nHost: %s%s%s:%s\r\n"
			 "User-Agent: rouse-fos\r\nAuthorization: Bearer %s\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 url->path, upload->stored, upload->is_last ? "&sha256=" : "",
			 upload->sha256, url->is_ipv6 ? "[" : "", url->host,
			 url->is_ipv6 ? "]" : "", url->port, upload->token, upload->length);

	code = wire_open(wire);
	if (code == 0)
		code = wire_send(wire, start, (size_t)length);
	if (code == 0)
		code = wire_send(wire, from, upload->length);
	if (code == 0)
		code = wire_receive_head(wire, answer, sizeof(answer), head, ret_extra);
	if (wire->socket >= 0)
		(void)close(wire->socket);
	wire->socket = -1;
	return code;
}

/* The first line of a refusal's body says why, often better than the number. */
static int refuse(struct upload *upload, size_t extra)
{
	int words = 0;

	while (words < 200 && (size_t)words < extra && answer[words] >= ' ' &&
	       answer[words] < 0x7f)
		words++;
	return wire_fail(&upload->wire, EXIT_STATUS, "status %d%s%.*s", upload->status,
			 words > 0 ? ", " : "", words, answer);
}

/* One request: what of the piece is not stored yet. Moves *from behind what is stored then. */
static int put_once(struct upload *upload, const char **from)
{
	struct head head;
	int64_t more;
	size_t extra;
	int code;

	upload->status = 0;
	upload->retry_after_seconds = -1;
	code = exchange(upload, *from, &head, &extra);
	if (code != 0)
		return code;
	upload->status = head.status;
	upload->retry_after_seconds = head.retry_after_seconds;
	if (head.status != 200 && head.status != 409)
		return refuse(upload, extra);
	more = head.upload_offset - upload->stored;
	if (more < 0 || more > (int64_t)upload->length)
		return wire_fail(&upload->wire, EXIT_STATUS,
				 "the server has %" PRId64 " octets; ours begin at %" PRId64,
				 head.upload_offset, upload->stored);
	if (more == 0 && head.status == 409)
		return wire_fail(&upload->wire, EXIT_STATUS,
				 "the server is where we are, and takes nothing");
	*from += more;
	upload->length -= (size_t)more;
	upload->stored += more;
	if (more > 0)
		stall_end(&upload->stall);
	return 0;
}

/* Trouble that passes: no answer, a server that is busy or starting, a lost race. */
static bool may_pass(const struct upload *upload, int code)
{
	return code == EXIT_NETWORK || upload->status == 409 || upload->status == 408 ||
	       upload->status == 429 || upload->status == 500 || upload->status == 502 ||
	       upload->status == 503 || upload->status == 504;
}

static int put_piece(struct upload *upload)
{
	const char *from = piece;
	int code;

	for (;;) {
		code = put_once(upload, &from);
		if (code == 0 && upload->status == 200)
			return 0;
		if (!may_pass(upload, code))
			return code;
		if (code == 0 && upload->length == 0 && !upload->is_last)
			return 0; /* stored before the cut: only the answer was lost */
		if (code != 0 && !stall_wait(&upload->stall, upload->wire.error,
					     upload->retry_after_seconds))
			return EXIT_NETWORK;
	}
}

static int put_all(struct upload *upload)
{
	struct sha256_ctx hash;
	int code = 0;

	sha256_init(&hash);
	while (code == 0 && !upload->is_last) {
		if (!read_piece(upload, &hash))
			return wire_fail(&upload->wire, EXIT_INPUT, "our input: %s",
					 strerror(errno));
		code = put_piece(upload);
	}
	return code;
}

static bool write_report(const struct upload *upload, int code)
{
	FILE *file = fopen("put.report", "w");
	bool failed;

	if (file == NULL)
		return false;
	fprintf(file, "bytes=%" PRId64 "\nstatus=%d\n", upload->stored, upload->status);
	if (code == 0)
		fprintf(file, "sha256=%s\n", upload->sha256);
	else
		fprintf(file, "error=%s\n", upload->wire.error);
	failed = ferror(file) != 0;
	return fclose(file) == 0 && !failed;
}

int main(int argc, char **argv)
{
	static struct upload upload = {.wire = {.socket = -1}};
	int code;

	if (argc != 3 || chdir(argv[1]) != 0) {
		fputs("usage: fos-put DIR URL <part\n", stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	/* a large pipe saves changes of process; where it is refused, a small one does */
	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, 1 << 20);
	stall_read_line("token", upload.token, sizeof(upload.token));
	if (upload.token[0] == '\0' || !url_parse(argv[2], &upload.wire.url))
		code = wire_fail(&upload.wire, EXIT_USAGE,
				 "%s is no http URL, or there is no token", argv[2]);
	else
		code = put_all(&upload);
	if (!write_report(&upload, code)) {
		fprintf(stderr, "fos-put: cannot write put.report: %s\n", strerror(errno));
		return EXIT_USAGE;
	}
	return code;
}
