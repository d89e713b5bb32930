#include "dhcpd/fresh.h"

#include "dhcpd/pool.h"

static size_t most_of(const struct decide_question *question, const char *setting)
{
	long most = site_setting_number(question->site, setting, 0);

	return question->quotas && most > 0 ? (size_t)most : 0;
}

static struct quota_now now_of(const struct decide_question *question,
			       const struct decide_verdict *verdict)
{
	return (struct quota_now){question->leases, &verdict->client, question->now_ms};
}

static const struct mac *mac_of(const struct decide_verdict *verdict)
{
	return verdict->has_mac ? &verdict->mac : NULL;
}

/* By its MAC alone: a UUID that operators know can be copied by any number of machines. */
static bool is_known(const struct decide_verdict *verdict)
{
	return verdict->has_mac && site_host_by_mac(verdict->site, &verdict->mac);
}

const char *fresh_limit(const struct decide_question *question,
			const struct decide_verdict *verdict)
{
	const struct quotas *quotas = question->quotas;
	struct quota_now now = now_of(question, verdict);
	size_t most = most_of(question, "dhcp_port_addresses_max");

	if (lease_declined_by(question->leases, &verdict->client, question->now_ms) >=
	    FRESH_DECLINES_MAX)
		return "the client has declined eight addresses: set probe in rouse.subnets, "
		       "and look who answers for them";
	if (most > 0 &&
	    quota_is_full(&quotas->ports, quota_key_of_port(&quotas->ports, question->packet),
			  most, &now))
		return "the port of the switch has as many addresses as "
		       "dhcp_port_addresses_max allows";
	most = most_of(question, "dhcp_prefix_addresses_max");
	if (most > 0 && !is_known(verdict) &&
	    quota_is_full(&quotas->prefixes,
			  quota_key_of_prefix(&quotas->prefixes, mac_of(verdict)), most, &now))
		return "unknown machines whose MAC begins like this one's have as many "
		       "addresses as dhcp_prefix_addresses_max allows";
	return NULL;
}

void fresh_note(struct quotas *quotas, const struct decide_question *question,
		const struct decide_verdict *verdict)
{
	struct quota_now now = now_of(question, verdict);
	const struct mac *mac = mac_of(verdict);

	if (most_of(question, "dhcp_port_addresses_max") > 0)
		quota_note(&quotas->ports, quota_key_of_port(&quotas->ports, question->packet),
			   verdict->address, &now);
	if (most_of(question, "dhcp_prefix_addresses_max") > 0 && !is_known(verdict) &&
	    !(mac &&
	      pool_reserved_for(question->site, verdict->subnet, mac) == verdict->address))
		quota_note(&quotas->prefixes, quota_key_of_prefix(&quotas->prefixes, mac),
			   verdict->address, &now);
}

void fresh_forget(struct quotas *quotas, const struct decide_question *question,
		  uint32_t address)
{
	struct quota_now now = {question->leases, NULL, question->now_ms};

	quota_forget(&quotas->ports, address, &now);
	quota_forget(&quotas->prefixes, address, &now);
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
	if (lease && lease_is_of(lease, &verdict->client))
		return INUSE_NOT_ASKED;
	return way_to(question, verdict->subnet);
}
