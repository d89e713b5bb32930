/*
 * grub - renders for GRUB 2: what grub/grub.cfg and its variants hold.
 *
 * Kernels and initial disks are named by their paths on the server that the configuration came
 * from: tftpd, for Debian's signed GRUB speaks TFTP only, or menud. Entries stand in the text
 * whole, those of sub-menus as blocks: over TFTP there is nobody to ask again. A hidden menu is
 * shown by Esc, whatever key is set. What only a boot service can do (registration, an image
 * for sanboot, another server's URL) is left out of the menu.
 *
 * Every foreign word stands between single quotes, in which GRUB knows no special character.
 */
#ifndef ROUSE_CORE_GRUB_H
#define ROUSE_CORE_GRUB_H

#include "core/err.h"
#include "core/menu.h"
#include "core/text.h"

/*
 * The configuration of one menu. Of the menu's texts, base_url is the boot service that the
 * client system shall talk to, and query the path to ask again after MENU_WAIT. ERR_SPACE when
 * it does not fit.
 */
MUST_CHECK enum err grub_render(const struct menu *menu, struct text *out);
/*
 * What makes GRUB say which machine it runs on: over HTTP it asks for nothing but grub.cfg. It
 * asks for `path` (without its first "/") again, with the fields mac0, arch and platform.
 * ERR_SPACE.
 */
MUST_CHECK enum err grub_render_ask(const char *path, struct text *out);

#endif
