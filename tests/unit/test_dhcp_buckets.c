#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "dhcpd/buckets.h"

#define MOST 3000

static struct buckets_cell cells[MOST], longer_cells[2 * MOST];
static uint32_t heads[MOST], longer_heads[2 * MOST];
static uint32_t keys[2 * MOST]; /* the array that is indexed: packed */
static struct buckets index_of_keys;
static uint32_t key_count;

static uint32_t random_state = 7;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 8) % limit;
}

/* Few different hashes, so that chains are long and hashes are shared. */
static uint32_t hash_of(uint32_t key)
{
	return key % 701 * 2654435761U;
}

static int begin(void **state)
{
	(void)state;
	/* whatever was there before */
	memset(heads, 0xaa, sizeof(heads));
	memset(cells, 0xaa, sizeof(cells));
	buckets_init(&index_of_keys, cells, heads);
	key_count = 0;
	return 0;
}

static uint32_t find(uint32_t key)
{
	uint32_t at = buckets_find(&index_of_keys, hash_of(key));

	while (at != BUCKETS_NONE && keys[at] != key)
		at = buckets_next(&index_of_keys, at);
	return at;
}

static void add(uint32_t key)
{
	keys[key_count] = key;
	buckets_add(&index_of_keys, hash_of(key), key_count);
	key_count++;
}

static void remove_at(uint32_t position)
{
	buckets_remove(&index_of_keys, position);
	if (position != --key_count) {
		keys[position] = keys[key_count];
		buckets_rename(&index_of_keys, key_count, position);
	}
}

static void test_finds_what_is_there_and_nothing_else(void **state)
{
	static bool is_there[2 * MOST];

	(void)state;
	memset(is_there, 0, sizeof(is_there));
	for (unsigned step = 0; step < 60000; step++) {
		uint32_t key = random_below(2 * MOST);

		if (is_there[key])
			remove_at(find(key));
		else if (key_count < MOST)
			add(key);
		else
			continue;
		is_there[key] = !is_there[key];
	}
	for (uint32_t key = 0; key < 2 * MOST; key++) {
		uint32_t at = find(key);

		assert_int_equal(at != BUCKETS_NONE, is_there[key]);
		if (is_there[key])
			assert_int_equal(keys[at], key);
	}
}

static uint32_t longest_chain(void)
{
	uint32_t longest = 0;

	for (uint32_t bucket = 0; bucket < index_of_keys.count; bucket++) {
		uint32_t length = 0;

		for (uint32_t link = index_of_keys.heads[bucket]; link != 0;
		     link = index_of_keys.cells[link - 1].next)
			length++;
		if (length > longest)
			longest = length;
	}
	return longest;
}

/* One addition splits one bucket: there are as many as keys, and chains stay short. */
static void test_grows_bucket_by_bucket_also_in_longer_arrays(void **state)
{
	(void)state;
	for (uint32_t key = 0; key < 2 * MOST; key++) {
		if (key == MOST) {
			memcpy(longer_cells, cells, sizeof(cells));
			memcpy(longer_heads, heads, sizeof(heads));
			buckets_move_to(&index_of_keys, longer_cells, longer_heads);
		}
		keys[key] = key;
		buckets_add(&index_of_keys, key * 2654435761U, key);
		assert_in_range(index_of_keys.count, key, key + 1);
	}
	for (uint32_t key = 0; key < 2 * MOST; key++)
		assert_int_equal(buckets_find(&index_of_keys, key * 2654435761U), key);
	assert_in_range(longest_chain(), 1, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_finds_what_is_there_and_nothing_else, begin),
		cmocka_unit_test_setup(test_grows_bucket_by_bucket_also_in_longer_arrays,
				       begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
