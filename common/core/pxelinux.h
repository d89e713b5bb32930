/*
 * pxelinux - renders for PXELINUX, and for U-Boot, which reads the same files: what
 * the files of folder pxelinux.cfg hold.
 *
 * A line is a keyword and the rest of the line; there is no quoting, so foreign text loses its
 * control bytes and nothing of it can begin a line. Neither loader can wait and ask again, or
 * do what only a boot service can: such entries are left out, and a wait is the local disk.
 */
#ifndef ROUSE_CORE_PXELINUX_H
#define ROUSE_CORE_PXELINUX_H

#include "core/err.h"
#include "core/menu.h"
#include "core/text.h"

/* As grub_render(); query is not used. ERR_SPACE when it does not fit. */
MUST_CHECK enum err pxelinux_render(const struct menu *menu, struct text *out);

#endif
