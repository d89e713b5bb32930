#include "dhcpd/place.h"

#include "dhcpd/option.h"
#include "dhcpd/pool.h"

static uint32_t link_address(const struct place_question *question, bool *ret_by_selection)
{
	const struct packet *packet = question->packet;
	uint32_t selected;

	*ret_by_selection = false;
	if (question->relay->has_link)
		return question->relay->link;
	if (packet_option_u32(packet, OPTION_SUBNET_SELECTION, &selected) &&
	    site_setting_truth(question->site, "dhcp_subnet_selection", false)) {
		*ret_by_selection = true;
		return selected;
	}
	if (packet->giaddr != 0)
		return packet->giaddr;
	return packet->ciaddr != 0 && question->is_unicast ? packet->ciaddr : question->server;
}

static const struct site_subnet *holder(const struct site *site,
					const struct site_subnet *first, uint32_t address)
{
	const struct site_subnet *subnet = first;

	do {
		if (ip4_net_holds(&subnet->net, address))
			return subnet;
		subnet = site_subnet_beside(site, subnet);
	} while (subnet != first);
	return NULL;
}

bool place_holds(const struct site *site, const struct site_subnet *subnet, uint32_t address)
{
	return holder(site, subnet, address) != NULL;
}

/* A reservation before a lease: it may have been made since. */
static const struct site_subnet *familiar(const struct place_question *question,
					  const struct site_subnet *first)
{
	const struct site_subnet *subnet = first, *leased = NULL;

	do {
		if (question->mac &&
		    pool_reserved_for(question->site, subnet, question->mac) != 0)
			return subnet;
		if (!leased &&
		    lease_of_client(question->leases, question->client, &subnet->net))
			leased = subnet;
		subnet = site_subnet_beside(question->site, subnet);
	} while (subnet != first);
	return leased;
}

struct place place_of(const struct place_question *question)
{
	const struct packet *packet = question->packet;
	struct place place = {0};
	uint32_t link = link_address(question, &place.by_selection);
	uint32_t named = packet->ciaddr;
	const struct site_subnet *better = NULL;

	place.subnet = site_subnet_of(question->site, link);
	if (!place.subnet || site_subnet_beside(question->site, place.subnet) == place.subnet)
		return place;
	if (packet->message == PACKET_DISCOVER || packet->message == PACKET_BOOTP)
		better = familiar(question, place.subnet);
	if (!better &&
	    (named != 0 || packet_option_u32(packet, OPTION_REQUESTED_ADDRESS, &named)))
		better = holder(question->site, place.subnet, named);
	if (better)
		place.subnet = better;
	return place;
}
