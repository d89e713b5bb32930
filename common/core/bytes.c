#include "core/bytes.h"

#include <string.h>

struct bytes_reader bytes_reader(const void *data, size_t length)
{
	return (struct bytes_reader){.at = data, .left = length};
}

const uint8_t *bytes_take(struct bytes_reader *in, size_t length)
{
	const uint8_t *at = in->at;

	if (in->failed || length > in->left) {
		in->failed = true;
		return NULL;
	}
	in->left -= length;
	if (length > 0)
		in->at += length;
	return at;
}

uint8_t bytes_get_u8(struct bytes_reader *in)
{
	const uint8_t *at = bytes_take(in, 1);

	return at ? at[0] : 0;
}

uint16_t bytes_get_u16(struct bytes_reader *in)
{
	const uint8_t *at = bytes_take(in, 2);

	if (!at)
		return 0;
	return (uint16_t)((uint32_t)at[0] << 8 | at[1]);
}

uint32_t bytes_get_u32(struct bytes_reader *in)
{
	const uint8_t *at = bytes_take(in, 4);

	if (!at)
		return 0;
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

const char *bytes_take_string(struct bytes_reader *in, size_t *length)
{
	const uint8_t *nul = in->failed || in->left == 0 ? NULL : memchr(in->at, 0, in->left);

	if (!nul) {
		in->failed = true;
		return NULL;
	}
	*length = (size_t)(nul - in->at);
	return (const char *)bytes_take(in, *length + 1);
}

struct bytes_writer bytes_writer(void *buffer, size_t size)
{
	return (struct bytes_writer){.start = buffer, .size = size};
}

size_t bytes_room(const struct bytes_writer *out)
{
	return out->failed ? 0 : out->size - out->length;
}

/* Where the next `length` octets go, or NULL when they do not fit. */
static uint8_t *bytes_claim(struct bytes_writer *out, size_t length)
{
	uint8_t *at;

	if (length > bytes_room(out)) {
		out->failed = true;
		return NULL;
	}
	at = out->start + out->length;
	out->length += length;
	return at;
}

void bytes_put(struct bytes_writer *out, const void *data, size_t length)
{
	uint8_t *at;

	if (length == 0)
		return;
	at = bytes_claim(out, length);
	if (at)
		memcpy(at, data, length);
}

void bytes_put_zeros(struct bytes_writer *out, size_t length)
{
	uint8_t *at;

	if (length == 0)
		return;
	at = bytes_claim(out, length);
	if (at)
		memset(at, 0, length);
}

void bytes_put_u8(struct bytes_writer *out, uint8_t value)
{
	bytes_put(out, &value, 1);
}

void bytes_put_u16(struct bytes_writer *out, uint16_t value)
{
	uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	bytes_put(out, octets, sizeof(octets));
}

void bytes_put_u32(struct bytes_writer *out, uint32_t value)
{
	uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
			     (uint8_t)(value >> 8), (uint8_t)value};

	bytes_put(out, octets, sizeof(octets));
}
