/*
 * Looking at what is on a disk: samples before and after an erasure, and reading all of it.
 * Reads go past the page cache: the disk is asked, not the memory.
 */
#include "disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096, CHUNK = 1 << 20, PLACES_MAX = 1024, TOLD_MAX = 20 };

struct sample {
	int64_t at;
	uint64_t hash;
	bool is_uniform; /* one byte all over: it tells nothing */
};

struct check {
	int count;
	struct sample samples[PLACES_MAX];
};

/* FNV-1a: no secret is kept here, only whether a block is still the same. */
static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

static bool is_uniform(const uint8_t *bytes, size_t length)
{
	return length == 0 || memcmp(bytes, bytes + 1, length - 1) == 0;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return length == 0 || (bytes[0] == 0 && is_uniform(bytes, length));
}

static bool read_block(const struct disk *disk, int64_t at, uint8_t *block)
{
	return pread(disk->fd, block, BLOCK, at) == BLOCK;
}

/* The first and last MiB block by block, and the rest evenly. */
static int64_t place(const struct disk *disk, int number)
{
	int64_t blocks = disk->bytes / BLOCK;

	if (blocks <= PLACES_MAX)
		return number < blocks ? number * (int64_t)BLOCK : -1;
	if (number < 256)
		return number * (int64_t)BLOCK;
	if (number < 512)
		return (blocks - 512 + number) * BLOCK;
	return blocks / 512 * (number - 512) * BLOCK;
}

struct check *check_take(const struct disk *disk)
{
	struct check *check = calloc(1, sizeof(*check));
	uint8_t *block = disk_allocate(BLOCK);

	if (!check) {
		fputs("fos-disk: out of memory\n", stderr);
		exit(1);
	}
	for (int i = 0; i < PLACES_MAX; i++) {
		struct sample *sample = &check->samples[check->count];

		sample->at = place(disk, i);
		/* What cannot be read now is not looked at later. */
		if (sample->at < 0 || !read_block(disk, sample->at, block))
			continue;
		sample->hash = hash_of(block, BLOCK);
		sample->is_uniform = is_uniform(block, BLOCK);
		check->count++;
	}
	free(block);
	return check;
}

int check_places(const struct check *check)
{
	return check->count;
}

bool check_is_gone(const struct check *check, const struct disk *disk, bool must_be_zero)
{
	uint8_t *block = disk_allocate(BLOCK);
	bool is_gone = true;

	for (int i = 0; i < check->count && is_gone; i++) {
		const struct sample *sample = &check->samples[i];
		bool is_read = read_block(disk, sample->at, block);

		if (must_be_zero)
			is_gone = is_read && is_zero(block, BLOCK);
		else if (is_read && !sample->is_uniform)
			is_gone = hash_of(block, BLOCK) != sample->hash;
		if (!is_gone)
			printf("read back: at byte %" PRId64 " the disk %s\n", sample->at,
			       !is_read	      ? "cannot be read"
			       : must_be_zero ? "is not empty"
					      : "holds what it held before");
	}
	free(block);
	return is_gone;
}

bool check_is_zero(const struct disk *disk, int64_t from, int64_t to, int64_t *bad)
{
	uint8_t *chunk = disk_allocate(CHUNK);
	bool is_empty = true;

	for (int64_t at = from; at < to && is_empty;) {
		size_t wanted = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
		ssize_t got = pread(disk->fd, chunk, wanted, at);

		is_empty = got > 0 && is_zero(chunk, (size_t)got);
		if (!is_empty)
			*bad = at;
		else
			at += got;
		disk_tell_progress(at - from, to - from, "reading back");
	}
	free(chunk);
	return is_empty;
}

/* A chunk that could not be read as a whole, block by block; the number of bad ones. */
static int64_t search_chunk(const struct disk *disk, int64_t at, uint8_t *block, int64_t told)
{
	int64_t bad = 0, end = at + CHUNK < disk->bytes ? at + CHUNK : disk->bytes;

	for (; at < end; at += BLOCK) {
		size_t wanted = end - at < BLOCK ? (size_t)(end - at) : BLOCK;

		if (pread(disk->fd, block, wanted, at) == (ssize_t)wanted)
			continue;
		bad++;
		if (told + bad <= TOLD_MAX)
			printf("unreadable: byte %" PRId64 " (%s)\n", at, strerror(errno));
	}
	return bad;
}

int64_t check_surface(const struct disk *disk)
{
	uint8_t *chunk = disk_allocate(CHUNK);
	int64_t bad = 0;

	for (int64_t at = 0; at < disk->bytes; at += CHUNK) {
		size_t wanted = disk->bytes - at < CHUNK ? (size_t)(disk->bytes - at) : CHUNK;

		if (pread(disk->fd, chunk, wanted, at) != (ssize_t)wanted)
			bad += search_chunk(disk, at, chunk, bad);
		disk_tell_progress(at + (int64_t)wanted, disk->bytes, "reading every block");
	}
	free(chunk);
	return bad;
}
