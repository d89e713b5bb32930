/*
 * port - how many addresses are in use behind one port of a switch, as its relay names it
 * (option 82: giaddr, remote id and circuit id), so that one machine that plays many cannot
 *take a whole pool.
 *
 * A port's entry remembers the addresses given behind it; the lease table says which of them
 * still live. The table is this process's own: it begins empty, and a port that comes when
 *every entry is in use takes the place of another.
 *
 *	if (port_count(&ports, &packet, leases, &client, now_ms) >= limit)
 *		... this port has taken what it may
 *	port_note(&ports, &packet, address, leases, now_ms);
 */
#ifndef ROUSE_DHCPD_PORT_H
#define ROUSE_DHCPD_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "dhcpd/hash.h"
#include "dhcpd/lease_table.h"
#include "dhcpd/packet.h"

#define PORT_ADDRESSES_MAX 32 /* the setting's maximum */
#define PORT_TABLE_SIZE 4096

struct port_entry {
	uint64_t key; /* of the relay's words; 0: free */
	uint32_t addresses[PORT_ADDRESSES_MAX];
};

struct port_table {
	struct hash_key seed; /* random: clients may choose what a relay says of them */
	struct port_entry entries[PORT_TABLE_SIZE];
};

/*
 * Live leases and offers behind the packet's port that are not this client's own; 0 when the
 * relay names no port.
 */
size_t port_count(const struct port_table *table, const struct packet *packet,
		  const struct lease_table *leases, const struct lease_client *client,
		  uint64_t now_ms);
/* The address is in use behind this port; in place of one that is not any longer. */
void port_note(struct port_table *table, const struct packet *packet, uint32_t address,
	       const struct lease_table *leases, uint64_t now_ms);

#endif
