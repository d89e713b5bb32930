/*
 * collect - removes the files of image versions that nobody needs: captures whose attempt ended
 * without publishing them, and retired versions. The database names them
 * (rouse_daemon.image_garbage) and is told when they are gone; several menuds may do it at
 * once.
 */
#ifndef ROUSE_MENUD_COLLECT_H
#define ROUSE_MENUD_COLLECT_H

#include "menud/menud.h"

struct collect;

/* Looks every minute from now on. ERR_MEMORY. */
MUST_CHECK enum err collect_open(struct menud *menud, struct collect **ret_collect);
/* Looks now: the database is in reach again. */
void collect_now(struct collect *collect);
/* Accepts NULL. What it is at is finished. */
void collect_close(struct collect *collect);

#endif
