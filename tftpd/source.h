/*
 * source - where a transfer's octets come from: an open file beneath a root, or text that was
 * made for it.
 *
 * A file is opened beneath its root (io/beneath.h). Only regular files are served. The open
 * descriptor keeps the version that was asked for, whatever is renamed over its name meanwhile.
 */
#ifndef ROUSE_TFTPD_SOURCE_H
#define ROUSE_TFTPD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define SOURCE_ROOTS_MAX 8

struct source_roots {
	char *list;			    /* the setting, parted by NULs */
	const char *path[SOURCE_ROOTS_MAX]; /* into list */
	size_t count;
};

struct source {
	int file;   /* -1 for text */
	char *text; /* NULL for a file */
	uint64_t size;
};

/* Parts the setting at its blanks. ERR_SPACE: more than SOURCE_ROOTS_MAX. ERR_ABSENT: none. */
MUST_CHECK enum err source_roots_parse(const char *list, struct source_roots *ret_roots);
/* Says in the log which of them are not there, or not to be entered by whom we are now. */
void source_roots_check(const struct source_roots *roots);
void source_roots_free(struct source_roots *roots);

/*
 * Opens a clean relative path (core/path) in the first root that has it; roots are looked up
 * anew each time, so that one mounted later is seen. ERR_ABSENT: in none. ERR_REFUSED: there,
 * and not to be served: *ret_reason (static) says why. ERR_SYSTEM: errno says why.
 */
MUST_CHECK enum err source_open(const struct source_roots *roots, const char *path,
				struct source *ret_source, const char **ret_reason);
/* Copies the text. */
MUST_CHECK enum err source_from_text(const char *text, size_t length,
				     struct source *ret_source);
/* All of `length` octets. ERR_SHORT: the file was cut meanwhile. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err source_read(const struct source *source, uint64_t offset, void *buffer,
				size_t length);
/* The same of what lies in memory. ERR_AWAY: the disk would have to be waited for. */
MUST_CHECK enum err source_read_at_once(const struct source *source, uint64_t offset,
					void *buffer, size_t length);
#define SOURCE_NETASCII_MAX ((size_t)256 * 1024)

/*
 * The same as text with the line ends that RFC 764 wants: a line feed becomes CR LF, a carriage
 * return CR NUL. ERR_SPACE: larger than SOURCE_NETASCII_MAX. Otherwise as source_read(), or,
 * unless it `may_wait`, as source_read_at_once(); ERR_MEMORY. Unchanged when it fails.
 */
MUST_CHECK enum err source_to_netascii(struct source *source, bool may_wait);
void source_close(struct source *source);

#endif
