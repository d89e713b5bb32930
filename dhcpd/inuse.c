#include "dhcpd/inuse.h"

#include <string.h>

#include "core/bytes.h"
#include "dhcpd/checksum.h"
#include "dhcpd/frame.h"

#define ARP_ETHERNET 1
#define ARP_IPV4 0x0800
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define PROTOCOL_ICMP 1
#define HARDWARE_NONE 0 /* reserved (RFC 5494): no client has it */
#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO 8

const char *inuse_way_name(enum inuse_way way)
{
	static const char *const names[] = {"-", "arp", "icmp"};

	return names[way];
}

/* Kind of hardware and of address, and the length of each. */
static void put_arp_head(struct bytes_writer *out)
{
	bytes_put_u16(out, ARP_ETHERNET);
	bytes_put_u16(out, ARP_IPV4);
	bytes_put_u8(out, 6);
	bytes_put_u8(out, 4);
}

void inuse_put_arp(const struct mac *our_mac, uint32_t address, uint8_t packet[INUSE_ARP_SIZE])
{
	struct bytes_writer out = bytes_writer(packet, INUSE_ARP_SIZE);

	put_arp_head(&out);
	bytes_put_u16(&out, ARP_REQUEST);
	bytes_put(&out, our_mac->octet, sizeof(our_mac->octet));
	bytes_put_u32(&out, 0);
	bytes_put_zeros(&out, 6);
	bytes_put_u32(&out, address);
}

static bool is_card(const struct mac *mac)
{
	return !mac_is_zero(mac) && !(mac->octet[0] & 1);
}

enum err inuse_read_arp(const uint8_t *packet, size_t length, struct inuse_answer *ret_answer)
{
	uint8_t head[6];
	struct bytes_writer wanted = bytes_writer(head, sizeof(head));
	struct bytes_reader in = bytes_reader(packet, length);
	const uint8_t *found = bytes_take(&in, sizeof(head));
	uint16_t what = bytes_get_u16(&in);
	const uint8_t *mac = bytes_take(&in, 6);
	struct inuse_answer answer = {.address = bytes_get_u32(&in), .has_mac = true};

	put_arp_head(&wanted);
	/* the target is of no interest, but a packet without one is none */
	if (!bytes_take(&in, 10) || memcmp(found, head, sizeof(head)) != 0 ||
	    (what != ARP_REQUEST && what != ARP_REPLY))
		return ERR_FORMAT;
	memcpy(answer.mac.octet, mac, sizeof(answer.mac.octet));
	if (answer.address == 0 || !is_card(&answer.mac))
		return ERR_FORMAT;
	*ret_answer = answer;
	return ERR_OK;
}

/* Identifier and sequence number are the token's, too: whole it is in what comes back. */
void inuse_put_echo(uint64_t token, uint8_t message[INUSE_ECHO_SIZE])
{
	struct bytes_writer out = bytes_writer(message, INUSE_ECHO_SIZE);
	uint16_t checksum;

	bytes_put_u8(&out, ICMP_ECHO);
	bytes_put_u8(&out, 0);
	bytes_put_u16(&out, 0);
	bytes_put_u16(&out, (uint16_t)token);
	bytes_put_u16(&out, 1);
	bytes_put_u32(&out, (uint32_t)(token >> 32));
	bytes_put_u32(&out, (uint32_t)token);
	checksum = checksum_finish(checksum_add(0, message, INUSE_ECHO_SIZE));
	message[2] = (uint8_t)(checksum >> 8);
	message[3] = (uint8_t)checksum;
}

enum err inuse_read_echo(const uint8_t *packet, size_t length, uint64_t token,
			 struct inuse_answer *ret_answer)
{
	struct frame_ip ip;
	struct bytes_reader in;
	uint16_t identifier;

	if (frame_parse_ip(packet, length, PROTOCOL_ICMP, &ip) != ERR_OK ||
	    ip.payload_length != INUSE_ECHO_SIZE || ip.source == 0 ||
	    checksum_finish(checksum_add(0, ip.payload, ip.payload_length)) != 0)
		return ERR_FORMAT;
	in = bytes_reader(ip.payload, ip.payload_length);
	if (bytes_get_u8(&in) != ICMP_ECHO_REPLY || bytes_get_u8(&in) != 0)
		return ERR_FORMAT;
	(void)bytes_get_u16(&in);
	identifier = bytes_get_u16(&in);
	(void)bytes_get_u16(&in);
	if (identifier != (uint16_t)token || bytes_get_u32(&in) != (uint32_t)(token >> 32) ||
	    bytes_get_u32(&in) != (uint32_t)token)
		return ERR_FORMAT;
	*ret_answer = (struct inuse_answer){.address = ip.source};
	return ERR_OK;
}

void inuse_client(const struct inuse_answer *answer, struct lease_client *ret_client)
{
	struct bytes_writer out = bytes_writer(ret_client->octets, sizeof(ret_client->octets));

	if (answer->has_mac) {
		bytes_put_u8(&out, ARP_ETHERNET);
		bytes_put(&out, answer->mac.octet, sizeof(answer->mac.octet));
	} else {
		bytes_put_u8(&out, HARDWARE_NONE);
		bytes_put_u32(&out, answer->address);
	}
	ret_client->length = (uint16_t)out.length;
}
