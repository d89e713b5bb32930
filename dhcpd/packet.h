/*
 * packet - a BOOTP or DHCP message as it came from the wire (RFC 951, RFC 2131 section 2).
 *
 * Every length is distrusted here, once. Options are gathered from the options field and, as
 * option 52 says, from `file` and `sname` (RFC 2131 section 4.1); one that comes in parts is
 * joined (RFC 3396). An option that ends too early ends its field and spoils nothing else.
 *
 *	struct packet packet;
 *	size_t length;
 *	if (packet_parse(data, size, &packet) != ERR_OK)
 *		return;
 *	const uint8_t *class = packet_option(&packet, OPTION_VENDOR_CLASS, &length);
 */
#ifndef ROUSE_DHCPD_PACKET_H
#define ROUSE_DHCPD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/ip4.h"
#include "core/mac.h"

#define PACKET_SIZE_MAX 2048   /* longer ones are refused: no client sends them */
#define PACKET_HEADER_SIZE 236 /* up to and with `file` */
#define PACKET_SIZE_MIN 300    /* RFC 1542 section 2.1: what every reply is padded to */
#define PACKET_SIZE_EVERYBODY                                                                  \
	548			   /* what a client takes that does not say (576 less headers) \
				    */
#define PACKET_SIZE_REPLY_MAX 1472 /* what fits an Ethernet frame */
#define PACKET_SNAME_SIZE 64
#define PACKET_FILE_SIZE 128
#define PACKET_CHADDR_SIZE 16
#define PACKET_COOKIE 0x63825363U

#define PACKET_BOOTREQUEST 1
#define PACKET_BOOTREPLY 2
#define PACKET_HTYPE_ETHERNET 1
#define PACKET_FLAG_BROADCAST 0x8000U

enum packet_message {
	PACKET_BOOTP = 0, /* no option 53 */
	PACKET_DISCOVER = 1,
	PACKET_OFFER,
	PACKET_REQUEST,
	PACKET_DECLINE,
	PACKET_ACK,
	PACKET_NAK,
	PACKET_RELEASE,
	PACKET_INFORM,
};

struct packet_option {
	uint16_t at;
	uint16_t length;
	bool is_present;
};

struct packet {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr; /* host order */
	uint8_t chaddr[PACKET_CHADDR_SIZE];
	enum packet_message message; /* PACKET_BOOTP when 53 is absent; any octet may be here */
	struct packet_option options[256];
	uint8_t store[PACKET_SIZE_MAX]; /* the options' octets, joined */
};

/*
 * ERR_SHORT: less than the fixed header. ERR_RANGE: longer than PACKET_SIZE_MAX. ERR_FORMAT:
 * the hardware address is said to be longer than its field.
 */
MUST_CHECK enum err packet_parse(const void *data, size_t size, struct packet *ret_packet);
/* The option's octets (they live as long as the packet) and their number, or NULL if absent. */
const uint8_t *packet_option(const struct packet *packet, uint8_t code, size_t *ret_length);
/* false when absent or not of exactly four, two or one octets: such an option is ignored. */
bool packet_option_u32(const struct packet *packet, uint8_t code, uint32_t *ret_value);
bool packet_option_u16(const struct packet *packet, uint8_t code, uint16_t *ret_value);
bool packet_option_u8(const struct packet *packet, uint8_t code, uint8_t *ret_value);
/* false when the client's hardware is no Ethernet card, or its address not one card's. */
bool packet_mac(const struct packet *packet, struct mac *ret_mac);
/* The longest reply the client takes (option 57), without IP and UDP headers. */
size_t packet_reply_max(const struct packet *packet);
/*
 * An INFORM names its sender's address (ciaddr, RFC 2131 table 5); from one that does not, the
 * address that it was sent from is taken. What a relay passed on was sent by the relay.
 */
void packet_adopt_source(struct packet *packet, uint32_t source);
/* "discover" and so on; "bootp" without a type, "unknown" beyond INFORM. */
const char *packet_message_name(enum packet_message message);

/* The fixed part of a reply. */
struct packet_header {
	uint8_t op, htype, hlen;
	uint32_t xid;
	uint16_t flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	const uint8_t *chaddr; /* PACKET_CHADDR_SIZE octets */
	const char *file;      /* shorter than PACKET_FILE_SIZE; "" for none */
};

/* Header and magic cookie; what follows are options. */
void packet_put_header(struct bytes_writer *out, const struct packet_header *header);
/* The same for a question of our own, as from this Ethernet card. */
void packet_put_request(struct bytes_writer *out, const struct mac *mac, uint32_t xid,
			uint16_t flags);

#endif
