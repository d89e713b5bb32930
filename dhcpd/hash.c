#include "dhcpd/hash.h"

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* Up to eight octets, little-endian. */
static uint64_t load(const uint8_t *octets, size_t length)
{
	uint64_t word = 0;

	for (size_t i = 0; i < length; i++)
		word |= (uint64_t)octets[i] << (8 * i);
	return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, 2);
	v[0] ^= word;
}

uint64_t hash_octets(const struct hash_key *key, const uint8_t *octets, size_t length)
{
	uint64_t v[4] = {
		key->k0 ^ 0x736f6d6570736575U,
		key->k1 ^ 0x646f72616e646f6dU,
		key->k0 ^ 0x6c7967656e657261U,
		key->k1 ^ 0x7465646279746573U,
	};
	size_t at = 0;

	for (; length - at >= 8; at += 8)
		absorb(v, load(octets + at, 8));
	absorb(v, load(octets + at, length - at) | (uint64_t)(length & 0xff) << 56);
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
