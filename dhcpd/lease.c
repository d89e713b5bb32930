#include "dhcpd/lease.h"

#include <string.h>

#include "dhcpd/option.h"

#define KEY_IDENTIFIER 0xff

enum err lease_client_of(const struct packet *packet, bool by_identifier,
			 struct lease_client *ret_client)
{
	size_t length;
	const uint8_t *identifier = packet_option(packet, OPTION_CLIENT_ID, &length);
	struct mac mac;
	bool has_mac = packet_mac(packet, &mac);

	if (identifier && length > 0 && length < LEASE_CLIENT_MAX &&
	    (by_identifier || !has_mac)) {
		ret_client->octets[0] = KEY_IDENTIFIER;
		memcpy(ret_client->octets + 1, identifier, length);
		ret_client->length = (uint16_t)(length + 1);
		return ERR_OK;
	}
	if (!has_mac && (packet->hlen == 0 || packet->htype == PACKET_HTYPE_ETHERNET))
		return ERR_ABSENT;
	ret_client->octets[0] = packet->htype;
	memcpy(ret_client->octets + 1, packet->chaddr, packet->hlen);
	ret_client->length = (uint16_t)(packet->hlen + 1);
	return ERR_OK;
}

bool lease_client_equal(const struct lease_client *a, const struct lease_client *b)
{
	return a->length == b->length && memcmp(a->octets, b->octets, a->length) == 0;
}

struct lease_key lease_key_of(const struct lease_client *client)
{
	struct lease_key key = {.length = client->length};

	if (client->length > LEASE_KEY_NEAR)
		key.far = client->octets;
	else
		memcpy(key.near, client->octets, client->length);
	return key;
}

const uint8_t *lease_key_octets(const struct lease_key *key)
{
	return key->length > LEASE_KEY_NEAR ? key->far : key->near;
}

void lease_key_copy(const struct lease_key *key, struct lease_client *ret_client)
{
	ret_client->length = key->length;
	memcpy(ret_client->octets, lease_key_octets(key), key->length);
}

bool lease_is_of(const struct lease *lease, const struct lease_client *client)
{
	const struct lease_key *key = &lease->client;

	return key->length == client->length &&
	       memcmp(lease_key_octets(key), client->octets, key->length) == 0;
}

bool lease_is_bound(const struct lease *lease, uint64_t now_ms)
{
	return lease->state == LEASE_BOUND && lease->ends_ms > now_ms;
}

bool lease_is_held(const struct lease *lease, uint64_t now_ms)
{
	return lease->held_ms > now_ms;
}

bool lease_is_free_for(const struct lease *lease, const struct lease_client *client,
		       uint64_t now_ms, uint64_t grace_ms)
{
	if (!lease)
		return true;
	if (lease->state == LEASE_DECLINED)
		return lease->ends_ms + grace_ms <= now_ms;
	if (lease_is_of(lease, client))
		return true;
	if (lease_is_held(lease, now_ms))
		return false;
	return lease->state == LEASE_OFFERED || lease->ends_ms + grace_ms <= now_ms;
}

uint32_t lease_seconds_left(const struct lease *lease, uint64_t now_ms)
{
	uint64_t left = lease->ends_ms > now_ms ? (lease->ends_ms - now_ms) / 1000 : 0;

	return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

bool lease_may_be_lost(const struct lease *lease, uint64_t newest_grant_ms)
{
	return lease->granted_ms > 0 && lease->granted_ms + LEASE_LAG_MS > newest_grant_ms;
}
