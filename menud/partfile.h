/*
 * partfile - the file that a part of an image is stored in, while it grows: a hidden one
 * (".3.zst.part") in the version's folder, synchronised and renamed when the part is whole.
 *
 *	struct partfile part = {.store = folder, .file = -1};
 *	(void)snprintf(part.path, sizeof(part.path), "images/room/7/3.zst");
 *	partfile_open(&part);
 *	partfile_append(&part, octets, length);		as often as something comes
 *	partfile_finish(&part, digest);
 *	partfile_close(&part);
 *
 * All of it blocks, and is called in libuv's pool, by one thread at a time. One writer at a
 * time: the open file is locked, also against other processes and hosts (fcntl(2), open file
 * description locks).
 */
#ifndef ROUSE_MENUD_PARTFILE_H
#define ROUSE_MENUD_PARTFILE_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/path.h"

enum partfile_result {
	PARTFILE_OK,
	PARTFILE_BUSY,	    /* another upload of this part has it open */
	PARTFILE_FULL,	    /* no room in the store: ENOSPC, EDQUOT */
	PARTFILE_FAILED,    /* `error` says why */
	PARTFILE_DIFFERENT, /* partfile_finish: it is not what the client sent, and is gone */
};

struct partfile {
	int store;	      /* open folder, not owned */
	char path[PATH_SIZE]; /* of the whole part, beneath the store */
	int file;	      /* -1: not open */
	bool is_whole;	      /* it was finished before */
	uint64_t size;	      /* stored octets */
	uint64_t hashed;      /* of these, in `hash`: what a former request left, or 0 */
	struct sha256_ctx hash;
	int error; /* errno of PARTFILE_FULL and PARTFILE_FAILED */
};

/* Makes the folders, opens and locks the file, and hashes what of it is not hashed yet. */
MUST_CHECK enum partfile_result partfile_open(struct partfile *part);
MUST_CHECK enum partfile_result partfile_append(struct partfile *part, const uint8_t *octets,
						size_t length);
/* What was appended is on stable storage. */
MUST_CHECK enum partfile_result partfile_sync(struct partfile *part);
/* The part is whole: compares its SHA-256 with `digest` (32 octets), and gives it its name. */
MUST_CHECK enum partfile_result partfile_finish(struct partfile *part, const uint8_t *digest);
void partfile_close(struct partfile *part);

/* Removes a file, or a folder with the files in it, and the folders above that are empty then,
 * but for the first. ERR_ABSENT is none: it is gone. ERR_SYSTEM: errno. */
MUST_CHECK enum err partfile_remove(int store, const char *path);

#endif
