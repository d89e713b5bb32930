/*
 * pool - which address would a new client get?
 *
 * The search begins where a keyed hash of the client falls in the subnet's pools, so every
 * dhcpd of a site offers a client the same address, and a client that was forgotten gets its
 * old one back as long as nobody took it.
 *
 * An address that nobody had goes before one whose lease has ended, and of those that which
 * ended longest ago: its client is the least likely to come back.
 *
 *	struct pool_question question = {.site = site, .subnet = subnet, .leases = &table, ...};
 *	if (pool_pick(&question, &address) != ERR_OK)
 *		... every address is taken
 */
#ifndef ROUSE_DHCPD_POOL_H
#define ROUSE_DHCPD_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/site.h"
#include "dhcpd/lease_table.h"
#include "dhcpd/ours.h"

struct pool_question {
	const struct site *site;
	const struct site_subnet *subnet;
	const struct lease_table *leases;
	const struct lease_client *client;
	const struct mac *mac; /* NULL: not an Ethernet client */
	/* our own addresses are never given away */
	uint32_t server;
	const struct ours *ours; /* the others; NULL: there are none */
	uint64_t now_ms;
	uint64_t grace_ms;
};

/* Addresses in the subnet's pools, before anything is taken out. */
uint64_t pool_size(const struct site *site, const struct site_subnet *subnet);
bool pool_holds(const struct site *site, const struct site_subnet *subnet, uint32_t address);
/* The address reserved for this card in this subnet, or 0. */
uint32_t pool_reserved_for(const struct site *site, const struct site_subnet *subnet,
			   const struct mac *mac);
/*
 * Do the operators let this client have the address: is it reserved for its card, or in a pool,
 * reserved for nobody, and no host of the network's own (the server, a router)?
 */
bool pool_permits(const struct pool_question *question, uint32_t address);
/* Permitted, and taken by nobody else. */
bool pool_is_free(const struct pool_question *question, uint32_t address);
/* ERR_ABSENT: no address of the pools is free (or there is no pool). */
MUST_CHECK enum err pool_pick(const struct pool_question *question, uint32_t *ret_address);

#endif
