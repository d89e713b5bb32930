/*
 * repair - what is mended in a name before a client is told that its file is missing: each kind
 * has a name, a switch and a counter. Pure; what of the proposals exists, the shell finds out.
 *
 *	struct repair_paths others;
 *	repair_folders(site, "EFI/BOOT/grubx64.efi", &others);
 *	for (size_t i = 0; i < others.count; i++)
 *		try others.path[i]
 */
#ifndef ROUSE_TFTPD_REPAIR_H
#define ROUSE_TFTPD_REPAIR_H

#include <stddef.h>

#include "core/err.h"
#include "core/path.h"
#include "core/site.h"
#include "core/text.h"

enum repair {
	REPAIR_SLASH,	  /* in front of the name: GRUB and many ROMs always send one */
	REPAIR_BACKSLASH, /* between folders: Windows' loaders */
	REPAIR_TRAILING,  /* 0xFF, NUL or blanks behind the name: an option 67 without end */
	REPAIR_CASE,	  /* letters of the other case */
	REPAIR_FOLDER,	  /* a second stage of shim or GRUB, asked where it does not lie */
	REPAIRS,
};

/* "slash", "backslash" ...; never NULL. */
const char *repair_name(enum repair repair);
/*
 * Reads the names of those that are in force, parted by blanks, as a set of bits 1 << repair.
 * ERR_FORMAT: a word that is none of them.
 */
MUST_CHECK enum err repair_parse(const char *words, unsigned *ret_set);
/* What core/path has mended, as such a set. */
unsigned repair_of_path(const struct path *path);
/* The names of a set, parted by ", ". */
void repair_put(struct text *out, unsigned set);

#define REPAIR_PATHS_MAX 8

struct repair_paths {
	char path[REPAIR_PATHS_MAX][PATH_SIZE];
	size_t count;
};

/*
 * Where else a file may lie that shim or GRUB asks for by a path of its own making: nearer to
 * the root, beside the site's first stages, or in the folders that distributions use. None for
 * any other name.
 */
void repair_folders(const struct site *site, const char *path, struct repair_paths *ret_paths);

#endif
