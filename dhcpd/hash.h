/*
 * hash - SipHash-2-4 of a client's octets: keys come from strangers, so tables are hashed with
 * a secret, and pools with a key that every dhcpd of a site has in common.
 */
#ifndef ROUSE_DHCPD_HASH_H
#define ROUSE_DHCPD_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

uint64_t hash_octets(const struct hash_key *key, const uint8_t *octets, size_t length);

#endif
