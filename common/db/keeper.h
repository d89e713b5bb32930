/*
 * keeper - holds the site that is in force and its copy on the disk. What is large is done in
 * libuv's pool: rows that were read are checked and put in order, sites written and freed
 * there, since with 100,000 hosts each of that would hold up the loop for tens of milliseconds.
 *
 *	keeper_open(&options, &keeper);
 *	keeper_read_saved(keeper, may_use, data);
 *	keeper_take(keeper, &rows, NULL);	on_taken() tells what became of it
 */
#ifndef ROUSE_DB_KEEPER_H
#define ROUSE_DB_KEEPER_H

#include <stdbool.h>

#include "core/err.h"
#include "db/site_load.h"
#include "io/loop.h"

struct keeper;

struct keeper_options {
	struct loop *loop;
	const char *saved_file; /* copied; NULL: none */
	/* A new site is in force; `site` is valid until the next call. May be NULL. */
	void (*on_site)(void *data, const struct site *site);
	/* keeper_take() has ended; when it failed, the old site stays, and `problem` says why.
	 */
	void (*on_taken)(void *data, enum err err, const char *problem);
	void *data;
};

MUST_CHECK enum err keeper_open(const struct keeper_options *options,
				struct keeper **ret_keeper);
/* Never NULL: before the first it is an empty site. */
const struct site *keeper_site(const struct keeper *keeper);
bool keeper_is_loaded(const struct keeper *keeper);
/*
 * Takes the rows over. A view that they lack is as it is in the site in force. `changed_hosts`:
 * NULL when hosts_now is whole or lacking; else it has only those of these hosts that still are
 * (numbers in order, parted by blanks). One at a time.
 */
void keeper_take(struct keeper *keeper, struct site_rows *rows, const char *changed_hosts);
bool keeper_is_taking(const struct keeper *keeper);
/* Puts the saved copy in force, if there is one and `may_use` says NULL (else: why not). */
void keeper_read_saved(struct keeper *keeper,
		       const char *(*may_use)(void *data, const struct site_rows *rows),
		       void *data);
/* Writes the copy, if the site is another than what was written last. */
void keeper_save(struct keeper *keeper);
/* Since it was tried last; UINT64_MAX: never. */
uint64_t keeper_saved_ms_ago(const struct keeper *keeper);
/* Writes the copy at once; nothing is called back any more. Accepts NULL. */
void keeper_close(struct keeper *keeper);

#endif
