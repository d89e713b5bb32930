/*
 * bytes - bounded cursors over a packet: every length from the network is distrusted here,
 * once.
 *
 * Both cursors are sticky: after the first step past the end `failed` is set, reads give zero,
 * writes do nothing, and the caller looks once when it is done. Numbers are big-endian, as
 * on the wire.
 *
 *	struct bytes_reader in = bytes_reader(packet, length);
 *	uint16_t opcode = bytes_get_u16(&in);
 *	const uint8_t *payload = bytes_take(&in, 8);
 *	if (in.failed)
 *		return ERR_SHORT;
 */
#ifndef ROUSE_CORE_BYTES_H
#define ROUSE_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes_reader {
	const uint8_t *at; /* the next octet */
	size_t left;	   /* octets from `at` to the end */
	bool failed;
};

struct bytes_writer {
	uint8_t *start;
	size_t length; /* octets written so far */
	size_t size;   /* of the caller's buffer */
	bool failed;
};

/* A cursor at the start of the caller's octets; they must outlive it. */
struct bytes_reader bytes_reader(const void *data, size_t length);

uint8_t bytes_get_u8(struct bytes_reader *in);
uint16_t bytes_get_u16(struct bytes_reader *in);
uint32_t bytes_get_u32(struct bytes_reader *in);
/* The next `length` octets, inside the packet, or NULL (and failed). */
const uint8_t *bytes_take(struct bytes_reader *in, size_t length);
/*
 * A NUL-terminated string (RFC 1350 section 5 style): the view without its NUL, and its length.
 * NULL (and failed) if no NUL follows.
 */
const char *bytes_take_string(struct bytes_reader *in, size_t *length);

/* A cursor that fills the caller's buffer. */
struct bytes_writer bytes_writer(void *buffer, size_t size);

void bytes_put_u8(struct bytes_writer *out, uint8_t value);
void bytes_put_u16(struct bytes_writer *out, uint16_t value);
void bytes_put_u32(struct bytes_writer *out, uint32_t value);
void bytes_put(struct bytes_writer *out, const void *data, size_t length);
void bytes_put_zeros(struct bytes_writer *out, size_t length);
/* Octets that still fit. */
size_t bytes_room(const struct bytes_writer *out);

#endif
