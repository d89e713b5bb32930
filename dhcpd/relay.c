#include "dhcpd/relay.h"

#include "dhcpd/option.h"

enum sub_option {
	SUB_CIRCUIT_ID = 1,
	SUB_REMOTE_ID = 2,
	SUB_LINK_SELECTION = 5,
	SUB_FLAGS = 10,
	SUB_SERVER_ID = 11,
};

#define FLAG_UNICAST 0x80

static uint32_t read_address(const uint8_t *octets)
{
	struct bytes_reader in = bytes_reader(octets, 4);

	return bytes_get_u32(&in);
}

static void read_part(struct relay_info *relay, uint8_t code, const uint8_t *octets,
		      uint8_t length)
{
	switch (code) {
	case SUB_CIRCUIT_ID:
		relay->circuit_id = octets;
		relay->circuit_length = length;
		break;
	case SUB_REMOTE_ID:
		relay->remote_id = octets;
		relay->remote_length = length;
		break;
	case SUB_LINK_SELECTION:
		relay->has_link = length == 4;
		relay->link = relay->has_link ? read_address(octets) : 0;
		break;
	case SUB_SERVER_ID:
		relay->has_server_id = length == 4 && read_address(octets) != 0;
		relay->server_id = relay->has_server_id ? read_address(octets) : 0;
		break;
	case SUB_FLAGS:
		relay->was_unicast = length == 1 && octets[0] & FLAG_UNICAST;
		break;
	default:
		break;
	}
}

struct relay_info relay_read(const struct packet *packet)
{
	struct relay_info relay = {0};
	size_t length;
	const uint8_t *agent = packet_option(packet, OPTION_RELAY_AGENT, &length);
	struct bytes_reader in = bytes_reader(agent, agent ? length : 0);

	/* a client that plays its own relay is not believed */
	while (packet->giaddr != 0 && in.left > 0) {
		uint8_t code = bytes_get_u8(&in);
		uint8_t part_length = bytes_get_u8(&in);
		const uint8_t *part = bytes_take(&in, part_length);

		if (!part)
			break;
		read_part(&relay, code, part, part_length);
	}
	return relay;
}
