/*
 * snapshot - keeps a struct site that is what operators configured, as fresh as NOTIFY can make
 * it.
 *
 * It owns a LISTEN connection. After each connect, at the first NOTIFY at once and then at most
 * every 50 ms, on snapshot_reload() (SIGHUP) and when the five-minute check says so, it reads
 * the `rouse_daemon.*_now` views in one read-only transaction, checks them, and swaps. A set
 * that is not valid is refused with its reason; the old one stays. Checking, indexing and
 * saving are done in libuv's pool: with 100,000 hosts they would hold up the loop for tens of
 * milliseconds.
 */
#ifndef ROUSE_DB_SNAPSHOT_H
#define ROUSE_DB_SNAPSHOT_H

#include "core/err.h"
#include "core/site.h"
#include "io/loop.h"

enum snapshot_part {			   /* which views this daemon's role may read */
		     SNAPSHOT_NETWORK = 1, /* subnets */
		     SNAPSHOT_LEASING = 2, /* pools, reservations */
		     SNAPSHOT_BOOT_FILES = 4,
		     SNAPSHOT_MENU = 8, /* profiles, menu, boot defaults */
};					/* settings, hosts and boot rules always */

struct snapshot_options {
	const char *conninfo;
	const char *program;
	unsigned parts;		/* of enum snapshot_part */
	const char *saved_file; /* written mode 0600 on change (at most every 5 minutes) and
				   stop; NULL: none */
	/* A new site is in force; `site` is valid until the next call. */
	void (*on_site)(void *data, const struct site *site);
	void *data;
};

struct snapshot;

/* Starts with the saved file, if there is one, by calling on_site before it returns. */
MUST_CHECK enum err snapshot_open(struct loop *loop, const struct snapshot_options *options,
				  struct snapshot **ret_snapshot);
/* Never NULL: before the first load it is an empty site. */
const struct site *snapshot_site(const struct snapshot *snapshot);
/* Has a site ever been loaded, from the database or the file? */
bool snapshot_is_loaded(const struct snapshot *snapshot);
/* Why the latest set was refused, or NULL. */
const char *snapshot_problem(const struct snapshot *snapshot);
void snapshot_reload(struct snapshot *snapshot);
void snapshot_close(struct snapshot *snapshot);

#endif
