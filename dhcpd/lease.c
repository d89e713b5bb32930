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

/* The power of two that leaves an index at most half full. */
static size_t index_size(size_t capacity)
{
	size_t size = 16;

	while (size < capacity * 2)
		size *= 2;
	return size;
}

size_t lease_slot_count(size_t capacity)
{
	return 2 * index_size(capacity);
}

void lease_table_init(struct lease_table *table, struct lease *leases, size_t capacity,
		      uint32_t *slots, struct hash_key seed)
{
	size_t size = index_size(capacity);

	memset(slots, 0, 2 * size * sizeof(*slots));
	*table = (struct lease_table){
		.leases = leases,
		.capacity = capacity,
		.by_address = slots,
		.by_client = slots + size,
		.slot_count = size,
		.seed = seed,
	};
}

static size_t home_of_address(const struct lease_table *table, uint32_t address)
{
	uint8_t octets[4];

	memcpy(octets, &address, sizeof(octets));
	return (size_t)hash_octets(&table->seed, octets, sizeof(octets)) &
	       (table->slot_count - 1);
}

static size_t home_of_client(const struct lease_table *table, const struct lease_client *client)
{
	return (size_t)hash_octets(&table->seed, client->octets, client->length) &
	       (table->slot_count - 1);
}

static size_t next_slot(const struct lease_table *table, size_t slot)
{
	return (slot + 1) & (table->slot_count - 1);
}

/* The slot that holds `value` in a run that begins at `home`, or the free one at its end. */
static size_t find_slot(const struct lease_table *table, const uint32_t *slots, size_t home,
			uint32_t value)
{
	size_t slot = home;

	while (slots[slot] && slots[slot] != value)
		slot = next_slot(table, slot);
	return slot;
}

static size_t home_of(const struct lease_table *table, const uint32_t *slots, uint32_t position)
{
	const struct lease *lease = &table->leases[position];

	return slots == table->by_address ? home_of_address(table, lease->address)
					  : home_of_client(table, &lease->client);
}

static void add_to_index(struct lease_table *table, uint32_t *slots, uint32_t position)
{
	size_t home = home_of(table, slots, position);

	slots[find_slot(table, slots, home, position + 1)] = position + 1;
}

/* Closes the gap: entries behind it move back unless that would put them before their home. */
static void remove_from_index(struct lease_table *table, uint32_t *slots, uint32_t position)
{
	size_t mask = table->slot_count - 1;
	size_t gap = find_slot(table, slots, home_of(table, slots, position), position + 1);

	for (size_t slot = next_slot(table, gap); slots[slot]; slot = next_slot(table, slot)) {
		size_t home = home_of(table, slots, slots[slot] - 1);

		if (((slot - home) & mask) >= ((slot - gap) & mask)) {
			slots[gap] = slots[slot];
			gap = slot;
		}
	}
	slots[gap] = 0;
}

static struct lease *entry_at(const struct lease_table *table, uint32_t address)
{
	size_t slot = home_of_address(table, address);

	for (; table->by_address[slot]; slot = next_slot(table, slot)) {
		struct lease *lease = &table->leases[table->by_address[slot] - 1];

		if (lease->address == address)
			return lease;
	}
	return NULL;
}

const struct lease *lease_at(const struct lease_table *table, uint32_t address)
{
	return entry_at(table, address);
}

static int rank(const struct lease *lease)
{
	switch (lease->state) {
	case LEASE_BOUND:
		return 3;
	case LEASE_OFFERED:
		return 2;
	case LEASE_DECLINED:
		return 0;
	default:
		return 1;
	}
}

static bool is_better(const struct lease *lease, const struct lease *other)
{
	if (rank(lease) != rank(other))
		return rank(lease) > rank(other);
	return lease->ends_ms > other->ends_ms;
}

const struct lease *lease_of_client(const struct lease_table *table,
				    const struct lease_client *client,
				    const struct ip4_net *net)
{
	const struct lease *best = NULL;
	size_t slot = home_of_client(table, client);

	for (; table->by_client[slot]; slot = next_slot(table, slot)) {
		const struct lease *lease = &table->leases[table->by_client[slot] - 1];

		if (lease_client_equal(&lease->client, client) &&
		    ip4_net_holds(net, lease->address) && (!best || is_better(lease, best)))
			best = lease;
	}
	return best;
}

size_t lease_declined_by(const struct lease_table *table, const struct lease_client *client,
			 uint64_t now_ms)
{
	size_t slot = home_of_client(table, client), count = 0;

	for (; table->by_client[slot]; slot = next_slot(table, slot)) {
		const struct lease *lease = &table->leases[table->by_client[slot] - 1];

		count += lease->state == LEASE_DECLINED && lease->ends_ms > now_ms &&
			 lease_client_equal(&lease->client, client);
	}
	return count;
}

enum err lease_put(struct lease_table *table, const struct lease *lease)
{
	struct lease *entry = entry_at(table, lease->address);
	uint32_t position;

	if (entry && lease_client_equal(&entry->client, &lease->client)) {
		*entry = *lease;
		return ERR_OK;
	}
	if (entry) {
		position = (uint32_t)(entry - table->leases);
		remove_from_index(table, table->by_client, position);
		*entry = *lease;
		add_to_index(table, table->by_client, position);
		return ERR_OK;
	}
	if (table->count == table->capacity)
		return ERR_SPACE;
	position = (uint32_t)table->count++;
	table->leases[position] = *lease;
	add_to_index(table, table->by_address, position);
	add_to_index(table, table->by_client, position);
	return ERR_OK;
}

/* The last entry takes the removed one's place, so that the entries stay packed. */
static void remove_entry(struct lease_table *table, uint32_t position)
{
	uint32_t last = (uint32_t)table->count - 1;

	remove_from_index(table, table->by_address, position);
	remove_from_index(table, table->by_client, position);
	if (position != last) {
		remove_from_index(table, table->by_address, last);
		remove_from_index(table, table->by_client, last);
		table->leases[position] = table->leases[last];
		add_to_index(table, table->by_address, position);
		add_to_index(table, table->by_client, position);
	}
	table->count--;
}

void lease_remove(struct lease_table *table, uint32_t address)
{
	const struct lease *entry = entry_at(table, address);

	if (entry)
		remove_entry(table, (uint32_t)(entry - table->leases));
}

/* The client's next entry in the network to be ended, or NULL. */
static struct lease *other_of_client(struct lease_table *table,
				     const struct lease_client *client,
				     const struct ip4_net *net, uint32_t except)
{
	size_t slot = home_of_client(table, client);

	for (; table->by_client[slot]; slot = next_slot(table, slot)) {
		struct lease *lease = &table->leases[table->by_client[slot] - 1];

		if (lease->address != except && ip4_net_holds(net, lease->address) &&
		    (lease->state == LEASE_BOUND || lease->state == LEASE_OFFERED) &&
		    lease_client_equal(&lease->client, client))
			return lease;
	}
	return NULL;
}

void lease_end_others(struct lease_table *table, const struct lease_client *client,
		      const struct ip4_net *net, uint32_t except)
{
	struct lease *lease;

	while ((lease = other_of_client(table, client, net, except))) {
		if (lease->state == LEASE_OFFERED) {
			remove_entry(table, (uint32_t)(lease - table->leases));
		} else {
			lease->state = LEASE_RELEASED;
			lease->held_ms = 0;
		}
	}
}

enum err lease_hold(struct lease_table *table, const struct lease_holder *holder,
		    uint64_t until_ms)
{
	const struct lease *old = entry_at(table, holder->address);
	struct lease lease = {.address = holder->address, .state = LEASE_OFFERED};

	if (old && lease_client_equal(&old->client, holder->client))
		lease = *old;
	lease.client = *holder->client;
	lease.held_ms = until_ms;
	lease.has_mac = holder->mac != NULL;
	if (holder->mac)
		lease.mac = *holder->mac;
	return lease_put(table, &lease);
}

void lease_forget_hold(struct lease_table *table, const struct lease_client *client,
		       const struct ip4_net *net)
{
	const struct lease *lease = lease_of_client(table, client, net);

	if (!lease)
		return;
	if (lease->state == LEASE_OFFERED)
		lease_remove(table, lease->address);
	else
		entry_at(table, lease->address)->held_ms = 0;
}

enum err lease_bind(struct lease_table *table, const struct lease_holder *holder,
		    uint64_t ends_ms, const struct ip4_net *net)
{
	struct lease lease = {
		.address = holder->address,
		.state = LEASE_BOUND,
		.ends_ms = ends_ms,
		.granted_ms = holder->granted_ms,
		.has_mac = holder->mac != NULL,
		.client = *holder->client,
	};

	if (holder->mac)
		lease.mac = *holder->mac;
	if (net)
		lease_end_others(table, holder->client, net, holder->address);
	return lease_put(table, &lease);
}

void lease_end(struct lease_table *table, uint32_t address, enum lease_state state,
	       uint64_t quarantine_ends_ms)
{
	struct lease *lease = entry_at(table, address);

	if (!lease)
		return;
	lease->state = state;
	lease->held_ms = 0;
	if (state == LEASE_DECLINED)
		lease->ends_ms = quarantine_ends_ms;
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
	if (lease_client_equal(&lease->client, client))
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
