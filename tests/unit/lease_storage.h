/* Storage for a lease table in tests: LEASE_STORAGE(name, capacity) declares it. */
#ifndef ROUSE_TESTS_LEASE_STORAGE_H
#define ROUSE_TESTS_LEASE_STORAGE_H

#include "dhcpd/lease_table.h"

#define LEASE_STORAGE(name, size)                                                              \
	static struct lease name##_leases[size];                                               \
	static struct block name##_blocks[size];                                               \
	static struct buckets_cell name##_cells[3][size];                                      \
	static uint32_t name##_heads[3][size];                                                 \
	static const struct lease_storage name = {                                             \
		.capacity = (size),                                                            \
		.leases = name##_leases,                                                       \
		.blocks = name##_blocks,                                                       \
		.address_cells = name##_cells[0],                                              \
		.client_cells = name##_cells[1],                                               \
		.block_cells = name##_cells[2],                                                \
		.address_heads = name##_heads[0],                                              \
		.client_heads = name##_heads[1],                                               \
		.block_heads = name##_heads[2],                                                \
	}

#endif
