#include "dhcpd/fresh.h"

const char *fresh_limit(const struct decide_question *question,
			const struct decide_verdict *verdict)
{
	long most = site_setting_number(question->site, "dhcp_port_addresses_max", 0);

	if (question->ports && most > 0 &&
	    port_count(question->ports, question->packet, question->leases, &verdict->client,
		       question->now_ms) >= (size_t)most)
		return "the port of the switch has as many addresses as "
		       "dhcp_port_addresses_max allows";
	return NULL;
}

/* ARP reaches the interface's own wire only; who came by a relay is elsewhere. */
static enum inuse_way way_to(const struct decide_question *question,
			     const struct site_subnet *subnet)
{
	bool is_relayed = question->packet->giaddr != 0;

	switch (subnet->probe) {
	case SITE_PROBE_ARP:
		return is_relayed ? INUSE_NOT_ASKED : INUSE_ARP;
	case SITE_PROBE_ICMP:
		return INUSE_ICMP;
	case SITE_PROBE_AUTO:
		return is_relayed ? INUSE_ICMP : INUSE_ARP;
	default:
		return INUSE_NOT_ASKED;
	}
}

enum inuse_way fresh_probe(const struct decide_question *question,
			   const struct decide_verdict *verdict, uint32_t address)
{
	const struct lease *lease = lease_at(question->leases, address);
	const struct inquiry *inquiry;

	if (!question->inquiries || verdict->subnet->probe == SITE_PROBE_OFF ||
	    address == question->cleared)
		return INUSE_NOT_ASKED;
	/* while it is being asked for, the address is held for this client */
	inquiry = inquiry_of(question->inquiries, &verdict->client);
	if (inquiry && inquiry->address == address)
		return inquiry->way;
	if (lease && lease_client_equal(&lease->client, &verdict->client))
		return INUSE_NOT_ASKED;
	return way_to(question, verdict->subnet);
}
