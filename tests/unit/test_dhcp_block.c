#include "unit.h"

#include "dhcpd/block.h"

#define BLOCKS 4

static struct block storage[BLOCKS];
static struct buckets_cell cells[BLOCKS];
static uint32_t heads[BLOCKS];
static struct blocks blocks;

static int begin(void **state)
{
	(void)state;
	blocks = (struct blocks){.blocks = storage};
	buckets_init(&blocks.index, cells, heads);
	return 0;
}

static void test_knows_who_has_an_entry(void **state)
{
	uint32_t address;

	(void)state;
	blocks_add(&blocks, 0x0a4d0105, 100);
	blocks_add(&blocks, 0x0a4d0106, 50);
	blocks_add(&blocks, 0x0a4d0180, 70);
	blocks_add(&blocks, 0x0a4d0106, 60); /* again: it is one entry */
	assert_int_equal(blocks.count, 1);
	assert_int_equal(blocks_find(&blocks, 0x0a4d01ff)->count, 3);
	assert_null(blocks_find(&blocks, 0x0a4d0200));
	assert_true(block_next(storage, true, 0x0a4d0100, 0x0a4d01ff, &address));
	assert_int_equal(address, 0x0a4d0105);
	assert_true(block_next(storage, true, 0x0a4d0107, 0x0a4d01ff, &address));
	assert_int_equal(address, 0x0a4d0180);
	assert_false(block_next(storage, true, 0x0a4d0107, 0x0a4d017f, &address));
	assert_false(block_next(storage, true, 0x0a4d0181, 0x0a4d01ff, &address));
	assert_true(block_next(storage, false, 0x0a4d0105, 0x0a4d01ff, &address));
	assert_int_equal(address, 0x0a4d0107);
	assert_false(block_next(storage, false, 0x0a4d0105, 0x0a4d0106, &address));
}

static void test_stays_within_its_block(void **state)
{
	uint32_t address;

	(void)state;
	assert_true(block_next(NULL, false, 0x0a4d01fe, UINT32_MAX, &address));
	assert_int_equal(address, 0x0a4d01fe);
	assert_false(block_next(NULL, true, 0x0a4d0100, UINT32_MAX, &address));
	assert_int_equal(block_end(0x0a4d0100), 0x0a4d01ff);
	/* the last address of all */
	blocks_add(&blocks, UINT32_MAX, 1);
	assert_true(block_next(storage, true, UINT32_MAX - 3, UINT32_MAX, &address));
	assert_int_equal(address, UINT32_MAX);
	assert_false(block_next(storage, false, UINT32_MAX, UINT32_MAX, &address));
}

static void test_remembers_when_the_first_is_free(void **state)
{
	(void)state;
	blocks_add(&blocks, 256, 100);
	blocks_add(&blocks, 257, 50);
	assert_int_equal(blocks_find(&blocks, 256)->free_ms, 50);
	blocks_note(&blocks, 256, 80);
	assert_int_equal(blocks_find(&blocks, 256)->free_ms, 50);
	blocks_note(&blocks, 256, 20);
	assert_int_equal(blocks_find(&blocks, 256)->free_ms, 20);
	blocks_set(&blocks, 256, 90);
	assert_int_equal(blocks_find(&blocks, 256)->free_ms, 90);
	blocks_note(&blocks, 9999, 1); /* nobody is there */
	assert_int_equal(blocks.count, 1);
}

static void test_an_empty_block_is_gone(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < BLOCKS; i++)
		blocks_add(&blocks, i * BLOCK_SIZE, i);
	blocks_remove(&blocks, 1); /* was never there */
	blocks_remove(&blocks, BLOCK_SIZE);
	assert_int_equal(blocks.count, 3);
	assert_null(blocks_find(&blocks, BLOCK_SIZE));
	assert_int_equal(blocks_find(&blocks, 3 * BLOCK_SIZE)->free_ms, 3);
	blocks_remove(&blocks, BLOCK_SIZE);
	blocks_add(&blocks, BLOCK_SIZE + 7, 9);
	for (uint32_t i = 0; i < BLOCKS; i++)
		assert_int_equal(blocks_find(&blocks, i * BLOCK_SIZE)->number, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_knows_who_has_an_entry, begin),
		cmocka_unit_test_setup(test_stays_within_its_block, begin),
		cmocka_unit_test_setup(test_remembers_when_the_first_is_free, begin),
		cmocka_unit_test_setup(test_an_empty_block_is_gone, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
