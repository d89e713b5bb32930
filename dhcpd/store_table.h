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
#include "dhcpd/lease.h"

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
/* One row of lease_load() or lease_find(). One that another client is offered now is left out.
 */
void table_put_row(struct table *table, const struct db_rows *rows, size_t position,
		   uint64_t now_ms);
/* An empty one, to be filled with all leases and then adopted. */
MUST_CHECK enum err table_beside(const struct table *table, struct table **ret_fresh);
/* `fresh` in place of everything but offers; it is gone then. */
void table_adopt(struct table *table, struct table *fresh, uint64_t now_ms);
/* Forgets some offers that were not taken up. */
void table_purge(struct table *table, uint64_t now_ms);
void table_close(struct table *table);

#endif
