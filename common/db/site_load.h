/*
 * site_load - makes a struct site from the rows of the `rouse_daemon.*_now` views, and checks
 * it.
 *
 * The site's strings are views into the rows, which it keeps: nothing is copied twice.
 */
#ifndef ROUSE_DB_SITE_LOAD_H
#define ROUSE_DB_SITE_LOAD_H

#include "core/err.h"
#include "core/site.h"
#include "db/rows.h"

enum site_view {
	SITE_SETTINGS,
	SITE_HOSTS,
	SITE_RULES,
	SITE_SUBNETS,
	SITE_POOLS,
	SITE_RESERVATIONS,
	SITE_OPTIONS,
	SITE_BOOT_FILES,
	SITE_PROFILES,
	SITE_MENU,
	SITE_DEFAULTS,
	SITE_VIEWS,
};

struct site_rows {
	struct db_rows *view[SITE_VIEWS]; /* NULL: a view that this daemon does not read */
};

struct loaded_site {
	struct site site;
	struct site_rows rows;
};

/* "settings_now" and so on. */
const char *site_view_name(enum site_view view);
/*
 * Takes the rows over, also when it fails. ERR_FORMAT or ERR_RANGE: `problem` says which row of
 * which view is wrong and how; ERR_MEMORY.
 */
MUST_CHECK enum err site_load_take(struct site_rows *rows, struct loaded_site **ret_loaded,
				   char *problem, size_t problem_size);
void site_load_free(struct loaded_site *loaded);
/* Frees all views and leaves none. */
void site_rows_free(struct site_rows *rows);

#endif
