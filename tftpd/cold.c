#include "tftpd/cold.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tftpd/server.h"

#define PIECE_BYTES 32768
#define KEY_SIZE 40

struct cold {
	struct server *server; /* outlives it: the loop ends after its last work */
	int file;	       /* our own */
	char name[KEY_SIZE];
};

/* In another thread. An error is met by who reads next. */
static void read_whole(void *data)
{
	const struct cold *cold = data;
	char piece[PIECE_BYTES]; /* what is read is thrown away */
	off_t offset = 0;
	ssize_t got;

	do {
		got = pread(cold->file, piece, sizeof(piece), offset);
		offset += got > 0 ? got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
}

static void on_read(void *data)
{
	struct cold *cold = data;

	(void)close(cold->file);
	/* nobody is parked any more when the server has closed */
	parked_resume(&cold->server->cold, cold->server, cold->name, true);
	free(cold);
}

/* What is parked by: the file itself, for a name may be another file for another client. */
static enum err put_key(int file, char key[KEY_SIZE])
{
	struct stat status;

	if (fstat(file, &status) < 0)
		return ERR_SYSTEM;
	(void)snprintf(key, KEY_SIZE, "%" PRIx64 ":%" PRIx64, (uint64_t)status.st_dev,
		       (uint64_t)status.st_ino);
	return ERR_OK;
}

static enum err start_reading(struct server *server, int file, const char *name)
{
	struct cold *cold = calloc(1, sizeof(*cold));

	if (!cold)
		return ERR_MEMORY;
	cold->server = server;
	(void)snprintf(cold->name, sizeof(cold->name), "%s", name);
	cold->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (cold->file < 0) {
		free(cold);
		return ERR_SYSTEM;
	}
	loop_work(server->loop, read_whole, on_read, cold);
	return ERR_OK;
}

enum err cold_wait(struct server *server, const struct udp_datagram *datagram,
		   const struct source *source)
{
	char name[KEY_SIZE];
	bool is_being_read;
	enum err err = put_key(source->file, name);

	if (err != ERR_OK)
		return err;
	is_being_read = parked_has(&server->cold, NULL, name);
	if (parked_has(&server->cold, &datagram->peer, name))
		return ERR_OK;
	err = parked_join(&server->cold, server, datagram, name);
	if (err != ERR_OK || is_being_read)
		return err;
	/* where that cannot be had the loop itself has to wait */
	if (start_reading(server, source->file, name) != ERR_OK)
		parked_resume(&server->cold, server, name, true);
	return ERR_OK;
}
