/*
 * dialect - the one menu for loaders other than iPXE: what the name that they asked for says of
 * the machine, and in which language they are answered. Pure.
 *
 *	search_parse("grub/grub.cfg-01-52-54-00-00-00-01", &search);
 *	dialect_take_name(&search, &form);
 *	dialect_render(search.loader, &menu, &text);
 */
#ifndef ROUSE_MENUD_DIALECT_H
#define ROUSE_MENUD_DIALECT_H

#include "core/boot.h"
#include "core/err.h"
#include "core/menu.h"
#include "core/search.h"
#include "core/text.h"
#include "menud/form.h"

/*
 * Adds what the name says to the fields of its query. ERR_ABSENT: a name by UUID or address,
 * which says too little for a job's ticket; the loader asks by its MAC next. ERR_SPACE: as
 * form_take().
 */
MUST_CHECK enum err dialect_take_name(const struct search *search, struct form *form);
/* ERR_SPACE when the script does not fit. */
MUST_CHECK enum err dialect_render(enum boot_loader loader, const struct menu *menu,
				   struct text *out);

#endif
