#include "dhcpd/solicit.h"

#include <string.h>

#include "core/bytes.h"

#define IPV6_HEADER_SIZE 40
#define IPV6_NEXT_UDP 17
#define SERVER_PORT 547
#define MESSAGE_SOLICIT 1

/* RFC 8415 section 21, RFC 5970 section 3 */
enum { OPTION_USER_CLASS = 15, OPTION_VENDOR_CLASS = 16, OPTION_CLIENT_ARCH = 61 };

static bool begins_with(const uint8_t *octets, size_t length, const char *word)
{
	return length >= strlen(word) && memcmp(octets, word, strlen(word)) == 0;
}

/* Classes are a list, each with its length before it; is one of them this word? */
static bool has_class(struct bytes_reader in, const char *word)
{
	while (!in.failed && in.left > 0) {
		size_t length = bytes_get_u16(&in);
		const uint8_t *octets = bytes_take(&in, length);

		if (octets && begins_with(octets, length, word))
			return true;
	}
	return false;
}

static void read_option(uint16_t code, struct bytes_reader in, struct solicit *solicit)
{
	switch (code) {
	case OPTION_CLIENT_ARCH:
		solicit->has_arch = in.left >= 2;
		solicit->arch_code = bytes_get_u16(&in);
		if (solicit->has_arch && solicit->class == PXE_CLASS_OS)
			solicit->class = PXE_CLASS_FIRMWARE;
		break;
	case OPTION_VENDOR_CLASS:
		(void)bytes_get_u32(&in); /* whose classes these are */
		if (has_class(in, "HTTPClient") && solicit->class != PXE_CLASS_IPXE)
			solicit->class = PXE_CLASS_HTTP;
		if (has_class(in, "PXEClient") && solicit->class == PXE_CLASS_OS)
			solicit->class = PXE_CLASS_FIRMWARE;
		break;
	case OPTION_USER_CLASS:
		/* iPXE keeps the vendor class of firmware */
		if (has_class(in, "iPXE"))
			solicit->class = PXE_CLASS_IPXE;
		break;
	default:
		break;
	}
}

bool solicit_read(const uint8_t *packet, size_t length, struct solicit *ret_solicit)
{
	struct bytes_reader in = bytes_reader(packet, length);
	const uint8_t *header = bytes_take(&in, IPV6_HEADER_SIZE);
	struct solicit solicit = {.class = PXE_CLASS_OS};

	(void)bytes_get_u16(&in); /* source port */
	if (!header || header[0] >> 4 != 6 || header[6] != IPV6_NEXT_UDP ||
	    bytes_get_u16(&in) != SERVER_PORT)
		return false;
	(void)bytes_get_u32(&in); /* length and checksum of UDP */
	/* the message's type, and its transaction's number */
	if (bytes_get_u32(&in) >> 24 != MESSAGE_SOLICIT || in.failed)
		return false;
	while (in.left > 0) {
		uint16_t code = bytes_get_u16(&in);
		uint16_t size = bytes_get_u16(&in);
		const uint8_t *octets = bytes_take(&in, size);

		if (!octets)
			break;
		read_option(code, bytes_reader(octets, size), &solicit);
	}
	*ret_solicit = solicit;
	return solicit.class != PXE_CLASS_OS;
}

bool solicit_is_new(struct solicit_memory *memory, const struct mac *mac, uint64_t now_ms)
{
	size_t place = memory->next;

	for (size_t i = 0; i < SOLICIT_CLIENTS; i++) {
		if (memory->clients[i].until_ms == 0 ||
		    !mac_equal(&memory->clients[i].mac, mac))
			continue;
		if (now_ms < memory->clients[i].until_ms)
			return false;
		place = i;
	}
	if (place == memory->next)
		memory->next = (memory->next + 1) % SOLICIT_CLIENTS;
	memory->clients[place].mac = *mac;
	memory->clients[place].until_ms = now_ms + SOLICIT_AGAIN_MS;
	return true;
}
