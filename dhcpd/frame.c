#include "dhcpd/frame.h"

#include "core/bytes.h"
#include "dhcpd/checksum.h"

#define IP_HEADER_SIZE 20
#define UDP_HEADER_SIZE 8
#define PROTOCOL_UDP 17
#define DONT_FRAGMENT 0x4000U
#define TIME_TO_LIVE 64

static void store(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_ip_header(struct bytes_writer *out, const struct frame *frame, uint16_t length)
{
	bytes_put_u8(out, 0x45); /* version 4, five words */
	bytes_put_u8(out, 0);
	bytes_put_u16(out, length);
	bytes_put_u16(out, 0);
	bytes_put_u16(out, DONT_FRAGMENT);
	bytes_put_u8(out, TIME_TO_LIVE);
	bytes_put_u8(out, PROTOCOL_UDP);
	bytes_put_u16(out, 0);
	bytes_put_u32(out, frame->source);
	bytes_put_u32(out, frame->destination);
}

/* Some boot ROMs do check it, so it is never left out. */
static uint16_t udp_checksum(const uint8_t *packet, uint16_t udp_length)
{
	/* the pseudo-header is both addresses, the protocol and the length (RFC 768) */
	uint32_t sum = checksum_add(PROTOCOL_UDP + (uint32_t)udp_length, packet + 12, 8);
	uint16_t checksum =
		checksum_finish(checksum_add(sum, packet + IP_HEADER_SIZE, udp_length));

	return checksum == 0 ? 0xffff : checksum;
}

enum err frame_encode(const struct frame *frame, uint8_t *buffer, size_t size,
		      size_t *ret_length)
{
	struct bytes_writer out = bytes_writer(buffer, size);
	size_t length = FRAME_HEADERS_SIZE + frame->payload_length;
	uint16_t udp_length = (uint16_t)(length - IP_HEADER_SIZE);

	if (length > UINT16_MAX)
		return ERR_RANGE;
	put_ip_header(&out, frame, (uint16_t)length);
	bytes_put_u16(&out, frame->source_port);
	bytes_put_u16(&out, frame->destination_port);
	bytes_put_u16(&out, udp_length);
	bytes_put_u16(&out, 0);
	bytes_put(&out, frame->payload, frame->payload_length);
	if (out.failed)
		return ERR_SPACE;
	store(buffer + 10, checksum_finish(checksum_add(0, buffer, IP_HEADER_SIZE)));
	store(buffer + IP_HEADER_SIZE + 6, udp_checksum(buffer, udp_length));
	*ret_length = length;
	return ERR_OK;
}

enum err frame_parse_ip(const uint8_t *packet, size_t length, uint8_t protocol,
			struct frame_ip *ret_ip)
{
	struct bytes_reader in = bytes_reader(packet, length);
	uint8_t version = bytes_get_u8(&in);
	size_t header = (size_t)(version & 0x0f) * 4;
	struct frame_ip ip;
	uint16_t total, fragment;

	(void)bytes_get_u8(&in);
	total = bytes_get_u16(&in);
	(void)bytes_get_u16(&in);
	fragment = bytes_get_u16(&in);
	(void)bytes_get_u8(&in);
	if (bytes_get_u8(&in) != protocol || version >> 4 != 4 || fragment & 0x3fff)
		return ERR_FORMAT;
	(void)bytes_get_u16(&in);
	ip.source = bytes_get_u32(&in);
	ip.destination = bytes_get_u32(&in);
	if (in.failed || header < IP_HEADER_SIZE || total < header || total > length)
		return ERR_FORMAT;
	/* short frames are padded: what follows the packet is not part of it */
	ip.payload = packet + header;
	ip.payload_length = total - header;
	*ret_ip = ip;
	return ERR_OK;
}

enum err frame_parse(const uint8_t *packet, size_t length, struct frame *ret_frame)
{
	struct frame_ip ip;
	struct frame frame = {0};
	struct bytes_reader in;
	size_t udp_length;

	if (frame_parse_ip(packet, length, PROTOCOL_UDP, &ip) != ERR_OK)
		return ERR_FORMAT;
	frame.source = ip.source;
	frame.destination = ip.destination;
	in = bytes_reader(ip.payload, ip.payload_length);
	frame.source_port = bytes_get_u16(&in);
	frame.destination_port = bytes_get_u16(&in);
	udp_length = bytes_get_u16(&in);
	(void)bytes_get_u16(&in);
	if (in.failed || udp_length < UDP_HEADER_SIZE)
		return ERR_FORMAT;
	frame.payload_length = udp_length - UDP_HEADER_SIZE;
	frame.payload = bytes_take(&in, frame.payload_length);
	if (!frame.payload)
		return ERR_FORMAT;
	*ret_frame = frame;
	return ERR_OK;
}
