/*
 * lease_table - the leases in memory: a cache of what the database decided, and the short
 * reservations (holds) that stand behind offers, which only this process knows.
 *
 * One entry an address. It is found by address and by client, and the table grows without a
 * pause: no operation takes longer because there are many leases. All storage is the caller's.
 *
 *	struct lease_table table;
 *	lease_table_init(&table, &storage, seed);
 *	const struct lease *lease = lease_of_client(&table, &client, &subnet->net);
 *	if (lease && lease_is_bound(lease, now_ms))
 */
#ifndef ROUSE_DHCPD_LEASE_TABLE_H
#define ROUSE_DHCPD_LEASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip4.h"
#include "dhcpd/block.h"
#include "dhcpd/buckets.h"
#include "dhcpd/hash.h"
#include "dhcpd/lease.h"

/* Arrays of `capacity` elements each, at least one; they need not be zeroed. */
struct lease_storage {
	size_t capacity;
	struct lease *leases;
	struct block *blocks;
	struct buckets_cell *address_cells, *client_cells, *block_cells;
	uint32_t *address_heads, *client_heads, *block_heads;
};

struct lease_table {
	struct lease *leases; /* the first `count` are in use; read them, change nothing */
	size_t count, capacity;
	struct buckets by_address, by_client;
	struct blocks blocks;
	union lease_box *free_boxes;
	struct hash_key seed;
	uint16_t load; /* the number of the load that is under way, or was the last */
	uint64_t newest_grant_ms; /* of all that were ever written here */
	size_t tend_at;		  /* the block where lease_tend() goes on */
};

void lease_table_init(struct lease_table *table, const struct lease_storage *storage,
		      struct hash_key seed);
/* The same table in longer arrays, into which the caller has copied the old ones. */
void lease_table_move_to(struct lease_table *table, const struct lease_storage *storage);
/* Room for so many long keys more. The boxes stay the table's, and where they are. */
void lease_table_add_boxes(struct lease_table *table, union lease_box *boxes, size_t count);

/* The entry of an address, or NULL. Valid until the table changes. */
const struct lease *lease_at(const struct lease_table *table, uint32_t address);
/* This client's best entry in the network: a live lease before an offer before an old lease. */
const struct lease *lease_of_client(const struct lease_table *table,
				    const struct lease_client *client,
				    const struct ip4_net *net);
/* How many addresses are in quarantine because this client declined them. */
size_t lease_declined_by(const struct lease_table *table, const struct lease_client *client,
			 uint64_t now_ms);
/* When this process had a lease recorded last; 0: never. */
uint64_t lease_newest_grant(const struct lease_table *table);
/*
 * Writes the entry of its address, whoever had it; its key is copied. ERR_SPACE: there is no
 * room for another lease, or for another long key.
 */
MUST_CHECK enum err lease_put(struct lease_table *table, const struct lease *lease);
/*
 * As the database has it. An offer of the address to another client stands only beside a lease
 * that has ended: otherwise a lease that another dhcpd granted would stay unknown here.
 */
MUST_CHECK enum err lease_put_recorded(struct lease_table *table, const struct lease *lease,
				       uint64_t now_ms);
void lease_remove(struct lease_table *table, uint32_t address);
/*
 * As the database does on a grant: the client's other leases in the network are released, its
 * other offers there forgotten.
 */
void lease_end_others(struct lease_table *table, const struct lease_client *client,
		      const struct ip4_net *net, uint32_t except);

/* Who gets which address. */
struct lease_holder {
	uint32_t address;
	const struct lease_client *client;
	const struct mac *mac; /* NULL: not an Ethernet client */
	uint64_t granted_ms;   /* for lease_bind: when this process had it recorded */
};

/* Keeps an address for a client that it is offered to. ERR_SPACE as lease_put. */
MUST_CHECK enum err lease_hold(struct lease_table *table, const struct lease_holder *holder,
			       uint64_t until_ms);
/* The client chose another server: what it was offered in the network is free for others at
 * once. */
void lease_forget_hold(struct lease_table *table, const struct lease_client *client,
		       const struct ip4_net *net);
/* The database has recorded it. `net`: where the client's other leases end, or NULL. */
MUST_CHECK enum err lease_bind(struct lease_table *table, const struct lease_holder *holder,
			       uint64_t ends_ms, const struct ip4_net *net);
/* RELEASED keeps the recorded end; DECLINED is kept from everybody until its quarantine ends.
 */
void lease_end(struct lease_table *table, uint32_t address, enum lease_state state,
	       uint64_t quarantine_ends_ms);
/* Somebody uses it without a lease: nobody's until then, unless somebody has leased it by now.
 */
MUST_CHECK enum err lease_quarantine(struct lease_table *table, const struct lease_holder *user,
				     uint64_t quarantine_ends_ms, uint64_t now_ms);

/*
 * A load reads every recorded lease: lease_load_begin(), lease_put() for each of them, and
 * then lease_load_end() until it says false. What the load did not see is gone after that,
 * except for offers.
 */
void lease_load_begin(struct lease_table *table);
/* Looks at so many entries, from the table's end; `*at` is 0 at first. */
bool lease_load_end(struct lease_table *table, size_t most, size_t *at);

/*
 * Goes over the next blocks of addresses: forgets offers that were not taken up, and learns
 * anew when an address of the block may be free. To be called now and then.
 */
void lease_tend(struct lease_table *table, size_t blocks, uint64_t now_ms);

#endif
