/*
 * loop - iPXE's first script over HTTP, and when iPXE gets it in place of the binary that it
 * asked for. Pure.
 *
 * A DHCP server that can name one URL only sends iPXE the iPXE binary again, and the machine
 * loads it for ever. iPXE says who it is; for it, a first stage of the site is the script. Not
 * so for what is fetched on purpose: a name in a folder (but for tftp/, where first stages
 * lie), or a file that a menu has named, which says what it is fetched as.
 */
#ifndef ROUSE_MENUD_LOOP_H
#define ROUSE_MENUD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/site.h"

struct loop_request {
	const char *name;  /* below /files/ */
	const char *agent; /* User-Agent, or NULL */
	const char *as;	   /* the field of that name, or NULL */
	uint32_t address;  /* of the client; 0: none of IPv4's */
	bool is_on;	   /* where no subnet says otherwise */
};

enum loop_verdict {
	LOOP_NONE,   /* any file */
	LOOP_SCRIPT, /* default.ipxe or autoexec.ipxe, by its name */
	LOOP_BROKEN, /* the script in place of the binary */
};

enum loop_verdict loop_judge(const struct site *site, const struct loop_request *request);

#endif
