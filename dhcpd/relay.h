/*
 * relay - what a relay agent says of a client: option 82 (RFC 3046) and its sub-options.
 *
 *	struct relay_info relay = relay_read(&packet);
 *	if (relay.has_link)
 *		... the client's subnet is that of relay.link, not that of giaddr
 */
#ifndef ROUSE_DHCPD_RELAY_H
#define ROUSE_DHCPD_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcpd/packet.h"

struct relay_info {
	const uint8_t *circuit_id, *remote_id; /* NULL when absent; in the packet */
	size_t circuit_length, remote_length;
	bool has_link; /* RFC 3527 */
	uint32_t link;
	bool has_server_id; /* RFC 5107: the relay plays the server */
	uint32_t server_id;
	bool was_unicast; /* RFC 5010: the client sent it to the relay alone */
};

/* Nothing is there when the packet came by no relay; a broken sub-option ends the reading. */
struct relay_info relay_read(const struct packet *packet);

#endif
