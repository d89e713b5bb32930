#include "dhcpd/advert.h"

#include <string.h>

#include "core/bytes.h"
#include "dhcpd/checksum.h"

#define IPV6_HEADER_SIZE 40
#define IPV6_NEXT_ICMP 58
#define HOP_LIMIT_LINK 255 /* proves that no router has passed it on */
#define ICMP_SOLICITATION 133
#define ICMP_ADVERTISEMENT 134
#define OPTION_OUR_MAC 1

void advert_note_client(struct advert_memory *memory, const struct mac *mac, uint64_t now_ms)
{
	for (size_t i = 0; i < ADVERT_CLIENTS; i++) {
		if (mac_equal(&memory->clients[i].mac, mac)) {
			memory->clients[i].at_ms = now_ms;
			return;
		}
	}
	memory->clients[memory->next].mac = *mac;
	memory->clients[memory->next].at_ms = now_ms;
	memory->next = (memory->next + 1) % ADVERT_CLIENTS;
}

bool advert_is_due(const struct advert_memory *memory, const struct mac *mac, uint64_t now_ms)
{
	if (memory->router_until_ms > now_ms || mac_is_zero(mac))
		return false;
	for (size_t i = 0; i < ADVERT_CLIENTS; i++) {
		if (mac_equal(&memory->clients[i].mac, mac))
			return now_ms - memory->clients[i].at_ms < ADVERT_CLIENT_MS;
	}
	return false;
}

bool advert_read(struct advert_memory *memory, const uint8_t *packet, size_t length,
		 uint64_t now_ms, uint8_t ret_source[16])
{
	struct bytes_reader in = bytes_reader(packet, length);
	const uint8_t *header = bytes_take(&in, IPV6_HEADER_SIZE);
	const uint8_t *message = bytes_take(&in, 8);
	uint16_t lifetime_seconds;

	if (!header || !message || header[0] >> 4 != 6 || header[6] != IPV6_NEXT_ICMP ||
	    header[7] != HOP_LIMIT_LINK || message[1] != 0)
		return false;
	if (message[0] == ICMP_ADVERTISEMENT) {
		lifetime_seconds = (uint16_t)(message[6] << 8);
		lifetime_seconds = (uint16_t)(lifetime_seconds | message[7]);
		if (lifetime_seconds > 0)
			memory->router_until_ms = now_ms + (uint64_t)lifetime_seconds * 1000;
		return false;
	}
	if (message[0] != ICMP_SOLICITATION)
		return false;
	memcpy(ret_source, header + 8, 16);
	return true;
}

/* fe80::/64 and the card's EUI-64 (RFC 4291 appendix A). */
static void put_link_local(struct bytes_writer *out, const struct mac *mac)
{
	static const uint8_t prefix[8] = {0xfe, 0x80};

	bytes_put(out, prefix, sizeof(prefix));
	bytes_put_u8(out, mac->octet[0] ^ 2);
	bytes_put(out, mac->octet + 1, 2);
	bytes_put_u16(out, 0xfffe);
	bytes_put(out, mac->octet + 3, 3);
}

/* Who asks without an address of its own is answered at the address of all nodes. */
static void put_destination(struct bytes_writer *out, const uint8_t destination[16])
{
	static const uint8_t unspecified[16];
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};

	bytes_put(out, memcmp(destination, unspecified, 16) == 0 ? all_nodes : destination, 16);
}

void advert_encode(const struct mac *our_mac, const uint8_t destination[16],
		   uint8_t ret_packet[ADVERT_SIZE])
{
	struct bytes_writer out = bytes_writer(ret_packet, ADVERT_SIZE);
	uint16_t length = ADVERT_SIZE - IPV6_HEADER_SIZE;
	uint16_t checksum;

	bytes_put_u32(&out, 6U << 28);
	bytes_put_u16(&out, length);
	bytes_put_u8(&out, IPV6_NEXT_ICMP);
	bytes_put_u8(&out, HOP_LIMIT_LINK);
	put_link_local(&out, our_mac);
	put_destination(&out, destination);
	bytes_put_u8(&out, ICMP_ADVERTISEMENT);
	/* no code, checksum, hop limit, flags; lifetime 0; no times: all unspecified */
	bytes_put_zeros(&out, 15);
	bytes_put_u8(&out, OPTION_OUR_MAC);
	bytes_put_u8(&out, 1);
	bytes_put(&out, our_mac->octet, sizeof(our_mac->octet));
	/* the pseudo-header: both addresses, length, next header (RFC 8200 section 8.1) */
	checksum = checksum_finish(checksum_add(IPV6_NEXT_ICMP + (uint32_t)length,
						ret_packet + 8, ADVERT_SIZE - 8));
	ret_packet[IPV6_HEADER_SIZE + 2] = (uint8_t)(checksum >> 8);
	ret_packet[IPV6_HEADER_SIZE + 3] = (uint8_t)checksum;
}
