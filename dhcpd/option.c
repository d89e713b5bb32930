#include "dhcpd/option.h"

#include <string.h>

#define PART_MAX 255

bool option_put(struct bytes_writer *out, uint8_t code, const void *value, size_t length)
{
	size_t parts = length == 0 ? 1 : (length + PART_MAX - 1) / PART_MAX;
	const uint8_t *at = value;

	if (bytes_room(out) < length + 2 * parts)
		return false;
	while (parts-- > 0) {
		size_t part = length < PART_MAX ? length : PART_MAX;

		bytes_put_u8(out, code);
		bytes_put_u8(out, (uint8_t)part);
		bytes_put(out, at, part);
		at += part;
		length -= part;
	}
	return true;
}

bool option_put_u8(struct bytes_writer *out, uint8_t code, uint8_t value)
{
	return option_put(out, code, &value, 1);
}

bool option_put_u32(struct bytes_writer *out, uint8_t code, uint32_t value)
{
	return option_put_addresses(out, code, &value, 1);
}

bool option_put_text(struct bytes_writer *out, uint8_t code, const char *text)
{
	return option_put(out, code, text, strlen(text));
}

bool option_put_addresses(struct bytes_writer *out, uint8_t code, const uint32_t *addresses,
			  size_t count)
{
	size_t length = 4 * count;

	if (count == 0 || length > PART_MAX || bytes_room(out) < length + 2)
		return false;
	bytes_put_u8(out, code);
	bytes_put_u8(out, (uint8_t)length);
	for (size_t i = 0; i < count; i++)
		bytes_put_u32(out, addresses[i]);
	return true;
}
