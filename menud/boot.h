/*
 * boot - answers /boot: who is this machine, what does the policy say, and the script for it.
 *
 * A host without a live job is answered from the snapshot at once; for one with a job, or when
 * an entry was chosen that needs a job of its own, the request is parked and the database
 * asked.
 */
#ifndef ROUSE_MENUD_BOOT_H
#define ROUSE_MENUD_BOOT_H

#include "core/search.h"
#include "menud/menud.h"

void boot_answer(struct menud *menud, struct http_request *request);
/* The same for GRUB and PXELINUX, which ask for a configuration by a name (core/search.h). */
void boot_answer_config(struct menud *menud, struct http_request *request,
			const struct search *search);

#endif
