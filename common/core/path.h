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

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define PATH_SIZE 512

struct path {
	char name[PATH_SIZE]; /* relative, "/" between segments, never empty, NUL-terminated */
	bool repaired;	      /* more than a leading "/" was mended */
};

/* ERR_FORMAT: empty or control bytes. ERR_REFUSED: leaves the root. ERR_SPACE: too long. */
MUST_CHECK enum err path_clean(const char *request, size_t length, struct path *ret_path);

#endif
