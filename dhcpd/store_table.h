/*
 * store_table - the lease table with storage that grows, and its rows from the database.
 */
#ifndef ROUSE_DHCPD_STORE_TABLE_H
#define ROUSE_DHCPD_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "db/rows.h"
#include "dhcpd/lease_table.h"

struct table;

MUST_CHECK enum err table_open(struct hash_key seed, struct table **ret_table);
const struct lease_table *table_leases(const struct table *table);
/*
 * Each does what its namesake of lease.h does. Without memory for another lease a warning is
 * written and the lease is left out: the table is a cache.
 */
void table_put(struct table *table, const struct lease *lease);
void table_hold(struct table *table, const struct lease_holder *holder, uint64_t until_ms);
void table_bind(struct table *table, const struct lease_holder *holder, uint64_t ends_ms,
		const struct ip4_net *net);
void table_forget(struct table *table, const struct lease_client *client,
		  const struct ip4_net *net);
void table_end(struct table *table, uint32_t address, enum lease_state state,
	       uint64_t quarantine_ends_ms);
void table_quarantine(struct table *table, const struct lease_holder *user,
		      uint64_t quarantine_ends_ms, uint64_t now_ms);
/* lease_put_recorded() with one row of lease_load(), lease_changes() or lease_find(). */
void table_put_row(struct table *table, const struct db_rows *rows, size_t position,
		   uint64_t now_ms);
/*
 * Every row is read anew: begin, table_put_row() for each of them, and table_load_end() until
 * it says false. What no row told of is gone then, except for offers. `most`: how many entries
 * are looked at in one call.
 */
void table_load_begin(struct table *table);
bool table_load_end(struct table *table, size_t most);
/* lease_tend() for a part of the table: all of it in a minute, if called ten times a second. */
void table_tend(struct table *table, uint64_t now_ms);
void table_close(struct table *table);

#endif
