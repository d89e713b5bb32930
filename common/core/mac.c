#include "core/mac.h"

#include <string.h>

#include "core/hex.h"

enum err mac_parse(const char *text, size_t length, struct mac *ret_mac)
{
	struct mac mac;
	size_t step = 3;

	if (length == 20 && memcmp(text, "01-", 3) == 0) {
		text += 3;
		length -= 3;
	}
	if (length == 12)
		step = 2;
	else if (length != 17)
		return ERR_FORMAT;
	for (size_t i = 0; i < 6; i++) {
		const char *pair = text + i * step;
		int high = hex_value(pair[0]);
		int low = hex_value(pair[1]);

		if (high < 0 || low < 0)
			return ERR_FORMAT;
		if (step == 3 && i > 0 && pair[-1] != text[2])
			return ERR_FORMAT;
		mac.octet[i] = (uint8_t)(high << 4 | low);
	}
	if (step == 3 && text[2] != ':' && text[2] != '-')
		return ERR_FORMAT;
	*ret_mac = mac;
	return ERR_OK;
}

static void format_with(const struct mac *mac, char separator, char text[MAC_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 6; i++) {
		text[3 * i] = digits[mac->octet[i] >> 4];
		text[3 * i + 1] = digits[mac->octet[i] & 15];
		text[3 * i + 2] = separator;
	}
	text[MAC_TEXT_SIZE - 1] = '\0';
}

void mac_format(const struct mac *mac, char text[MAC_TEXT_SIZE])
{
	format_with(mac, ':', text);
}

void mac_format_dashes(const struct mac *mac, char text[MAC_TEXT_SIZE])
{
	format_with(mac, '-', text);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

bool mac_is_zero(const struct mac *mac)
{
	static const struct mac zero;

	return mac_equal(mac, &zero);
}

bool mac_is_station(const struct mac *mac)
{
	return !mac_is_zero(mac) && (mac->octet[0] & 1) == 0;
}
