/*
 * route - where does a reply go (RFC 2131 section 4.1)?
 *
 *	struct route route = route_reply(&packet, &facts);
 */
#ifndef ROUSE_DHCPD_ROUTE_H
#define ROUSE_DHCPD_ROUTE_H

#include <stdint.h>

#include "core/mac.h"
#include "dhcpd/packet.h"

#define ROUTE_PORT_SERVER 67
#define ROUTE_PORT_CLIENT 68

enum route_way {
	ROUTE_ADDRESS, /* an ordinary datagram: to a relay, or to a client that has its address
			*/
	ROUTE_BROADCAST, /* to 255.255.255.255 on the client's link */
	ROUTE_LINK, /* a frame to `mac`: the client has no address yet and answers no ARP */
};

struct route {
	enum route_way way;
	uint32_t address; /* where the datagram is addressed to */
	uint16_t port;
	struct mac mac; /* for ROUTE_LINK */
};

/* For a reply of this type that gives `yiaddr` (0 for a NAK and for the answer to INFORM). */
struct route route_reply(const struct packet *request, enum packet_message reply,
			 uint32_t yiaddr);

#endif
