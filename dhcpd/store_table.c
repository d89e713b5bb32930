#include "dhcpd/store_table.h"

#include <stdlib.h>
#include <string.h>

#include "io/log.h"

#define CAPACITY_LEAST 1024
#define PURGED_AT_ONCE 256

struct table {
	struct lease_table leases;
	struct lease *storage;
	uint32_t *slots;
	struct hash_key seed;
	size_t purged_to; /* where the next purge goes on */
	struct log_repeat full_log;
};

/* Fresh storage, empty; the old one stays as it is on ERR_MEMORY. */
static enum err make(size_t capacity, struct hash_key seed, struct table *ret_fresh)
{
	struct table fresh = {.seed = seed};

	fresh.storage = calloc(capacity, sizeof(*fresh.storage));
	fresh.slots = calloc(lease_slot_count(capacity), sizeof(*fresh.slots));
	if (!fresh.storage || !fresh.slots) {
		free(fresh.storage);
		free(fresh.slots);
		return ERR_MEMORY;
	}
	lease_table_init(&fresh.leases, fresh.storage, capacity, fresh.slots, seed);
	*ret_fresh = fresh;
	return ERR_OK;
}

static void replace(struct table *table, const struct table *fresh)
{
	free(table->storage);
	free(table->slots);
	*table = *fresh;
}

enum err table_open(struct hash_key seed, struct table **ret_table)
{
	struct table *table = calloc(1, sizeof(*table));
	enum err err;

	if (!table)
		return ERR_MEMORY;
	err = make(CAPACITY_LEAST, seed, table);
	if (err != ERR_OK) {
		free(table);
		return err;
	}
	*ret_table = table;
	return ERR_OK;
}

const struct lease_table *table_leases(const struct table *table)
{
	return &table->leases;
}

/* Room for one more lease, by twice the storage; false when there is no memory for it. */
static bool has_room(struct table *table)
{
	const struct lease_table *leases = &table->leases;
	struct table fresh;
	unsigned long left_out;

	if (leases->count < leases->capacity)
		return true;
	if (make(leases->capacity * 2, table->seed, &fresh) != ERR_OK) {
		if (log_repeat_due(&table->full_log, 0, 1, &left_out))
			log_error("no_memory_for_leases", "count=%zu", leases->count);
		return false;
	}
	for (size_t i = 0; i < leases->count; i++) {
		if (lease_put(&fresh.leases, &leases->leases[i]) != ERR_OK)
			abort(); /* twice the room holds what half of it held */
	}
	replace(table, &fresh);
	return true;
}

/* After has_room() there is room: anything else is a mistake of ours. */
static void expect_ok(enum err err)
{
	if (err != ERR_OK)
		abort();
}

void table_put(struct table *table, const struct lease *lease)
{
	if (has_room(table))
		expect_ok(lease_put(&table->leases, lease));
}

void table_hold(struct table *table, const struct lease_holder *holder, uint64_t until_ms)
{
	if (has_room(table))
		expect_ok(lease_hold(&table->leases, holder, until_ms));
}

void table_bind(struct table *table, const struct lease_holder *holder, uint64_t ends_ms,
		const struct ip4_net *net)
{
	if (has_room(table))
		expect_ok(lease_bind(&table->leases, holder, ends_ms, net));
}

void table_forget(struct table *table, const struct lease_client *client,
		  const struct ip4_net *net)
{
	lease_forget_hold(&table->leases, client, net);
}

void table_end(struct table *table, uint32_t address, enum lease_state state,
	       uint64_t quarantine_ends_ms)
{
	lease_end(&table->leases, address, state, quarantine_ends_ms);
}

static enum lease_state state_named(const char *name)
{
	if (strcmp(name, "bound") == 0)
		return LEASE_BOUND;
	if (strcmp(name, "released") == 0)
		return LEASE_RELEASED;
	return strcmp(name, "declined") == 0 ? LEASE_DECLINED : LEASE_EXPIRED;
}

static bool read_row(const struct db_rows *rows, size_t position, uint64_t now_ms,
		     struct lease *lease)
{
	struct row row = rows_row(rows, position);
	int64_t end = (int64_t)now_ms + row_number(&row, "seconds_left") * 1000;

	*lease = (struct lease){0};
	lease->address = row_ip4(&row, "address");
	lease->client.length = (uint16_t)row_bytes(&row, "client", lease->client.octets,
						   sizeof(lease->client.octets));
	lease->has_mac = row_mac(&row, "mac", &lease->mac);
	lease->state = state_named(row_text(&row, "state"));
	lease->ends_ms = end > 0 ? (uint64_t)end : 0;
	if (!row.bad && lease->client.length > 0)
		return true;
	log_error("lease_unreadable", "column=%s remedy=%s", row.bad ? row.bad : "client",
		  log_text("run `rouse-db verify` on this database"));
	return false;
}

void table_put_row(struct table *table, const struct db_rows *rows, size_t position,
		   uint64_t now_ms)
{
	const struct lease *old;
	struct lease lease;

	if (!read_row(rows, position, now_ms, &lease))
		return;
	old = lease_at(&table->leases, lease.address);
	if (old && lease_client_equal(&old->client, &lease.client))
		lease.granted_ms = old->granted_ms;
	if (old && lease_is_held(old, now_ms)) {
		/* an offer stands; the grant will show whether it still may */
		if (!lease_client_equal(&old->client, &lease.client))
			return;
		lease.held_ms = old->held_ms;
	}
	table_put(table, &lease);
}

enum err table_beside(const struct table *table, struct table **ret_fresh)
{
	return table_open(table->seed, ret_fresh);
}

/* What only this process knows: its offers, and what it has acknowledged itself. */
static void carry_over(struct table *fresh, const struct lease *old, uint64_t now_ms)
{
	const struct lease *found = lease_at(&fresh->leases, old->address);
	struct lease lease;

	if (!found) {
		if (lease_is_held(old, now_ms) && old->state == LEASE_OFFERED)
			table_put(fresh, old);
		return;
	}
	lease = *found;
	if (lease_client_equal(&old->client, &lease.client)) {
		lease.granted_ms = old->granted_ms;
		lease.held_ms = old->held_ms;
	} else if (lease_is_held(old, now_ms) && old->state == LEASE_OFFERED) {
		/* an offer stands; the grant will show whether it still may */
		lease = *old;
	}
	table_put(fresh, &lease);
}

void table_adopt(struct table *table, struct table *fresh, uint64_t now_ms)
{
	const struct lease_table *old = &table->leases;

	for (size_t i = 0; i < old->count; i++) {
		if (old->leases[i].held_ms > 0 || old->leases[i].granted_ms > 0)
			carry_over(fresh, &old->leases[i], now_ms);
	}
	replace(table, fresh);
	free(fresh);
}

void table_purge(struct table *table, uint64_t now_ms)
{
	struct lease_table *leases = &table->leases;

	for (size_t i = 0; i < PURGED_AT_ONCE && leases->count > 0; i++) {
		const struct lease *lease;

		if (table->purged_to >= leases->count)
			table->purged_to = 0;
		lease = &leases->leases[table->purged_to];
		if (lease->state == LEASE_OFFERED && !lease_is_held(lease, now_ms))
			lease_remove(leases, lease->address);
		else
			table->purged_to++;
	}
}

void table_close(struct table *table)
{
	if (!table)
		return;
	free(table->storage);
	free(table->slots);
	free(table);
}
