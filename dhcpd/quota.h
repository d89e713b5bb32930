/*
 * quota - how many addresses a group of clients has in use, so that one machine that plays many
 * cannot take a whole pool. Groups are the machines behind one port of a switch, as its relay
 * names it (option 82: giaddr, remote id and circuit id), and those whose MACs begin alike.
 *
 * A group remembers the addresses given to it; the lease table says which of them still live.
 * The table is this process's own: it begins empty, never grows, and when it has no place left
 * the new takes that of the old. To count a group costs as much as it has members, but only
 * once it is near its limit.
 *
 *	key = quota_key_of_prefix(&table, &mac);
 *	if (quota_is_full(&table, key, limit, &now))
 *		... this group has taken what it may
 *	quota_note(&table, key, address, &now);
 */
#ifndef ROUSE_DHCPD_QUOTA_H
#define ROUSE_DHCPD_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mac.h"
#include "dhcpd/hash.h"
#include "dhcpd/lease_table.h"
#include "dhcpd/packet.h"

#define QUOTA_GROUPS 4096
#define QUOTA_MEMBERS 65536

struct quota_group {
	uint64_t key;	/* 0: free */
	uint32_t first; /* of its members: position + 1; 0: none */
	uint32_t count;
	uint32_t sweep_at; /* with so many members those that are dead are taken out */
};

struct quota_member {
	uint32_t address; /* 0: free */
	uint32_t group;
	uint32_t next, before; /* of the same group: position + 1; 0: none */
};

struct quota_table {
	struct hash_key seed; /* random: clients choose what they are grouped by */
	struct quota_group groups[QUOTA_GROUPS];
	struct quota_member members[QUOTA_MEMBERS];
};

struct quotas {
	struct quota_table ports, prefixes;
};

/* Who asks, and what is leased now. */
struct quota_now {
	const struct lease_table *leases;
	const struct lease_client *client;
	uint64_t ms;
};

/* 0, which counts nothing, when the relay names no port. */
uint64_t quota_key_of_port(const struct quota_table *table, const struct packet *packet);
/*
 * A maker's first three octets. Addresses that no maker gave (locally administered ones, which
 * whoever uses them can choose at will; clients without a MAC, NULL) are one group.
 */
uint64_t quota_key_of_prefix(const struct quota_table *table, const struct mac *mac);

/*
 * Has the group `most` addresses that are not this client's own? One counts as long as it is
 * kept from others: leased, offered, or released or declined before its end.
 */
bool quota_is_full(const struct quota_table *table, uint64_t key, size_t most,
		   const struct quota_now *now);
/* The address is in use by this group, and by no other any more. */
void quota_note(struct quota_table *table, uint64_t key, uint32_t address,
		const struct quota_now *now);
/* It is in use by somebody outside of all groups. */
void quota_forget(struct quota_table *table, uint32_t address, const struct quota_now *now);

#endif
