#include "tftpd/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

static struct transfer_key key_of(const struct sockaddr_in *peer)
{
	return (struct transfer_key){.address = peer->sin_addr.s_addr, .port = peer->sin_port};
}

struct transfer *transfer_find(const struct transfer_table *table,
			       const struct sockaddr_in *peer)
{
	struct transfer_key key = key_of(peer);
	struct transfer *found;

	HASH_FIND(hh, table->by_key, &key, sizeof(key), found);
	return found;
}

static void unlist(struct transfer_table *table, struct transfer *transfer)
{
	if (transfer->is_listed)
		HASH_DEL(table->by_key, transfer);
	transfer->is_listed = false;
}

struct transfer *transfer_new(struct transfer_table *table, const struct sockaddr_in *peer)
{
	struct transfer *old = transfer_find(table, peer);
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return NULL;
	if (old) {
		assert(old->is_ended);
		unlist(table, old);
	}
	transfer->key = key_of(peer);
	transfer->peer = *peer;
	transfer->source.file = -1;
	transfer->is_listed = true;
	HASH_ADD(hh, table->by_key, key, sizeof(transfer->key), transfer);
	DL_APPEND(table->open, transfer);
	table->open_count++;
	return transfer;
}

void transfer_end(struct transfer_table *table, struct transfer *transfer, uint64_t now_ms)
{
	assert(!transfer->is_ended);
	source_close(&transfer->source);
	transfer->is_ended = true;
	transfer->ended_ms = now_ms;
	DL_DELETE(table->open, transfer);
	table->open_count--;
	DL_APPEND(table->ended, transfer);
	table->ended_count++;
}

size_t transfer_count_of(const struct transfer_table *table, struct in_addr address)
{
	const struct transfer *transfer;
	size_t count = 0;

	DL_FOREACH(table->open, transfer)
	{
		count += transfer->key.address == address.s_addr;
	}
	return count;
}

void transfer_forget(struct transfer_table *table, uint64_t now_ms, size_t most)
{
	while (table->ended) {
		struct transfer *oldest = table->ended;

		if (table->ended_count <= most &&
		    now_ms - oldest->ended_ms < TRANSFER_LINGER_MS)
			return;
		unlist(table, oldest);
		DL_DELETE(table->ended, oldest);
		table->ended_count--;
		free(oldest);
	}
}

void transfer_table_free(struct transfer_table *table)
{
	while (table->open)
		transfer_end(table, table->open, 0);
	transfer_forget(table, 0, 0);
	assert(!table->by_key);
}
