/*
 * neigh - the hardware address of a neighbour, of IPv4 or IPv6, from the kernel's table
 * (RTM_GETNEIGH of rtnetlink(7)): who asks, when a protocol such as TFTP does not say.
 *
 * One entry is asked for, by interface and address, so the table's size does not matter; the
 * kernel answers within the call, and nothing blocks. A client behind a router is no neighbour.
 *
 *	struct neigh neigh;
 *	if (neigh_open(&neigh) == ERR_OK && neigh_find(&neigh, interface, &address, &mac) ==
 * ERR_OK)
 */
#ifndef ROUSE_IO_NEIGH_H
#define ROUSE_IO_NEIGH_H

#include "core/err.h"
#include "core/ip.h"
#include "core/mac.h"

struct neigh {
	int socket; /* -1 when closed */
};

/* ERR_SYSTEM: errno says why; *neigh is then closed, and neigh_find() finds nothing. */
MUST_CHECK enum err neigh_open(struct neigh *neigh);
/* ERR_ABSENT: not in the table, or not an Ethernet address. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err neigh_find(struct neigh *neigh, unsigned interface,
			       const struct ip *address, struct mac *ret_mac);
void neigh_close(struct neigh *neigh);

#endif
