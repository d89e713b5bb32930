/*
 * saved - a daemon's copy of what operators configured, on its own disk: it can start while the
 * database is away. Mode 0600, no secrets, written whole or not at all.
 */
#ifndef ROUSE_DB_SAVED_H
#define ROUSE_DB_SAVED_H

#include "core/err.h"
#include "db/site_load.h"

/* ERR_SYSTEM: errno says why. */
MUST_CHECK enum err saved_write(const char *file, const struct site_rows *rows);
/* ERR_ABSENT: no such file. ERR_FORMAT: not one of ours, or damaged. The rows are the caller's.
 */
MUST_CHECK enum err saved_read(const char *file, struct site_rows *ret_rows);

#endif
