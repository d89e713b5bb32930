/*
 * pxelinux - renders for PXELINUX, and for U-Boot, which reads the same files: what
 * the files of folder pxelinux.cfg hold.
 *
 * A line is a keyword and the rest of the line; there is no quoting, so foreign text loses its
 * control bytes and nothing of it can begin a line. Neither loader can wait and ask again, or
 * do what only a boot service can: such entries are left out, and a wait is the local disk,
 * which is a normal boot (LOCALBOOT 0) whatever exits are set. Sub-menus are MENU BEGIN .. END,
 * which menu.c32 draws; at the prompt all labels are typed alike. A hidden menu is a prompt
 * that lists nothing: any key stops its clock.
 */
#ifndef ROUSE_CORE_PXELINUX_H
#define ROUSE_CORE_PXELINUX_H

#include "core/err.h"
#include "core/menu.h"
#include "core/text.h"

/* As grub_render(); query is not used. ERR_SPACE when it does not fit. */
MUST_CHECK enum err pxelinux_render(const struct menu *menu, struct text *out);

#endif
