/*
 * place - in which subnet is the client?
 *
 * Its link is what the relay says (RFC 3527, else giaddr), what it says itself where the site
 * allows it (RFC 3011), its own address if that came here unicast, or our interface. Subnets
 * with one shared_network are one link: there it is the one that holds the address it names, or
 * has its reservation or lease.
 */
#ifndef ROUSE_DHCPD_PLACE_H
#define ROUSE_DHCPD_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/site.h"
#include "dhcpd/lease_table.h"
#include "dhcpd/packet.h"
#include "dhcpd/relay.h"

struct place_question {
	const struct site *site;
	const struct lease_table *leases;
	const struct packet *packet;
	const struct relay_info *relay;
	const struct lease_client *client;
	const struct mac *mac; /* NULL: not an Ethernet client */
	uint32_t server;       /* our address on the interface */
	bool is_unicast;
};

struct place {
	const struct site_subnet *subnet; /* NULL: no subnet holds the client's link */
	bool by_selection;		  /* option 118 chose: it goes back in the reply */
};

struct place place_of(const struct place_question *question);
/* Is the address in this subnet, or in another one of the same link? */
bool place_holds(const struct site *site, const struct site_subnet *subnet, uint32_t address);

#endif
