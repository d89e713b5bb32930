#include "dhcpd/packet.h"

#include <string.h>

#include "dhcpd/option.h"

#define MAC_MULTICAST 1
#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

/* The parts of a message that hold options, in the order of RFC 3396 section 5. */
struct areas {
	struct bytes_reader area[3];
	size_t count;
};

/* The next option of an area; false at its end. A broken one ends its area. */
static bool next_option(struct bytes_reader *in, uint8_t *code, const uint8_t **octets,
			uint8_t *length)
{
	do {
		*code = bytes_get_u8(in);
	} while (!in->failed && *code == OPTION_PAD);
	if (in->failed || *code == OPTION_END)
		return false;
	*length = bytes_get_u8(in);
	*octets = bytes_take(in, *length);
	return !in->failed;
}

/* Which further fields hold options: only the options field itself may say so. */
static uint8_t read_overload(struct bytes_reader in)
{
	const uint8_t *octets;
	uint8_t code, length, overload = 0;

	while (next_option(&in, &code, &octets, &length)) {
		if (code == OPTION_OVERLOAD && length == 1)
			overload = octets[0];
	}
	return overload;
}

static void count_options(struct bytes_reader in, struct packet *packet)
{
	const uint8_t *octets;
	uint8_t code, length;

	while (next_option(&in, &code, &octets, &length)) {
		packet->options[code].is_present = true;
		packet->options[code].length =
			(uint16_t)(packet->options[code].length + length);
	}
}

static void copy_options(struct bytes_reader in, struct packet *packet, uint16_t *ends)
{
	const uint8_t *octets;
	uint8_t code, length;

	while (next_option(&in, &code, &octets, &length)) {
		if (length > 0)
			memcpy(packet->store + ends[code], octets, length);
		ends[code] = (uint16_t)(ends[code] + length);
	}
}

/*
 * Two walks: the first learns how long each option is when its parts are joined, the second
 * copies. All options together are shorter than the packet, so the store always suffices.
 */
static void gather_options(const struct areas *areas, struct packet *packet)
{
	uint16_t ends[256], at = 0;

	for (size_t i = 0; i < areas->count; i++)
		count_options(areas->area[i], packet);
	for (size_t code = 0; code < 256; code++) {
		packet->options[code].at = at;
		ends[code] = at;
		at = (uint16_t)(at + packet->options[code].length);
	}
	for (size_t i = 0; i < areas->count; i++)
		copy_options(areas->area[i], packet, ends);
}

static void parse_options(struct bytes_reader options, const uint8_t *sname,
			  const uint8_t *file, struct packet *packet)
{
	struct areas areas = {.area = {options}, .count = 1};
	uint8_t overload = read_overload(options);
	uint8_t message;

	if (overload & OVERLOAD_FILE)
		areas.area[areas.count++] = bytes_reader(file, PACKET_FILE_SIZE);
	if (overload & OVERLOAD_SNAME)
		areas.area[areas.count++] = bytes_reader(sname, PACKET_SNAME_SIZE);
	gather_options(&areas, packet);
	if (packet_option_u8(packet, OPTION_MESSAGE_TYPE, &message))
		packet->message = (enum packet_message)message;
}

enum err packet_parse(const void *data, size_t size, struct packet *ret_packet)
{
	struct bytes_reader in = bytes_reader(data, size);
	const uint8_t *chaddr, *sname, *file;

	if (size < PACKET_HEADER_SIZE)
		return ERR_SHORT;
	if (size > PACKET_SIZE_MAX)
		return ERR_RANGE;
	if (((const uint8_t *)data)[2] > PACKET_CHADDR_SIZE)
		return ERR_FORMAT;
	memset(ret_packet, 0, offsetof(struct packet, store));
	ret_packet->op = bytes_get_u8(&in);
	ret_packet->htype = bytes_get_u8(&in);
	ret_packet->hlen = bytes_get_u8(&in);
	ret_packet->hops = bytes_get_u8(&in);
	ret_packet->xid = bytes_get_u32(&in);
	ret_packet->secs = bytes_get_u16(&in);
	ret_packet->flags = bytes_get_u16(&in);
	ret_packet->ciaddr = bytes_get_u32(&in);
	ret_packet->yiaddr = bytes_get_u32(&in);
	ret_packet->siaddr = bytes_get_u32(&in);
	ret_packet->giaddr = bytes_get_u32(&in);
	chaddr = bytes_take(&in, PACKET_CHADDR_SIZE);
	sname = bytes_take(&in, PACKET_SNAME_SIZE);
	file = bytes_take(&in, PACKET_FILE_SIZE);
	memcpy(ret_packet->chaddr, chaddr, PACKET_CHADDR_SIZE);
	if (bytes_get_u32(&in) == PACKET_COOKIE && !in.failed)
		parse_options(in, sname, file, ret_packet);
	return ERR_OK;
}

const uint8_t *packet_option(const struct packet *packet, uint8_t code, size_t *ret_length)
{
	const struct packet_option *option = &packet->options[code];

	if (!option->is_present)
		return NULL;
	*ret_length = option->length;
	return packet->store + option->at;
}

bool packet_option_u32(const struct packet *packet, uint8_t code, uint32_t *ret_value)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, code, &length);
	struct bytes_reader in;

	if (!octets || length != 4)
		return false;
	in = bytes_reader(octets, length);
	*ret_value = bytes_get_u32(&in);
	return true;
}

bool packet_option_u16(const struct packet *packet, uint8_t code, uint16_t *ret_value)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, code, &length);

	if (!octets || length != 2)
		return false;
	*ret_value = (uint16_t)(octets[0] << 8 | octets[1]);
	return true;
}

bool packet_option_u8(const struct packet *packet, uint8_t code, uint8_t *ret_value)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, code, &length);

	if (!octets || length != 1)
		return false;
	*ret_value = octets[0];
	return true;
}

bool packet_mac(const struct packet *packet, struct mac *ret_mac)
{
	if (packet->htype != PACKET_HTYPE_ETHERNET || packet->hlen != sizeof(ret_mac->octet))
		return false;
	memcpy(ret_mac->octet, packet->chaddr, sizeof(ret_mac->octet));
	/* many cards' address is no client's: a reply would go to all of them */
	return !mac_is_zero(ret_mac) && !(ret_mac->octet[0] & MAC_MULTICAST);
}

size_t packet_reply_max(const struct packet *packet)
{
	enum { HEADERS = 28 };
	uint16_t said;

	/* OVMF says 65280 in its REQUEST: the frame is the limit then (RFC 2132 section 9.10)
	 */
	if (!packet_option_u16(packet, OPTION_MAX_MESSAGE_SIZE, &said) ||
	    said < PACKET_SIZE_EVERYBODY + HEADERS)
		return PACKET_SIZE_EVERYBODY;
	if (said > PACKET_SIZE_REPLY_MAX + HEADERS)
		return PACKET_SIZE_REPLY_MAX;
	return (size_t)said - HEADERS;
}

void packet_adopt_source(struct packet *packet, uint32_t source)
{
	if (packet->message == PACKET_INFORM && packet->ciaddr == 0 && packet->giaddr == 0)
		packet->ciaddr = source;
}

const char *packet_message_name(enum packet_message message)
{
	static const char *const names[] = {"bootp",   "discover", "offer",
					    "request", "decline",  "ack",
					    "nak",     "release",  "inform"};

	return (size_t)message < sizeof(names) / sizeof(names[0]) ? names[message] : "unknown";
}

void packet_put_header(struct bytes_writer *out, const struct packet_header *header)
{
	size_t file_length = strlen(header->file);

	bytes_put_u8(out, header->op);
	bytes_put_u8(out, header->htype);
	bytes_put_u8(out, header->hlen);
	bytes_put_u8(out, 0);
	bytes_put_u32(out, header->xid);
	bytes_put_u16(out, 0);
	bytes_put_u16(out, header->flags);
	bytes_put_u32(out, header->ciaddr);
	bytes_put_u32(out, header->yiaddr);
	bytes_put_u32(out, header->siaddr);
	bytes_put_u32(out, header->giaddr);
	bytes_put(out, header->chaddr, PACKET_CHADDR_SIZE);
	bytes_put_zeros(out, PACKET_SNAME_SIZE);
	bytes_put(out, header->file, file_length);
	bytes_put_zeros(out, PACKET_FILE_SIZE - file_length);
	bytes_put_u32(out, PACKET_COOKIE);
}

void packet_put_request(struct bytes_writer *out, const struct mac *mac, uint32_t xid,
			uint16_t flags)
{
	uint8_t chaddr[PACKET_CHADDR_SIZE] = {0};
	struct packet_header header = {
		.op = PACKET_BOOTREQUEST,
		.htype = PACKET_HTYPE_ETHERNET,
		.hlen = sizeof(mac->octet),
		.xid = xid,
		.flags = flags,
		.chaddr = chaddr,
		.file = "",
	};

	memcpy(chaddr, mac->octet, sizeof(mac->octet));
	packet_put_header(out, &header);
}
