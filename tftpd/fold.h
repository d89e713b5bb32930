/*
 * fold - finds a file whose name differs from what was asked in letter case only.
 *
 *	char found[PATH_SIZE];
 *	if (fold_find(&roots, "boot/bcd", found) == ERR_OK)
 *		source_open(&roots, found, ...)		"Boot/BCD"
 */
#ifndef ROUSE_TFTPD_FOLD_H
#define ROUSE_TFTPD_FOLD_H

#include "core/err.h"
#include "core/path.h"
#include "tftpd/source.h"

#define FOLD_ENTRIES_MAX 4096 /* of one folder that are looked at: a miss must stay cheap */

/*
 * Each segment is taken as asked where it exists so, else as the first in order of bytes that
 * differs in the case of ASCII letters only. ERR_ABSENT: there is none in any root.
 */
MUST_CHECK enum err fold_find(const struct source_roots *roots, const char *path,
			      char ret_found[PATH_SIZE]);

#endif
