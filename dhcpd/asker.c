#include "dhcpd/asker.h"

#include "dhcpd/place.h"
#include "dhcpd/relay.h"

static void choose_place(const struct decide_question *question, struct decide_verdict *verdict,
			 bool *is_renewal)
{
	const struct packet *packet = question->packet;
	struct relay_info relay = relay_read(packet);
	struct place place = place_of(&(struct place_question){
		question->site, question->leases, packet, &relay, &verdict->client,
		verdict->has_mac ? &verdict->mac : NULL, question->server,
		question->is_unicast});

	verdict->subnet = place.subnet;
	verdict->by_selection = place.by_selection;
	if (relay.has_server_id)
		verdict->server = relay.server_id;
	/* a relay's own datagrams are unicast: what counts is how the client sent its own */
	*is_renewal = packet->giaddr != 0 ? relay.was_unicast || relay.has_server_id
					  : question->is_unicast;
}

const char *asker_identify(const struct decide_question *question,
			   struct decide_verdict *verdict, bool *ret_is_renewal)
{
	const struct packet *packet = question->packet;
	bool by_identifier =
		!site_setting_truth(question->site, "one_machine_one_address", true);

	if (packet->op != PACKET_BOOTREQUEST)
		return "it is a reply, not a request";
	verdict->has_mac = packet_mac(packet, &verdict->mac);
	verdict->pxe = pxe_client(packet);
	verdict->host = site_host_of(question->site, &verdict->mac, verdict->has_mac,
				     verdict->pxe.has_uuid ? &verdict->pxe.uuid : NULL);
	if (lease_client_of(packet, by_identifier, &verdict->client) != ERR_OK) {
		verdict->client.length = 0;
		return "the client shows neither a hardware address nor an identifier";
	}
	if (question->server == 0)
		return "the interface has no IPv4 address: give it one";
	choose_place(question, verdict, ret_is_renewal);
	return verdict->subnet
		       ? NULL
		       : "no subnet holds the client's link: insert it into rouse.subnets";
}
