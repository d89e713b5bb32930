#include "dhcpd/fqdn.h"

#include <string.h>

#include "dhcpd/option.h"

/* RFC 4702 section 2.1 */
#define FLAG_SERVER_UPDATES 0x01 /* S */
#define FLAG_OVERRIDES 0x02	 /* O */
#define FLAG_ENCODED 0x04	 /* E: the name is in labels, not in ASCII */
#define FLAG_NO_UPDATES 0x08	 /* N */
#define HEAD_LENGTH 3
#define RCODE_OF_A_SERVER 255

static void copy(const uint8_t *octets, size_t length, char *text, size_t size)
{
	if (length >= size)
		length = size - 1;
	if (length > 0)
		memcpy(text, octets, length);
	text[length] = '\0';
}

/* Labels joined by dots; what does not fit or is no label ends the name. */
static void copy_labels(const uint8_t *octets, size_t length, char *text, size_t size)
{
	struct bytes_reader in = bytes_reader(octets, length);
	size_t at = 0;

	while (in.left > 0) {
		uint8_t label_length = bytes_get_u8(&in);
		const uint8_t *label = bytes_take(&in, label_length);

		if (!label || label_length == 0 || at + label_length + 2 > size)
			break;
		if (at > 0)
			text[at++] = '.';
		memcpy(text + at, label, label_length);
		at += label_length;
	}
	text[at] = '\0';
}

void fqdn_client_name(const struct packet *packet, char *ret_text, size_t size)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, OPTION_HOST_NAME, &length);

	ret_text[0] = '\0';
	if (octets && length > 0) {
		copy(octets, length, ret_text, size);
		return;
	}
	octets = packet_option(packet, OPTION_FQDN, &length);
	if (!octets || length <= HEAD_LENGTH)
		return;
	if (octets[0] & FLAG_ENCODED)
		copy_labels(octets + HEAD_LENGTH, length - HEAD_LENGTH, ret_text, size);
	else
		copy(octets + HEAD_LENGTH, length - HEAD_LENGTH, ret_text, size);
}

bool fqdn_answer(const struct packet *packet, uint8_t *ret_value, size_t *ret_length)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, OPTION_FQDN, &length);

	if (!octets || length < HEAD_LENGTH || length > FQDN_VALUE_MAX)
		return false;
	memcpy(ret_value, octets, length);
	ret_value[0] = (uint8_t)((octets[0] & FLAG_ENCODED) | FLAG_NO_UPDATES |
				 (octets[0] & FLAG_SERVER_UPDATES ? FLAG_OVERRIDES : 0));
	ret_value[1] = ret_value[2] = RCODE_OF_A_SERVER;
	*ret_length = length;
	return true;
}
