/*
 * terms - for how long a lease is given, and for how much longer it is recorded.
 *
 * A machine that boots asks three times within a minute: its firmware, its loader, its system.
 * Where the setting dhcp_repeat_seconds says so, a lease is recorded for some time longer than
 * its client is told, so that what the client is told again within that time is recorded
 * already, and its answer waits for no commit.
 */
#ifndef ROUSE_DHCPD_TERMS_H
#define ROUSE_DHCPD_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/site.h"
#include "dhcpd/lease.h"
#include "dhcpd/packet.h"

/* The client's wish (option 51) within the subnet's limits; without them the subnet's word. */
uint32_t terms_lease_seconds(const struct site_subnet *subnet, const struct packet *packet);
/* What a lease of so many seconds is recorded for beyond them: the setting dhcp_repeat_seconds,
 * but no more than an eighth. */
uint32_t terms_spare_seconds(const struct site *site, uint32_t lease_seconds);
/* Is this lease, the client's own, recorded for so long, and says the client nothing new of
 * itself? */
bool terms_are_recorded(const struct lease *lease, const struct packet *packet,
			uint32_t lease_seconds, uint64_t now_ms);

#endif
