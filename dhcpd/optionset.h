/*
 * optionset - the values that this client's options have: what operators configured, the more
 * special scope over the more general one (global, subnet, class, group, host). The columns of
 * a subnet are values of the subnet's scope; a host's name is the least of the host's.
 *
 *	struct optionset set;
 *	optionset_gather(&(struct optionset_question){...}, &set);
 *	if (set.values[OPTION_DNS].octets)
 */
#ifndef ROUSE_DHCPD_OPTIONSET_H
#define ROUSE_DHCPD_OPTIONSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/site.h"
#include "dhcpd/packet.h"
#include "dhcpd/pxe.h"

struct optionset_question {
	const struct site *site;
	const struct site_subnet *subnet;
	const struct host *host; /* NULL: unknown */
	const struct pxe_client *client;
	const struct packet *request;
};

struct option_value {
	const uint8_t *octets; /* NULL: no value */
	uint16_t length;
	bool is_always; /* sent also to who does not ask for it */
};

/* Values point into the site and into `own`: it is not to be copied or moved. */
struct optionset {
	struct option_value values[256];
	struct {
		uint8_t mask[4], broadcast[4];
		uint8_t routers[4 * SITE_ADDRESSES_MAX], dns[4 * SITE_ADDRESSES_MAX];
	} own;
};

void optionset_gather(const struct optionset_question *question, struct optionset *ret_set);

#endif
