#include "core/uuid.h"

#include <string.h>

#include "core/hex.h"

static bool dash_before(size_t octet)
{
	return octet == 4 || octet == 6 || octet == 8 || octet == 10;
}

enum err uuid_parse(const char *text, size_t length, struct uuid *ret_uuid)
{
	struct uuid uuid;
	size_t at = 0;

	if (length != UUID_TEXT_SIZE - 1)
		return ERR_FORMAT;
	for (size_t i = 0; i < sizeof(uuid.octet); i++) {
		int high;
		int low;

		if (dash_before(i) && text[at++] != '-')
			return ERR_FORMAT;
		high = hex_value(text[at]);
		low = hex_value(text[at + 1]);
		if (high < 0 || low < 0)
			return ERR_FORMAT;
		uuid.octet[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	*ret_uuid = uuid;
	return ERR_OK;
}

struct uuid uuid_from_wire(const uint8_t octets[16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	struct uuid uuid;

	for (size_t i = 0; i < sizeof(uuid.octet); i++)
		uuid.octet[i] = octets[order[i]];
	return uuid;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < sizeof(uuid->octet); i++) {
		if (dash_before(i))
			text[at++] = '-';
		text[at++] = digits[uuid->octet[i] >> 4];
		text[at++] = digits[uuid->octet[i] & 15];
	}
	text[at] = '\0';
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

bool uuid_is_placeholder(const struct uuid *uuid)
{
	/* 03000200-0400-0500-0006-000700080009, left in place by several board makers */
	static const struct uuid ami = {{0x03, 0x00, 0x02, 0x00, 0x04, 0x00, 0x05, 0x00, 0x00,
					 0x06, 0x00, 0x07, 0x00, 0x08, 0x00, 0x09}};

	if (uuid_equal(uuid, &ami))
		return true;
	for (size_t i = 1; i < sizeof(uuid->octet); i++) {
		if (uuid->octet[i] != uuid->octet[0])
			return false;
	}
	return uuid->octet[0] == 0x00 || uuid->octet[0] == 0xff;
}
