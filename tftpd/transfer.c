#include "tftpd/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

static struct transfer_key key_of(const struct udp_peer *peer)
{
	return (struct transfer_key){
		.address = peer->address, .scope = peer->scope, .port = peer->port};
}

struct transfer *transfer_find(const struct transfer_table *table, const struct udp_peer *peer)
{
	struct transfer_key key = key_of(peer);
	struct transfer *found;

	HASH_FIND(hh, table->by_key, &key, sizeof(key), found);
	return found;
}

static struct transfer_holder *find_holder(const struct transfer_table *table,
					   const struct ip *address)
{
	struct transfer_holder *found;

	HASH_FIND(hh, table->holders, address, sizeof(*address), found);
	return found;
}

/* NULL: no memory. */
static struct transfer_holder *hold(struct transfer_table *table, const struct ip *address)
{
	struct transfer_holder *holder = find_holder(table, address);

	if (!holder) {
		holder = calloc(1, sizeof(*holder));
		if (!holder)
			return NULL;
		holder->address = *address;
		HASH_ADD(hh, table->holders, address, sizeof(holder->address), holder);
	}
	holder->open_count++;
	return holder;
}

static void let_go(struct transfer_table *table, struct transfer_holder *holder)
{
	if (--holder->open_count > 0)
		return;
	HASH_DEL(table->holders, holder);
	free(holder);
}

static void unlist(struct transfer_table *table, struct transfer *transfer)
{
	if (transfer->is_listed)
		HASH_DEL(table->by_key, transfer);
	transfer->is_listed = false;
}

struct transfer *transfer_new(struct transfer_table *table, const struct udp_peer *peer)
{
	struct transfer *old = transfer_find(table, peer);
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return NULL;
	transfer->holder = hold(table, &peer->address);
	if (!transfer->holder) {
		free(transfer);
		return NULL;
	}
	if (old) {
		assert(old->is_ended);
		unlist(table, old);
	}
	transfer->key = key_of(peer);
	transfer->peer = *peer;
	transfer->source.file = -1;
	transfer->is_listed = true;
	HASH_ADD(hh, table->by_key, key, sizeof(transfer->key), transfer);
	DL_APPEND(table->unproved, transfer);
	table->unproved_count++;
	table->open_count++;
	return transfer;
}

/* Out of the list of open ones that it is in. */
static void take_out(struct transfer_table *table, struct transfer *transfer)
{
	if (transfer->is_proved) {
		DL_DELETE(table->proved, transfer);
		return;
	}
	DL_DELETE(table->unproved, transfer);
	table->unproved_count--;
}

void transfer_prove(struct transfer_table *table, struct transfer *transfer)
{
	if (transfer->is_proved)
		return;
	take_out(table, transfer);
	transfer->is_proved = true;
	DL_APPEND(table->proved, transfer);
}

struct transfer *transfer_any(const struct transfer_table *table)
{
	return table->unproved ? table->unproved : table->proved;
}

struct transfer *transfer_take_due(struct transfer_table *table, uint64_t now_ms)
{
	struct wheel_entry *entry = wheel_take(&table->wheel, now_ms);

	if (!entry)
		return NULL;
	return (struct transfer *)(void *)((char *)entry - offsetof(struct transfer, waits));
}

void transfer_end(struct transfer_table *table, struct transfer *transfer, uint64_t now_ms)
{
	assert(!transfer->is_ended);
	source_close(&transfer->source);
	warm_release(transfer->warm);
	transfer->warm = NULL;
	upload_release(transfer->upload);
	transfer->upload = NULL;
	wheel_remove(&table->wheel, &transfer->waits);
	let_go(table, transfer->holder);
	transfer->holder = NULL;
	take_out(table, transfer);
	transfer->is_ended = true;
	transfer->ended_ms = now_ms;
	table->open_count--;
	if (transfer->is_whole)
		DL_APPEND(table->dallying, transfer);
	else
		DL_APPEND(table->ended, transfer);
	table->ended_count++;
}

unsigned transfer_count_of(const struct transfer_table *table, const struct ip *address)
{
	const struct transfer_holder *holder = find_holder(table, address);

	return holder ? holder->open_count : 0;
}

uint64_t transfer_forget_due(const struct transfer_table *table)
{
	uint64_t ended = table->ended ? table->ended->ended_ms + TRANSFER_LINGER_MS : 0;
	uint64_t dallying = table->dallying ? table->dallying->ended_ms + TRANSFER_DALLY_MS : 0;

	if (ended == 0 || dallying == 0)
		return ended + dallying;
	return ended < dallying ? ended : dallying;
}

static void forget_from(struct transfer_table *table, struct transfer **list,
			uint64_t linger_ms, uint64_t now_ms, size_t most)
{
	while (*list) {
		struct transfer *oldest = *list;

		if (table->ended_count <= most && now_ms - oldest->ended_ms < linger_ms)
			return;
		unlist(table, oldest);
		DL_DELETE(*list, oldest);
		table->ended_count--;
		free(oldest);
	}
}

void transfer_forget(struct transfer_table *table, uint64_t now_ms, size_t most)
{
	forget_from(table, &table->ended, TRANSFER_LINGER_MS, now_ms, most);
	forget_from(table, &table->dallying, TRANSFER_DALLY_MS, now_ms, most);
}

void transfer_table_free(struct transfer_table *table)
{
	while (transfer_any(table))
		transfer_end(table, transfer_any(table), 0);
	transfer_forget(table, 0, 0);
	assert(!table->by_key);
}
