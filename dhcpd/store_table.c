#include "dhcpd/store_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"

#define CAPACITY_LEAST 1024
#define BOXES_LEAST 64
/* Calls of table_tend() in which every block is visited once: a minute. */
#define TENDS_OF_ALL 600

/* Long keys are kept where they are: more room for them is another chunk. */
struct chunk {
	struct chunk *next;
	union lease_box boxes[];
};

struct table {
	struct lease_table leases;
	struct lease_storage storage;
	struct chunk *chunks;
	size_t box_count;
	size_t dropped_to; /* of lease_load_end() */
	struct log_repeat full_log;
};

/* The array with room for `count` elements; false: there is no memory, and it stays. */
static bool lengthen(void **array, size_t count, size_t size)
{
	void *longer = reallocarray(*array, count, size);

	if (!longer)
		return false;
	*array = longer;
	return true;
}

/* Large arrays are moved by the kernel, page by page and without copying. */
static bool grow(struct lease_storage *storage, size_t capacity)
{
	if (!lengthen((void **)&storage->leases, capacity, sizeof(*storage->leases)) ||
	    !lengthen((void **)&storage->blocks, capacity, sizeof(*storage->blocks)) ||
	    !lengthen((void **)&storage->address_cells, capacity,
		      sizeof(*storage->address_cells)) ||
	    !lengthen((void **)&storage->client_cells, capacity,
		      sizeof(*storage->client_cells)) ||
	    !lengthen((void **)&storage->block_cells, capacity,
		      sizeof(*storage->block_cells)) ||
	    !lengthen((void **)&storage->address_heads, capacity,
		      sizeof(*storage->address_heads)) ||
	    !lengthen((void **)&storage->client_heads, capacity,
		      sizeof(*storage->client_heads)) ||
	    !lengthen((void **)&storage->block_heads, capacity, sizeof(*storage->block_heads)))
		return false;
	storage->capacity = capacity;
	return true;
}

static void free_storage(struct table *table)
{
	struct lease_storage *storage = &table->storage;

	free(storage->leases);
	free(storage->blocks);
	free(storage->address_cells);
	free(storage->client_cells);
	free(storage->block_cells);
	free(storage->address_heads);
	free(storage->client_heads);
	free(storage->block_heads);
	while (table->chunks) {
		struct chunk *chunk = table->chunks;

		table->chunks = chunk->next;
		free(chunk);
	}
}

static bool add_boxes(struct table *table, size_t count)
{
	struct chunk *chunk =
		malloc(offsetof(struct chunk, boxes) + count * sizeof(chunk->boxes[0]));

	if (!chunk)
		return false;
	chunk->next = table->chunks;
	table->chunks = chunk;
	table->box_count += count;
	lease_table_add_boxes(&table->leases, chunk->boxes, count);
	return true;
}

enum err table_open(struct hash_key seed, struct table **ret_table)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return ERR_MEMORY;
	if (!grow(&table->storage, CAPACITY_LEAST)) {
		free_storage(table);
		free(table);
		return ERR_MEMORY;
	}
	lease_table_init(&table->leases, &table->storage, seed);
	*ret_table = table;
	return ERR_OK;
}

const struct lease_table *table_leases(const struct table *table)
{
	return &table->leases;
}

/* Room for one more lease with any key; false when there is no memory for it. */
static bool has_room(struct table *table)
{
	struct lease_table *leases = &table->leases;
	bool is_grown = true;
	unsigned long left_out;

	if (leases->count == leases->capacity) {
		is_grown = grow(&table->storage, leases->capacity * 2);
		/* also when only some of the arrays could be lengthened: they may have moved */
		lease_table_move_to(leases, &table->storage);
	}
	if (is_grown && !leases->free_boxes)
		is_grown = add_boxes(table, table->box_count ? table->box_count : BOXES_LEAST);
	if (!is_grown && log_repeat_due(&table->full_log, 0, 1, &left_out))
		log_error("no_memory_for_leases", "count=%zu", leases->count);
	return is_grown;
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

void table_quarantine(struct table *table, const struct lease_holder *user,
		      uint64_t quarantine_ends_ms, uint64_t now_ms)
{
	if (has_room(table))
		expect_ok(lease_quarantine(&table->leases, user, quarantine_ends_ms, now_ms));
}

static enum lease_state state_named(const char *name)
{
	if (strcmp(name, "bound") == 0)
		return LEASE_BOUND;
	if (strcmp(name, "released") == 0)
		return LEASE_RELEASED;
	return strcmp(name, "declined") == 0 ? LEASE_DECLINED : LEASE_EXPIRED;
}

/* `client` is where the lease's key is kept. */
static bool read_row(const struct db_rows *rows, size_t position, uint64_t now_ms,
		     struct lease_client *client, struct lease *lease)
{
	struct row row = rows_row(rows, position);
	int64_t end = (int64_t)now_ms + row_number(&row, "seconds_left") * 1000;

	*lease = (struct lease){0};
	lease->address = row_ip4(&row, "address");
	client->length =
		(uint16_t)row_bytes(&row, "client", client->octets, sizeof(client->octets));
	lease->client = lease_key_of(client);
	lease->has_mac = row_mac(&row, "mac", &lease->mac);
	lease->state = state_named(row_text(&row, "state"));
	lease->ends_ms = end > 0 ? (uint64_t)end : 0;
	if (!row.bad && client->length > 0)
		return true;
	log_error("lease_unreadable", "column=%s remedy=%s", row.bad ? row.bad : "client",
		  log_text("run `rouse-db verify` on this database"));
	return false;
}

void table_put_row(struct table *table, const struct db_rows *rows, size_t position,
		   uint64_t now_ms)
{
	struct lease_client client;
	struct lease lease;

	if (read_row(rows, position, now_ms, &client, &lease) && has_room(table))
		expect_ok(lease_put_recorded(&table->leases, &lease, now_ms));
}

void table_load_begin(struct table *table)
{
	lease_load_begin(&table->leases);
	table->dropped_to = 0;
}

bool table_load_end(struct table *table, size_t most)
{
	return lease_load_end(&table->leases, most, &table->dropped_to);
}

void table_tend(struct table *table, uint64_t now_ms)
{
	lease_tend(&table->leases, 1 + table->leases.blocks.count / TENDS_OF_ALL, now_ms);
}

void table_close(struct table *table)
{
	if (!table)
		return;
	free_storage(table);
	free(table);
}
