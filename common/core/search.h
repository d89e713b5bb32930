/*
 * search - the names under which GRUB, PXELINUX and U-Boot look for their configuration, from
 * that of one machine to that of all.
 *
 * GRUB: grub/grub.cfg-01-52-54-00-00-00-01, grub/grub.cfg-0A4D0064, ..., grub/grub.cfg.
 * PXELINUX: pxelinux.cfg/UUID, pxelinux.cfg/01-52-54-00-00-00-01, pxelinux.cfg/0A4D0064,
 * pxelinux.cfg/0A4D006, ..., pxelinux.cfg/default.
 *
 * Only the names that mean one machine, and the last one, are searches here: a shortened
 * address is any other name, and missed quickly.
 */
#ifndef ROUSE_CORE_SEARCH_H
#define ROUSE_CORE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/boot.h"
#include "core/mac.h"
#include "core/path.h"
#include "core/uuid.h"

enum search_by {
	SEARCH_LAST, /* no machine is named: whoever asks */
	SEARCH_MAC,
	SEARCH_UUID,
	SEARCH_ADDRESS,
};

struct search {
	enum boot_loader loader; /* BOOT_LOADER_GRUB or BOOT_LOADER_PXELINUX */
	enum search_by by;
	struct mac mac;
	struct uuid uuid;
	uint32_t address;
	char last[PATH_SIZE]; /* the last name of this search, in the same folder */
};

/* false: this path is no such name. */
bool search_parse(const char *path, struct search *ret_search);

#endif
