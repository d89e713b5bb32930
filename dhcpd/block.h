/*
 * block - which addresses of each /24 have an entry in the lease table, and when the first of
 * them may be free: so that a free address of a large or a full pool is found by a few words of
 * bits, and not by looking up each address.
 *
 *	const struct block *block = blocks_find(&blocks, address);
 *	if (block_next(block, false, address, pool->last, &found))
 *		... nobody ever had `found`
 */
#ifndef ROUSE_DHCPD_BLOCK_H
#define ROUSE_DHCPD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcpd/buckets.h"

#define BLOCK_SIZE 256U

struct block {
	uint64_t taken[BLOCK_SIZE / 64]; /* one bit for each address */
	uint64_t free_ms; /* before that none of its entries is anybody else's to have */
	uint32_t number;  /* the upper 24 bits of its addresses */
	uint32_t count;	  /* of bits that are set: at least one */
};

/* The blocks that hold any entry. The arrays are the caller's. */
struct blocks {
	struct block *blocks;
	size_t count;
	struct buckets index;
};

/* A hash of a number that no stranger chooses: addresses are those of pools. */
uint32_t block_hash(uint32_t number);

/* The block of an address, NULL when none of its addresses has an entry. */
const struct block *blocks_find(const struct blocks *blocks, uint32_t address);
/* There is an entry at this address from now on; the arrays have room for one more block. */
void blocks_add(struct blocks *blocks, uint32_t address, uint64_t free_ms);
/* The entry at this address may be free from then on, perhaps earlier than was thought. */
void blocks_note(struct blocks *blocks, uint32_t address, uint64_t free_ms);
/* All entries of the block of this address were looked at: none may be free before that. */
void blocks_set(struct blocks *blocks, uint32_t address, uint64_t free_ms);
void blocks_remove(struct blocks *blocks, uint32_t address);

/*
 * The first address from `from` on, at most `to` and in the block of `from`, that has an entry
 * (or, `is_taken` false, none). A block that is NULL has none. false: there is no such address.
 */
bool block_next(const struct block *block, bool is_taken, uint32_t from, uint32_t to,
		uint32_t *ret_address);
/* The last address of the block of this address. */
uint32_t block_end(uint32_t address);

#endif
