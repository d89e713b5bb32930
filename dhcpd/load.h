/*
 * load - all leases of the database into the table, and from then on what other dhcpd change.
 *
 * After each connect, in this order: is it the same server still? If a standby was promoted,
 * what this process has acknowledged lately is asserted anew, since it may be lost there. Then
 * a mark in the list of changes, then the leases in slices, and what is no longer there is
 * dropped. From then on the changes behind the mark are read every second.
 *
 *	load_begin(load);	 on_done() when the table is the database's
 */
#ifndef ROUSE_DHCPD_LOAD_H
#define ROUSE_DHCPD_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "db/conn.h"
#include "dhcpd/store_table.h"
#include "io/loop.h"

struct load;

struct load_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	struct table *table;
	void (*on_done)(void *data);
	/* Changes could not be read for too long: the table is no longer the database's. */
	void (*on_stale)(void *data);
	void *data;
};

MUST_CHECK enum err load_open(const struct load_options *options, struct load **ret_load);
/*
 * The timeline of the database that the table's leases were recorded in, "" while it is not
 * known; and that of an earlier run, before load_begin().
 */
const char *load_timeline(const struct load *load);
void load_expect_timeline(struct load *load, const char *timeline);
/* Connected, or the table is stale. Fails by itself, with a message, and is tried again. */
void load_begin(struct load *load);
/* The connection is lost. */
void load_stop(struct load *load);
/* Now and then: goes on where something failed, and reads the changes. */
void load_tick(struct load *load);
/* How long the question for changes has been without an answer: a database that does not tell
 * them does not grant leases either. */
uint64_t load_waits_ms(const struct load *load);
/* After db_close(). */
void load_close(struct load *load);

#endif
