/*
 * fold - finds a file whose name differs from what was asked in letter case only.
 *
 *	struct folds folds = {0};
 *	char found[PATH_SIZE];
 *	if (fold_find(&folds, &roots, "boot/bcd", found) == ERR_OK)
 *		source_open(&roots, found, ...)		"Boot/BCD"
 *
 * Loaders search, so most of what comes here is nowhere: what a folder holds is remembered in
 * order, and read again only when the folder has changed. One that changed within the last
 * second is not remembered yet, for a further change might not show in its time.
 */
#ifndef ROUSE_TFTPD_FOLD_H
#define ROUSE_TFTPD_FOLD_H

#include <stddef.h>

#include "core/err.h"
#include "core/path.h"
#include "tftpd/source.h"

#define FOLD_ENTRIES_MAX 4096 /* of one folder that are looked at: a miss must stay cheap */
#define FOLD_BYTES_MAX ((size_t)2 * 1024 * 1024) /* of all that is remembered */

struct fold_folder;

/* Zeroed memory remembers nothing. */
struct folds {
	struct fold_folder *folders; /* the one used last first */
	size_t bytes;
};

/*
 * Each segment is taken as asked where it exists so, else as the first in order of bytes that
 * differs in the case of ASCII letters only. ERR_ABSENT: there is none in any root.
 */
MUST_CHECK enum err fold_find(struct folds *folds, const struct source_roots *roots,
			      const char *path, char ret_found[PATH_SIZE]);
void folds_free(struct folds *folds);

#endif
