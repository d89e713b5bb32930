/*
 * path - a name that a client asked for becomes a clean path beneath a root, or a refusal.
 *
 * Firmware asks in ways of its own: with a leading "/", with backslashes (Windows loaders),
 * with 0xFF, NUL or blanks behind the name (an unterminated DHCP option 67). Those are repaired
 * and told; "..", control bytes and empty names are refused. Whether the file exists is not
 * judged here.
 */
#ifndef ROUSE_CORE_PATH_H
#define ROUSE_CORE_PATH_H

#include <stddef.h>

#include "core/err.h"

#define PATH_SIZE 512

enum path_mend {
	PATH_SLASH = 1,	    /* a leading "/" was left out */
	PATH_BACKSLASH = 2, /* "\" became "/" */
	PATH_TRAILING = 4,  /* 0xFF, NUL or blanks behind the name were left out */
};

struct path {
	char name[PATH_SIZE]; /* relative, "/" between segments, never empty, NUL-terminated */
	unsigned mended;      /* a set of enum path_mend */
};

/* ERR_FORMAT: empty or control bytes. ERR_REFUSED: leaves the root. ERR_SPACE: too long. */
MUST_CHECK enum err path_clean(const char *request, size_t length, struct path *ret_path);

#endif
