/*
 * ipxe - renders for iPXE, the dialect that all of Debian's builds understand.
 *
 * Debian's iPXE of 2019 has no params, no console, no poweroff (docs/explanation lists it), so
 * facts travel in the query of a GET. No byte that came from a client, a host record or a label
 * can begin a new command: see core/text.
 */
#ifndef ROUSE_CORE_IPXE_H
#define ROUSE_CORE_IPXE_H

#include "core/err.h"
#include "core/menu.h"
#include "core/text.h"

/* The script of one menu. ERR_SPACE when it does not fit. */
MUST_CHECK enum err ipxe_render(const struct menu *menu, struct text *out);

/* What default.ipxe and autoexec.ipxe are made from. */
struct ipxe_first {
	const char *const *urls; /* of menuds, tried in turn; may hold iPXE's ${next-server} */
	size_t url_count;
	const char *
		message; /* NULL; or why the machine may not boot: shown, then the local disk */
};

/*
 * The script that collects the machine's facts and asks each menud in turn; when none answers
 * it shows why, waits, tries again, and after MENU_TRIES_MAX rounds boots the local disk.
 * ERR_SPACE; ERR_RANGE without any URL.
 */
MUST_CHECK enum err ipxe_render_first(const struct ipxe_first *first, struct text *out);

#endif
