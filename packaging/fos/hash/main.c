/*
 * fos-hash: copies standard input to standard output and hashes it on the way.
 *
 *	zstd -dc <image | fos-hash REPORT >/dev/vda
 *
 * With a second argument, "plain", it copies only, and reports no sha256: where something else
 * has hashed the same bytes before.
 *
 * REPORT gets key=value lines: bytes (taken by standard output), sha256 (when all went well),
 * error (in words). Exit status 0: all is written and, on a disk, on stable storage; 1: wrong
 * usage; 3: standard input failed; 4: standard output failed.
 *
 * It is one process where tee, sha256sum and dd would be three: with a hash beside the stream,
 * these wake each other every few kilobytes, which made a deploy in an emulated machine five
 * times slower. (partclone.dd cannot take dd's part: it asks for the size of its source, is
 * told 0 by a pipe, writes nothing and reports success.)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };
enum { EXIT_USAGE = 1, EXIT_INPUT = 3, EXIT_OUTPUT = 4 };

struct copy {
	struct sha256_ctx hash;
	bool is_plain; /* no hash */
	int64_t bytes;
	int error; /* errno of what failed */
};

static uint8_t chunk[CHUNK];

/* As much as there is, a whole chunk if possible: disks like large writes. False with errno. */
static bool read_chunk(size_t *length)
{
	ssize_t got;

	for (*length = 0; *length < CHUNK; *length += (size_t)got) {
		got = read(STDIN_FILENO, chunk + *length, CHUNK - *length);
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		if (got < 0)
			got = 0;
	}
	return true;
}

static bool write_chunk(size_t length, int64_t *bytes)
{
	ssize_t written;

	for (size_t done = 0; done < length; done += (size_t)written) {
		written = write(STDOUT_FILENO, chunk + done, length - done);
		if (written < 0 && errno != EINTR)
			return false;
		if (written < 0)
			written = 0;
		*bytes += written;
	}
	return true;
}

/* A pipe or terminal cannot be synchronised, and need not be. */
static bool sync_output(void)
{
	return fsync(STDOUT_FILENO) == 0 || errno == EINVAL || errno == EROFS;
}

static int copy_all(struct copy *copy)
{
	size_t length;

	do {
		if (!read_chunk(&length)) {
			copy->error = errno;
			return EXIT_INPUT;
		}
		if (!copy->is_plain)
			sha256_update(&copy->hash, length, chunk);
		if (!write_chunk(length, &copy->bytes)) {
			copy->error = errno;
			return EXIT_OUTPUT;
		}
	} while (length == CHUNK);
	if (!sync_output()) {
		copy->error = errno;
		return EXIT_OUTPUT;
	}
	return 0;
}

static bool write_report(const char *path, struct copy *copy, int code)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	FILE *file = fopen(path, "w");
	bool failed;

	if (file == NULL)
		return false;
	fprintf(file, "bytes=%" PRId64 "\n", copy->bytes);
	if (code == 0 && !copy->is_plain) {
		sha256_digest(&copy->hash, sizeof(digest), digest);
		fputs("sha256=", file);
		for (size_t i = 0; i < sizeof(digest); i++)
			fprintf(file, "%02x", digest[i]);
		fputc('\n', file);
	} else if (code != 0) {
		fprintf(file, "error=%s: %s\n", code == EXIT_INPUT ? "reading" : "writing",
			strerror(copy->error));
	}
	failed = ferror(file) != 0;
	return fclose(file) == 0 && !failed;
}

int main(int argc, char **argv)
{
	static struct copy copy;
	int code;

	copy.is_plain = argc == 3 && strcmp(argv[2], "plain") == 0;
	if (argc != 2 && !copy.is_plain) {
		fputs("usage: fos-hash REPORT [plain] <input >output\n", stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Large pipes save changes of process; where they are refused, small ones do. */
	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, CHUNK);
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, CHUNK);
	sha256_init(&copy.hash);
	code = copy_all(&copy);
	if (!write_report(argv[1], &copy, code)) {
		fprintf(stderr, "fos-hash: cannot write %s: %s\n", argv[1], strerror(errno));
		return EXIT_USAGE;
	}
	return code;
}
