#include "dhcpd/pool.h"

#include "dhcpd/hash.h"

/* Among how many free addresses with an old lease the oldest is looked for. */
#define CANDIDATES_MAX 64

/* No secret: all servers of a site shall come to the same address. */
static const struct hash_key common_key = {0x726f757365706f6fU, 0x6c206f6620616464U};

uint64_t pool_size(const struct site *site, const struct site_subnet *subnet)
{
	uint64_t size = 0;

	for (size_t i = 0; i < site->pool_count; i++) {
		const struct site_pool *pool = &site->pools[i];

		if (pool->subnet_id == subnet->id && pool->first <= pool->last)
			size += (uint64_t)pool->last - pool->first + 1;
	}
	return size;
}

bool pool_holds(const struct site *site, const struct site_subnet *subnet, uint32_t address)
{
	for (size_t i = 0; i < site->pool_count; i++) {
		const struct site_pool *pool = &site->pools[i];

		if (pool->subnet_id == subnet->id && pool->first <= address &&
		    address <= pool->last)
			return true;
	}
	return false;
}

/* The address at a position, the subnet's pools taken one behind the other. */
static uint32_t address_at(const struct site *site, const struct site_subnet *subnet,
			   uint64_t position)
{
	for (size_t i = 0; i < site->pool_count; i++) {
		const struct site_pool *pool = &site->pools[i];
		uint64_t size = (uint64_t)pool->last - pool->first + 1;

		if (pool->subnet_id != subnet->id || pool->first > pool->last)
			continue;
		if (position < size)
			return pool->first + (uint32_t)position;
		position -= size;
	}
	return 0;
}

uint32_t pool_reserved_for(const struct site *site, const struct site_subnet *subnet,
			   const struct mac *mac)
{
	const struct site_reservation *reservations = site->reservations;
	const struct site_reservation *found = site_reservation_of(site, mac);
	size_t at;

	if (!found)
		return 0;
	/* a card may have one in each of several subnets; they stand side by side */
	at = (size_t)(found - reservations);
	while (at > 0 && mac_equal(&reservations[at - 1].mac, mac))
		at--;
	for (; at < site->reservation_count && mac_equal(&reservations[at].mac, mac); at++) {
		if (ip4_net_holds(&subnet->net, reservations[at].address))
			return reservations[at].address;
	}
	return 0;
}

static bool is_infrastructure(const struct pool_question *question, uint32_t address)
{
	const struct site_subnet *subnet = question->subnet;

	if (address == question->server || address == subnet->next_server)
		return true;
	if (subnet->net.prefix < 31 &&
	    (address == subnet->net.address || address == ip4_broadcast(&subnet->net)))
		return true;
	for (size_t i = 0; i < subnet->router_count; i++) {
		if (subnet->routers[i] == address)
			return true;
	}
	return false;
}

bool pool_permits(const struct pool_question *question, uint32_t address)
{
	if (!ip4_net_holds(&question->subnet->net, address) ||
	    is_infrastructure(question, address))
		return false;
	if (question->mac &&
	    pool_reserved_for(question->site, question->subnet, question->mac) == address)
		return true;
	return pool_holds(question->site, question->subnet, address) &&
	       !site_reservation_at(question->site, address);
}

bool pool_is_free(const struct pool_question *question, uint32_t address)
{
	const struct lease *lease = lease_at(question->leases, address);

	/* the look-up first: reservations are searched one by one */
	return lease_is_free_for(lease, question->client, question->now_ms,
				 question->grace_ms) &&
	       pool_permits(question, address);
}

/* A hold of our own that nobody took up is no lease. */
static bool was_never_leased(const struct pool_question *question, uint32_t address)
{
	const struct lease *lease = lease_at(question->leases, address);

	return !lease || lease->state == LEASE_OFFERED;
}

enum err pool_pick(const struct pool_question *question, uint32_t *ret_address)
{
	const struct lease_client *client = question->client;
	uint64_t size = pool_size(question->site, question->subnet);
	uint64_t start, oldest_ms = UINT64_MAX;
	unsigned seen = 0;

	if (size == 0)
		return ERR_ABSENT;
	start = hash_octets(&common_key, client->octets, client->length) % size;
	for (uint64_t i = 0; i < size; i++) {
		uint32_t address =
			address_at(question->site, question->subnet, (start + i) % size);

		if (!pool_is_free(question, address))
			continue;
		if (was_never_leased(question, address)) {
			*ret_address = address;
			return ERR_OK;
		}
		if (lease_at(question->leases, address)->ends_ms < oldest_ms) {
			oldest_ms = lease_at(question->leases, address)->ends_ms;
			*ret_address = address;
		}
		if (++seen == CANDIDATES_MAX)
			break;
	}
	return seen > 0 ? ERR_OK : ERR_ABSENT;
}
