#include "dhcpd/pool.h"

#include "dhcpd/block.h"
#include "dhcpd/hash.h"

/* Among how many free addresses with an old lease the longest ended is looked for. */
#define CANDIDATES_MAX 64U

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

	if (address == question->server || address == subnet->next_server ||
	    ours_hold(question->ours, address))
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
	       !site_is_reserved(question->site, address);
}

bool pool_is_free(const struct pool_question *question, uint32_t address)
{
	const struct lease *lease = lease_at(question->leases, address);

	return lease_is_free_for(lease, question->client, question->now_ms,
				 question->grace_ms) &&
	       pool_permits(question, address);
}

/* A search in the making, block of addresses by block. */
struct search {
	const struct pool_question *question;
	/* Looks at these addresses of one block; true: the search is over. */
	bool (*visit)(struct search *search, const struct block *block, uint32_t first,
		      uint32_t last);
	uint32_t address; /* the best one so far */
	uint64_t ended_ms;
	unsigned seen;
};

static bool search_run(struct search *search, uint32_t first, uint32_t last)
{
	const struct blocks *blocks = &search->question->leases->blocks;
	uint32_t end;

	for (;; first = end + 1) {
		end = block_end(first) < last ? block_end(first) : last;
		if (search->visit(search, blocks_find(blocks, first), first, end))
			return true;
		if (end == last)
			return false;
	}
}

/* Positions `from` to `to` - 1, the subnet's pools taken one behind the other. */
static bool search_positions(struct search *search, uint64_t from, uint64_t to)
{
	const struct pool_question *question = search->question;
	uint64_t before = 0;

	for (size_t i = 0; i < question->site->pool_count; i++) {
		const struct site_pool *pool = &question->site->pools[i];
		uint64_t behind, low, high;

		if (pool->subnet_id != question->subnet->id || pool->first > pool->last)
			continue;
		behind = before + pool->last - pool->first + 1;
		low = from > before ? from : before;
		high = to < behind ? to : behind;
		if (low < high && search_run(search, pool->first + (uint32_t)(low - before),
					     pool->first + (uint32_t)(high - 1 - before)))
			return true;
		before = behind;
	}
	return false;
}

static bool visit_unknown(struct search *search, const struct block *block, uint32_t first,
			  uint32_t last)
{
	uint32_t address = first;

	while (block_next(block, false, address, last, &address)) {
		if (pool_permits(search->question, address)) {
			search->address = address;
			return true;
		}
		if (address++ == last)
			break;
	}
	return false;
}

static bool visit_ended(struct search *search, const struct block *block, uint32_t first,
			uint32_t last)
{
	const struct pool_question *question = search->question;
	uint32_t address = first;

	if (!block || block->free_ms > question->now_ms)
		return false;
	while (block_next(block, true, address, last, &address)) {
		const struct lease *lease = lease_at(question->leases, address);

		/* an offer that nobody took up is no lease */
		if (pool_is_free(question, address)) {
			uint64_t ended_ms = lease->state == LEASE_OFFERED ? 0 : lease->ends_ms;

			if (search->seen++ == 0 || ended_ms < search->ended_ms) {
				search->address = address;
				search->ended_ms = ended_ms;
			}
		}
		if (search->seen == CANDIDATES_MAX)
			return true;
		if (address++ == last)
			break;
	}
	return false;
}

enum err pool_pick(const struct pool_question *question, uint32_t *ret_address)
{
	const struct lease_client *client = question->client;
	struct search unknown = {.question = question, .visit = visit_unknown};
	struct search ended = {.question = question, .visit = visit_ended};
	uint64_t size = pool_size(question->site, question->subnet), start;

	if (size == 0)
		return ERR_ABSENT;
	start = hash_octets(&common_key, client->octets, client->length) % size;
	if (search_positions(&unknown, start, size) || search_positions(&unknown, 0, start)) {
		*ret_address = unknown.address;
		return ERR_OK;
	}
	if (!search_positions(&ended, start, size))
		(void)search_positions(&ended, 0, start);
	if (ended.seen == 0)
		return ERR_ABSENT;
	*ret_address = ended.address;
	return ERR_OK;
}
