/*
 * lease - the table of leases in memory: a cache of what the database decided, and the short
 * reservations (holds) that stand behind offers, which only this process knows.
 *
 * One entry an address. It is found by address and by client, both by open addressing over
 *32-bit indices; all storage is the caller's. Times are milliseconds on the caller's monotonic
 *clock.
 *
 *	struct lease_table table;
 *	lease_table_init(&table, leases, 1024, slots, seed);	 lease_slot_count(1024) slots
 *	const struct lease *lease = lease_of_client(&table, &client, &subnet->net);
 *	if (lease && lease_is_bound(lease, now_ms))
 */
#ifndef ROUSE_DHCPD_LEASE_H
#define ROUSE_DHCPD_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip4.h"
#include "core/mac.h"
#include "dhcpd/hash.h"
#include "dhcpd/packet.h"

#define LEASE_CLIENT_MAX 256

/* A client's key, as the database has it: ff and option 61, or hardware type and address. */
struct lease_client {
	uint16_t length;
	uint8_t octets[LEASE_CLIENT_MAX];
};

enum lease_state {
	LEASE_OFFERED, /* only held: the database knows nothing of it */
	LEASE_BOUND,
	LEASE_RELEASED,
	LEASE_DECLINED,
	LEASE_EXPIRED,
};

struct lease {
	uint32_t address;
	enum lease_state state;
	uint64_t ends_ms;    /* the recorded end; a declined one: of its quarantine */
	uint64_t held_ms;    /* offered to this client until then; 0: not offered */
	uint64_t granted_ms; /* when this process last had it recorded; 0: others did */
	bool has_mac;
	struct mac mac;
	struct lease_client client;
};

struct lease_table {
	struct lease *leases; /* the first `count` are in use; read them, change nothing */
	size_t count, capacity;
	uint32_t *by_address, *by_client; /* slot -> position + 1, 0 is free */
	size_t slot_count;
	struct hash_key seed;
};

/*
 * The key of the client that sent the packet. One machine is one client whatever identifier its
 * ROM, its loader and its system send, unless `by_identifier`. ERR_ABSENT: it has neither a
 * hardware address nor an identifier.
 */
MUST_CHECK enum err lease_client_of(const struct packet *packet, bool by_identifier,
				    struct lease_client *ret_client);
bool lease_client_equal(const struct lease_client *a, const struct lease_client *b);

/* How many uint32_t the table of so many leases needs in all. */
size_t lease_slot_count(size_t capacity);
void lease_table_init(struct lease_table *table, struct lease *leases, size_t capacity,
		      uint32_t *slots, struct hash_key seed);

/* The entry of an address, or NULL. Valid until the table changes. */
const struct lease *lease_at(const struct lease_table *table, uint32_t address);
/* This client's best entry in the network: a live lease before an offer before an old lease. */
const struct lease *lease_of_client(const struct lease_table *table,
				    const struct lease_client *client,
				    const struct ip4_net *net);
/* How many addresses are in quarantine because this client declined them. */
size_t lease_declined_by(const struct lease_table *table, const struct lease_client *client,
			 uint64_t now_ms);
/* Writes the entry of its address, whoever had it. ERR_SPACE: the table is full. */
MUST_CHECK enum err lease_put(struct lease_table *table, const struct lease *lease);
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
/* The client chose another server: its offer is free for others at once. */
void lease_forget_hold(struct lease_table *table, const struct lease_client *client,
		       const struct ip4_net *net);
/* The database has recorded it. `net`: where the client's other leases end, or NULL. */
MUST_CHECK enum err lease_bind(struct lease_table *table, const struct lease_holder *holder,
			       uint64_t ends_ms, const struct ip4_net *net);
/* RELEASED keeps the recorded end; DECLINED is kept from everybody until its quarantine ends.
 */
void lease_end(struct lease_table *table, uint32_t address, enum lease_state state,
	       uint64_t quarantine_ends_ms);

bool lease_is_bound(const struct lease *lease, uint64_t now_ms);
bool lease_is_held(const struct lease *lease, uint64_t now_ms);
/*
 * May this client have the address now? NULL is an address nobody had. Another's address is
 * free once its recorded end and the grace behind it are past, even if it was released early:
 * so no daemon that was cut off from the database can be contradicted.
 */
bool lease_is_free_for(const struct lease *lease, const struct lease_client *client,
		       uint64_t now_ms, uint64_t grace_ms);
/* Whole seconds until its recorded end, 0 when past. */
uint32_t lease_seconds_left(const struct lease *lease, uint64_t now_ms);

#endif
