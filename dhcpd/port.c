#include "dhcpd/port.h"

#include <string.h>

#include "dhcpd/relay.h"

#define PROBES 8
#define WORDS_MAX (4 + 1 + 255 + 255)

/* 0 when there is no port to speak of. */
static uint64_t key_of(const struct port_table *table, const struct packet *packet)
{
	struct relay_info relay = relay_read(packet);
	uint8_t words[WORDS_MAX];
	struct bytes_writer out = bytes_writer(words, sizeof(words));
	uint64_t key;

	if (!relay.circuit_id && !relay.remote_id)
		return 0;
	bytes_put_u32(&out, packet->giaddr);
	bytes_put_u8(&out, (uint8_t)relay.circuit_length);
	if (relay.circuit_length > 0)
		bytes_put(&out, relay.circuit_id, relay.circuit_length);
	if (relay.remote_length > 0)
		bytes_put(&out, relay.remote_id, relay.remote_length);
	key = hash_octets(&table->seed, words, out.length);
	return key != 0 ? key : 1;
}

/* The entry of the key, the free one where it belongs, or one that has to give way. */
static size_t position_of(const struct port_table *table, uint64_t key)
{
	for (size_t i = 0; i < PROBES; i++) {
		size_t at = (key + i) % PORT_TABLE_SIZE;

		if (table->entries[at].key == key || table->entries[at].key == 0)
			return at;
	}
	return key % PORT_TABLE_SIZE;
}

static const struct lease *live(const struct lease_table *leases, uint32_t address,
				uint64_t now_ms)
{
	const struct lease *lease = address != 0 ? lease_at(leases, address) : NULL;

	if (!lease || (!lease_is_bound(lease, now_ms) && !lease_is_held(lease, now_ms)))
		return NULL;
	return lease;
}

size_t port_count(const struct port_table *table, const struct packet *packet,
		  const struct lease_table *leases, const struct lease_client *client,
		  uint64_t now_ms)
{
	uint64_t key = key_of(table, packet);
	const struct port_entry *entry = &table->entries[position_of(table, key)];
	size_t count = 0;

	if (key == 0 || entry->key != key)
		return 0;
	for (size_t i = 0; i < PORT_ADDRESSES_MAX; i++) {
		const struct lease *lease = live(leases, entry->addresses[i], now_ms);

		count += lease && !lease_is_of(lease, client);
	}
	return count;
}

void port_note(struct port_table *table, const struct packet *packet, uint32_t address,
	       const struct lease_table *leases, uint64_t now_ms)
{
	uint64_t key = key_of(table, packet);
	struct port_entry *entry;
	size_t place = PORT_ADDRESSES_MAX;

	if (key == 0)
		return;
	entry = &table->entries[position_of(table, key)];
	if (entry->key != key)
		*entry = (struct port_entry){.key = key};
	for (size_t i = 0; i < PORT_ADDRESSES_MAX; i++) {
		if (entry->addresses[i] == address)
			return;
		if (place == PORT_ADDRESSES_MAX && !live(leases, entry->addresses[i], now_ms))
			place = i;
	}
	/* all of them live: the port is over every limit that can be set already */
	if (place < PORT_ADDRESSES_MAX)
		entry->addresses[place] = address;
}
