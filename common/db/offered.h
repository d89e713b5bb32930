/*
 * offered - the job that rouse_daemon.offer() gives a machine, in the words of a menu: for
 *menud and tftpd alike.
 *
 *	struct offered offered;
 *
 *	offered_take_reason(&offered, &row, &menu);
 *	if (strcmp(row_text(&row, "answer"), "job") == 0)
 *		offered_take_job(&offered, &row, &menu);
 */
#ifndef ROUSE_DB_OFFERED_H
#define ROUSE_DB_OFFERED_H

#include "core/menu.h"
#include "db/rows.h"

/* Texts of the menu, which must not outlive it, nor the row. */
struct offered {
	char message[256];
	char arguments[8192];
};

/* The menu says the answer's reason. */
void offered_take_reason(struct offered *offered, struct row *row, struct menu *menu);
/*
 * The menu starts the client system for this job; where menud is (base_url) must be set. It
 * refuses when the kernel arguments are too long.
 */
void offered_take_job(struct offered *offered, struct row *row, struct menu *menu);

#endif
