#include "dhcpd/route.h"

#define EVERYBODY 0xffffffffU

struct route route_reply(const struct packet *request, enum packet_message reply,
			 uint32_t yiaddr)
{
	struct route route = {ROUTE_BROADCAST, EVERYBODY, ROUTE_PORT_CLIENT, {{0}}};

	/*
	 * It has an address, and is told there, past the relay (RFC 2131 section 4.3.5): a
	 * relay that goes by yiaddr, as ISC's does, would send it to nobody.
	 */
	if (request->message == PACKET_INFORM && request->ciaddr != 0) {
		route.way = ROUTE_ADDRESS;
		route.address = request->ciaddr;
		return route;
	}
	/* behind a relay: it knows how to reach the client */
	if (request->giaddr != 0) {
		route.way = ROUTE_ADDRESS;
		route.address = request->giaddr;
		route.port = ROUTE_PORT_SERVER;
		return route;
	}
	/* a NAK takes the address away, so it cannot be sent to that address */
	if (reply == PACKET_NAK)
		return route;
	/* an address that is not the client's to name may be a stranger's, who did not ask */
	if (request->ciaddr != 0 && (yiaddr == 0 || yiaddr == request->ciaddr)) {
		route.way = ROUTE_ADDRESS;
		route.address = request->ciaddr;
		return route;
	}
	if (request->flags & PACKET_FLAG_BROADCAST || yiaddr == 0)
		return route;
	if (packet_mac(request, &route.mac)) {
		route.way = ROUTE_LINK;
		route.address = yiaddr;
	}
	return route;
}
