#include "dhcpd/block.h"

uint32_t block_hash(uint32_t number)
{
	return (uint32_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static uint32_t number_of(uint32_t address)
{
	return address / BLOCK_SIZE;
}

static struct block *find(const struct blocks *blocks, uint32_t address)
{
	uint32_t number = number_of(address);
	uint32_t at = buckets_find(&blocks->index, block_hash(number));

	while (at != BUCKETS_NONE && blocks->blocks[at].number != number)
		at = buckets_next(&blocks->index, at);
	return at != BUCKETS_NONE ? &blocks->blocks[at] : NULL;
}

const struct block *blocks_find(const struct blocks *blocks, uint32_t address)
{
	return find(blocks, address);
}

static uint64_t bit_of(uint32_t address)
{
	return UINT64_C(1) << (address % 64);
}

static uint64_t *word_of(struct block *block, uint32_t address)
{
	return &block->taken[address % BLOCK_SIZE / 64];
}

void blocks_add(struct blocks *blocks, uint32_t address, uint64_t free_ms)
{
	struct block *block = find(blocks, address);
	uint32_t number = number_of(address);

	if (!block) {
		block = &blocks->blocks[blocks->count];
		*block = (struct block){.number = number, .free_ms = UINT64_MAX};
		buckets_add(&blocks->index, block_hash(number), (uint32_t)blocks->count);
		blocks->count++;
	}
	if (!(*word_of(block, address) & bit_of(address)))
		block->count++;
	*word_of(block, address) |= bit_of(address);
	if (block->free_ms > free_ms)
		block->free_ms = free_ms;
}

void blocks_note(struct blocks *blocks, uint32_t address, uint64_t free_ms)
{
	struct block *block = find(blocks, address);

	if (block && block->free_ms > free_ms)
		block->free_ms = free_ms;
}

void blocks_set(struct blocks *blocks, uint32_t address, uint64_t free_ms)
{
	struct block *block = find(blocks, address);

	if (block)
		block->free_ms = free_ms;
}

/* The last block takes the place of one that is empty. */
static void drop(struct blocks *blocks, struct block *block)
{
	uint32_t position = (uint32_t)(block - blocks->blocks);
	uint32_t last = (uint32_t)--blocks->count;

	buckets_remove(&blocks->index, position);
	if (position == last)
		return;
	*block = blocks->blocks[last];
	buckets_rename(&blocks->index, last, position);
}

void blocks_remove(struct blocks *blocks, uint32_t address)
{
	struct block *block = find(blocks, address);

	if (!block || !(*word_of(block, address) & bit_of(address)))
		return;
	*word_of(block, address) &= ~bit_of(address);
	if (--block->count == 0)
		drop(blocks, block);
}

uint32_t block_end(uint32_t address)
{
	return address | (BLOCK_SIZE - 1);
}

bool block_next(const struct block *block, bool is_taken, uint32_t from, uint32_t to,
		uint32_t *ret_address)
{
	uint64_t flip = is_taken ? 0 : UINT64_MAX;

	if (to > block_end(from))
		to = block_end(from);
	while (from <= to) {
		uint64_t taken = block ? block->taken[from % BLOCK_SIZE / 64] : 0;
		uint64_t bits = (taken ^ flip) >> (from % 64);

		if (bits != 0) {
			from += (uint32_t)__builtin_ctzll(bits);
			if (from > to)
				return false;
			*ret_address = from;
			return true;
		}
		/* the end of this word; the last address of all has none behind it */
		if ((from | 63) == UINT32_MAX)
			return false;
		from = (from | 63) + 1;
	}
	return false;
}
