#include "dhcpd/lease_table.h"

#include <string.h>

/* --- storage --- */

void lease_table_init(struct lease_table *table, const struct lease_storage *storage,
		      struct hash_key seed)
{
	*table = (struct lease_table){
		.leases = storage->leases,
		.capacity = storage->capacity,
		.blocks = {.blocks = storage->blocks},
		.seed = seed,
	};
	buckets_init(&table->by_address, storage->address_cells, storage->address_heads);
	buckets_init(&table->by_client, storage->client_cells, storage->client_heads);
	buckets_init(&table->blocks.index, storage->block_cells, storage->block_heads);
}

void lease_table_move_to(struct lease_table *table, const struct lease_storage *storage)
{
	table->leases = storage->leases;
	table->capacity = storage->capacity;
	table->blocks.blocks = storage->blocks;
	buckets_move_to(&table->by_address, storage->address_cells, storage->address_heads);
	buckets_move_to(&table->by_client, storage->client_cells, storage->client_heads);
	buckets_move_to(&table->blocks.index, storage->block_cells, storage->block_heads);
}

void lease_table_add_boxes(struct lease_table *table, union lease_box *boxes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		boxes[i].next_free = table->free_boxes;
		table->free_boxes = &boxes[i];
	}
}

/* The caller's view becomes a key of the table's own. ERR_SPACE: no box is free. */
static enum err keep_key(struct lease_table *table, struct lease_key *key)
{
	union lease_box *box = table->free_boxes;

	if (key->length <= LEASE_KEY_NEAR)
		return ERR_OK;
	if (!box)
		return ERR_SPACE;
	table->free_boxes = box->next_free;
	memcpy(box->octets, key->far, key->length);
	key->far = box->octets;
	return ERR_OK;
}

static void free_key(struct lease_table *table, const struct lease_key *key)
{
	union lease_box *box;

	if (key->length <= LEASE_KEY_NEAR)
		return;
	/* const for those who read it; keep_key() has put it at the beginning of its box */
	memcpy(&box, &key->far, sizeof(void *));
	box->next_free = table->free_boxes;
	table->free_boxes = box;
}

/* --- finding --- */

static uint32_t hash_of_key(const struct lease_table *table, const uint8_t *octets,
			    size_t length)
{
	return (uint32_t)hash_octets(&table->seed, octets, length);
}

static struct lease *entry_at(const struct lease_table *table, uint32_t address)
{
	uint32_t at = buckets_find(&table->by_address, block_hash(address));

	while (at != BUCKETS_NONE && table->leases[at].address != address)
		at = buckets_next(&table->by_address, at);
	return at != BUCKETS_NONE ? &table->leases[at] : NULL;
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
	uint32_t hash = hash_of_key(table, client->octets, client->length);
	const struct lease *best = NULL;

	for (uint32_t at = buckets_find(&table->by_client, hash); at != BUCKETS_NONE;
	     at = buckets_next(&table->by_client, at)) {
		const struct lease *lease = &table->leases[at];

		if (lease_is_of(lease, client) && ip4_net_holds(net, lease->address) &&
		    (!best || is_better(lease, best)))
			best = lease;
	}
	return best;
}

size_t lease_declined_by(const struct lease_table *table, const struct lease_client *client,
			 uint64_t now_ms)
{
	uint32_t hash = hash_of_key(table, client->octets, client->length);
	size_t count = 0;

	for (uint32_t at = buckets_find(&table->by_client, hash); at != BUCKETS_NONE;
	     at = buckets_next(&table->by_client, at)) {
		const struct lease *lease = &table->leases[at];

		count += lease->state == LEASE_DECLINED && lease->ends_ms > now_ms &&
			 lease_is_of(lease, client);
	}
	return count;
}

uint64_t lease_newest_grant(const struct lease_table *table)
{
	return table->newest_grant_ms;
}

/* --- changing --- */

/* Before that no other client may have its address, whatever the grace. */
static uint64_t free_from(const struct lease *lease)
{
	if (lease->state == LEASE_OFFERED)
		return lease->held_ms;
	if (lease->state == LEASE_DECLINED || lease->ends_ms > lease->held_ms)
		return lease->ends_ms;
	return lease->held_ms;
}

static void note_change(struct lease_table *table, const struct lease *lease)
{
	blocks_note(&table->blocks, lease->address, free_from(lease));
}

static void add_to_client(struct lease_table *table, uint32_t position)
{
	const struct lease_key *key = &table->leases[position].client;

	buckets_add(&table->by_client, hash_of_key(table, lease_key_octets(key), key->length),
		    position);
}

static bool is_same_client(const struct lease *a, const struct lease *b)
{
	return a->client.length == b->client.length &&
	       memcmp(lease_key_octets(&a->client), lease_key_octets(&b->client),
		      a->client.length) == 0;
}

static enum err add_entry(struct lease_table *table, const struct lease *lease)
{
	uint32_t position = (uint32_t)table->count;
	struct lease own = *lease;

	if (table->count == table->capacity || keep_key(table, &own.client) != ERR_OK)
		return ERR_SPACE;
	table->leases[position] = own;
	table->count++;
	buckets_add(&table->by_address, block_hash(lease->address), position);
	add_to_client(table, position);
	blocks_add(&table->blocks, lease->address, free_from(lease));
	return ERR_OK;
}

/* Another client's lease in place of the entry's. */
static enum err replace_entry(struct lease_table *table, struct lease *entry,
			      const struct lease *lease)
{
	uint32_t position = (uint32_t)(entry - table->leases);
	struct lease own = *lease;

	if (keep_key(table, &own.client) != ERR_OK)
		return ERR_SPACE;
	buckets_remove(&table->by_client, position);
	free_key(table, &entry->client);
	*entry = own;
	add_to_client(table, position);
	note_change(table, entry);
	return ERR_OK;
}

static enum err write_entry(struct lease_table *table, const struct lease *lease)
{
	struct lease *entry = entry_at(table, lease->address);
	struct lease_key key;

	if (lease->granted_ms > table->newest_grant_ms)
		table->newest_grant_ms = lease->granted_ms;
	if (!entry)
		return add_entry(table, lease);
	if (!is_same_client(entry, lease))
		return replace_entry(table, entry, lease);
	key = entry->client;
	*entry = *lease;
	entry->client = key;
	note_change(table, entry);
	return ERR_OK;
}

enum err lease_put(struct lease_table *table, const struct lease *lease)
{
	struct lease seen = *lease;

	seen.load = table->load;
	return write_entry(table, &seen);
}

enum err lease_put_recorded(struct lease_table *table, const struct lease *lease,
			    uint64_t now_ms)
{
	const struct lease *old = entry_at(table, lease->address);
	bool is_held = old && lease_is_held(old, now_ms);
	struct lease seen = *lease;

	if (old && is_same_client(old, lease)) {
		seen.granted_ms = old->granted_ms;
		seen.held_ms = is_held ? old->held_ms : 0;
	} else if (is_held && lease->ends_ms <= now_ms) {
		/* whose address it was before; the grant will show */
		return ERR_OK;
	}
	return lease_put(table, &seen);
}

/* The last entry takes the removed one's place, so that the entries stay packed. */
static void remove_entry(struct lease_table *table, uint32_t position)
{
	uint32_t last = (uint32_t)--table->count;

	blocks_remove(&table->blocks, table->leases[position].address);
	buckets_remove(&table->by_address, position);
	buckets_remove(&table->by_client, position);
	free_key(table, &table->leases[position].client);
	if (position == last)
		return;
	table->leases[position] = table->leases[last];
	buckets_rename(&table->by_address, last, position);
	buckets_rename(&table->by_client, last, position);
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
	uint32_t hash = hash_of_key(table, client->octets, client->length);

	for (uint32_t at = buckets_find(&table->by_client, hash); at != BUCKETS_NONE;
	     at = buckets_next(&table->by_client, at)) {
		struct lease *lease = &table->leases[at];

		if (lease->address != except && ip4_net_holds(net, lease->address) &&
		    (lease->state == LEASE_BOUND || lease->state == LEASE_OFFERED) &&
		    lease_is_of(lease, client))
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
			note_change(table, lease);
		}
	}
}

enum err lease_hold(struct lease_table *table, const struct lease_holder *holder,
		    uint64_t until_ms)
{
	const struct lease *old = entry_at(table, holder->address);
	struct lease lease = {
		.address = holder->address, .state = LEASE_OFFERED, .load = table->load};

	if (old && lease_is_of(old, holder->client))
		lease = *old;
	lease.client = lease_key_of(holder->client);
	lease.held_ms = until_ms;
	lease.has_mac = holder->mac != NULL;
	if (holder->mac)
		lease.mac = *holder->mac;
	return write_entry(table, &lease);
}

/* Something that is kept for the client in the network because it was offered, or NULL. */
static struct lease *hold_of_client(struct lease_table *table,
				    const struct lease_client *client,
				    const struct ip4_net *net)
{
	uint32_t hash = hash_of_key(table, client->octets, client->length);

	for (uint32_t at = buckets_find(&table->by_client, hash); at != BUCKETS_NONE;
	     at = buckets_next(&table->by_client, at)) {
		struct lease *lease = &table->leases[at];

		if ((lease->state == LEASE_OFFERED || lease->held_ms > 0) &&
		    ip4_net_holds(net, lease->address) && lease_is_of(lease, client))
			return lease;
	}
	return NULL;
}

void lease_forget_hold(struct lease_table *table, const struct lease_client *client,
		       const struct ip4_net *net)
{
	struct lease *lease;

	while ((lease = hold_of_client(table, client, net))) {
		if (lease->state == LEASE_OFFERED) {
			remove_entry(table, (uint32_t)(lease - table->leases));
		} else {
			lease->held_ms = 0;
			note_change(table, lease);
		}
	}
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
		.client = lease_key_of(holder->client),
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
	note_change(table, lease);
}

enum err lease_quarantine(struct lease_table *table, const struct lease_holder *user,
			  uint64_t quarantine_ends_ms, uint64_t now_ms)
{
	const struct lease *old = entry_at(table, user->address);
	struct lease lease = {
		.address = user->address,
		.state = LEASE_DECLINED,
		.ends_ms = quarantine_ends_ms,
		.has_mac = user->mac != NULL,
		.client = lease_key_of(user->client),
	};

	/* another dhcpd granted it meanwhile, and who uses it may be its client */
	if (old && lease_is_bound(old, now_ms))
		return ERR_OK;
	if (user->mac)
		lease.mac = *user->mac;
	return lease_put(table, &lease);
}

/* --- now and then --- */

void lease_load_begin(struct lease_table *table)
{
	table->load++;
}

/* What is only offered is this process's own; a recorded lease that is gone is at most that. */
static void drop_unseen(struct lease_table *table, uint32_t position)
{
	struct lease *lease = &table->leases[position];

	if (lease->load == table->load || lease->state == LEASE_OFFERED)
		return;
	if (lease->held_ms == 0) {
		remove_entry(table, position);
		return;
	}
	lease->state = LEASE_OFFERED;
	lease->granted_ms = 0;
	note_change(table, lease);
}

bool lease_load_end(struct lease_table *table, size_t most, size_t *at)
{
	/* from the end: whatever takes a removed entry's place was looked at before */
	if (*at == 0 || *at > table->count)
		*at = table->count;
	while (most-- > 0 && *at > 0)
		drop_unseen(table, (uint32_t)-- * at);
	return *at > 0;
}

static void tend_block(struct lease_table *table, struct block *block, uint64_t now_ms)
{
	uint32_t first = block->number * BLOCK_SIZE, address = first;
	uint64_t free_ms = UINT64_MAX;
	struct block copy = *block; /* the block itself may be gone after a removal */

	while (block_next(&copy, true, address, block_end(first), &address)) {
		const struct lease *lease = lease_at(table, address);

		if (lease->state == LEASE_OFFERED && !lease_is_held(lease, now_ms))
			lease_remove(table, address);
		else if (free_from(lease) < free_ms)
			free_ms = free_from(lease);
		if (address++ == block_end(first))
			break;
	}
	blocks_set(&table->blocks, first, free_ms);
}

void lease_tend(struct lease_table *table, size_t blocks, uint64_t now_ms)
{
	while (blocks-- > 0 && table->blocks.count > 0) {
		if (table->tend_at >= table->blocks.count)
			table->tend_at = 0;
		tend_block(table, &table->blocks.blocks[table->tend_at++], now_ms);
	}
}
