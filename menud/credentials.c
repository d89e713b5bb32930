#include "menud/credentials.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static int digit_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Where a decoded octet goes: the name up to the first colon, then the password. */
struct place {
	struct credentials *to;
	size_t name_length, password_length;
	bool is_password;
};

static enum err put(struct place *place, char octet)
{
	if (octet == '\0')
		return ERR_FORMAT;
	if (!place->is_password && octet == ':') {
		place->is_password = true;
		return ERR_OK;
	}
	if (!place->is_password) {
		if (place->name_length + 1 == sizeof(place->to->name))
			return ERR_SPACE;
		place->to->name[place->name_length++] = octet;
		return ERR_OK;
	}
	if (place->password_length + 1 == sizeof(place->to->password))
		return ERR_SPACE;
	place->to->password[place->password_length++] = octet;
	return ERR_OK;
}

/* RFC 4648 section 4; the padding may be left out. */
static enum err decode(const char *text, struct place *place)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;

	for (; *text && *text != '='; text++) {
		int value = digit_value(*text);
		enum err err;

		if (value < 0)
			return ERR_FORMAT;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		err = put(place, (char)(bits >> bit_count & 0xff));
		if (err != ERR_OK)
			return err;
	}
	return text[strspn(text, "=")] == '\0' ? ERR_OK : ERR_FORMAT;
}

enum err credentials_parse(const char *header, struct credentials *ret)
{
	static const char scheme[] = "Basic ";
	struct place place = {.to = ret};
	enum err err;

	memset(ret, 0, sizeof(*ret));
	if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
		return ERR_ABSENT;
	header += sizeof(scheme) - 1;
	err = decode(header + strspn(header, " "), &place);
	if (err == ERR_OK && (!place.is_password || place.name_length == 0))
		err = ERR_FORMAT;
	if (err != ERR_OK)
		memset(ret, 0, sizeof(*ret));
	return err;
}
