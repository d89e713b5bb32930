#include "test_dhcp_samples.h"

#include "dhcpd/pool.h"

static struct pool_question question(struct lease_client *client, struct mac *mac, uint8_t last)
{
	*client = sample_client(last);
	*mac = (struct mac){{0x52, 0x54, 0, 0, 0, last}};
	return (struct pool_question){
		.site = &sample_site,
		.subnet = &sample_subnets[0],
		.leases = &sample_table,
		.client = client,
		.mac = mac,
		.server = SERVER,
		.now_ms = 1000,
		.grace_ms = 60000,
	};
}

static void test_the_same_client_gets_the_same_address(void **state)
{
	struct lease_client client;
	struct mac mac;
	struct pool_question asked = question(&client, &mac, 9);
	uint32_t first, again;

	(void)state;
	assert_int_equal(pool_pick(&asked, &first), ERR_OK);
	assert_int_equal(pool_pick(&asked, &again), ERR_OK);
	assert_int_equal(first, again);
	assert_true(first >= POOL_FIRST && first <= POOL_LAST);
	/* another takes it: the next one behind it */
	sample_lease(10, first, LEASE_BOUND, 50000);
	assert_int_equal(pool_pick(&asked, &again), ERR_OK);
	assert_int_not_equal(first, again);
}

static void test_gives_every_address_and_no_reserved_one(void **state)
{
	struct lease_client client;
	struct mac mac;
	uint32_t address;

	(void)state;
	for (uint8_t i = 0; i < 7; i++) {
		struct pool_question asked = question(&client, &mac, (uint8_t)(100 + i));

		assert_int_equal(pool_pick(&asked, &address), ERR_OK);
		assert_true(address >= POOL_FIRST && address <= POOL_LAST);
		assert_int_not_equal(address, IP(10, 77, 0, 103)); /* reserved */
		assert_null(lease_at(&sample_table, address));
		sample_lease((uint8_t)(100 + i), address, LEASE_BOUND, 50000);
	}
	{
		struct pool_question asked = question(&client, &mac, 200);

		assert_int_equal(pool_pick(&asked, &address), ERR_ABSENT);
		asked.now_ms = 50000 + 60000;
		assert_int_equal(pool_pick(&asked, &address), ERR_OK);
	}
}

static void test_what_operators_permit(void **state)
{
	struct lease_client client;
	struct mac mac;
	struct pool_question asked = question(&client, &mac, 0x50);

	(void)state;
	assert_int_equal(pool_reserved_for(&sample_site, &sample_subnets[0], &mac), RESERVED);
	assert_int_equal(pool_reserved_for(&sample_site, &sample_subnets[1], &mac), 0);
	assert_true(pool_permits(&asked, RESERVED)); /* its own, outside every pool */
	assert_true(pool_permits(&asked, POOL_LAST));
	assert_false(pool_permits(&asked, POOL_LAST + 1));
	assert_false(pool_permits(&asked, IP(10, 77, 0, 103))); /* another's */
	assert_false(pool_permits(&asked, SERVER));
	assert_false(pool_permits(&asked, IP(10, 88, 0, 10))); /* another subnet's pool */
	asked = question(&client, &mac, 9);
	assert_false(pool_permits(&asked, RESERVED));
	asked.server = POOL_FIRST;
	assert_false(pool_permits(&asked, POOL_FIRST));
	assert_int_equal(pool_size(&sample_site, &sample_subnets[0]), 8);
}

/* A pool may name the whole network: its first and its last address are no machine's. */
static void test_a_pool_over_the_whole_network(void **state)
{
	struct site_pool whole = {1, IP(10, 77, 0, 0), IP(10, 77, 0, 255)};
	struct lease_client client;
	struct mac mac;
	struct pool_question asked = question(&client, &mac, 9);

	(void)state;
	sample_site.pools = &whole;
	sample_site.pool_count = 1;
	assert_false(pool_permits(&asked, IP(10, 77, 0, 0)));
	assert_true(pool_permits(&asked, IP(10, 77, 0, 2)));
	assert_true(pool_permits(&asked, IP(10, 77, 0, 254)));
	assert_false(pool_permits(&asked, IP(10, 77, 0, 255)));
	assert_false(pool_permits(&asked, SERVER)); /* and the router's */
}

/* Who has been away longest is the least likely to come back. */
static void test_the_longest_ended_lease_goes_first(void **state)
{
	struct lease_client client;
	struct mac mac;
	struct pool_question asked = question(&client, &mac, 9);
	uint32_t first, address;

	(void)state;
	asked.now_ms = 1000000;
	assert_int_equal(pool_pick(&asked, &first), ERR_OK);
	/* all were leased once (103 is reserved); 105 ended first, 101 still runs */
	for (uint8_t i = 0; i < 8; i++)
		sample_lease((uint8_t)(100 + i), POOL_FIRST + i, LEASE_BOUND, 500000U + i);
	sample_lease(105, POOL_FIRST + 5, LEASE_EXPIRED, 400000);
	sample_lease(101, POOL_FIRST + 1, LEASE_BOUND, 2000000);
	assert_int_equal(pool_pick(&asked, &address), ERR_OK);
	assert_int_equal(address, POOL_FIRST + 5);
	/* one that nobody had goes before all of them */
	lease_remove(&sample_table, POOL_FIRST + 7);
	assert_int_equal(pool_pick(&asked, &address), ERR_OK);
	assert_int_equal(address, POOL_FIRST + 7);
}

static void test_a_pool_of_one(void **state)
{
	struct site_pool one = {1, IP(10, 77, 0, 200), IP(10, 77, 0, 200)};
	struct lease_client client;
	struct mac mac;
	struct pool_question asked = question(&client, &mac, 9);
	uint32_t address = 7;

	(void)state;
	sample_site.pools = &one;
	sample_site.pool_count = 1;
	assert_int_equal(pool_pick(&asked, &address), ERR_OK);
	assert_int_equal(address, IP(10, 77, 0, 200));
	sample_lease(10, address, LEASE_BOUND, 50000);
	address = 7;
	assert_int_equal(pool_pick(&asked, &address), ERR_ABSENT);
	assert_int_equal(address, 7);
	sample_site.pool_count = 0;
	assert_int_equal(pool_pick(&asked, &address), ERR_ABSENT);
}

/* Two pools of several blocks, that neither begin nor end where a block does. */
#define LARGE 600

LEASE_STORAGE(large, LARGE);

static void test_large_pools_are_given_to_the_last_address(void **state)
{
	static struct site_pool pools[] = {{1, IP(10, 77, 0, 250), IP(10, 77, 1, 249)},
					   {2, IP(10, 88, 0, 10), IP(10, 88, 0, 19)},
					   {1, IP(10, 77, 2, 3), IP(10, 77, 3, 90)}};
	static struct site_subnet subnet = {.id = 1, .net = {IP(10, 77, 0, 0), 16}};
	struct lease_table table;
	struct pool_question asked;
	struct lease_client client = {7, {1}};
	struct lease lease = {.state = LEASE_BOUND, .ends_ms = 50000};
	uint64_t size;

	(void)state;
	lease_table_init(&table, &large, (struct hash_key){5, 6});
	sample_site.pools = pools;
	sample_site.pool_count = 3;
	asked = (struct pool_question){.site = &sample_site,
				       .subnet = &subnet,
				       .leases = &table,
				       .client = &client,
				       .now_ms = 1000,
				       .grace_ms = 60000};
	size = pool_size(&sample_site, &subnet);
	assert_int_equal(size, 256 + 344);
	for (uint64_t i = 0; i < size; i++) {
		client.octets[1] = (uint8_t)(i >> 8);
		client.octets[2] = (uint8_t)i;
		assert_int_equal(pool_pick(&asked, &lease.address), ERR_OK);
		assert_true(pool_holds(&sample_site, &subnet, lease.address));
		assert_null(lease_at(&table, lease.address));
		lease.client = lease_key_of(&client);
		assert_int_equal(lease_put(&table, &lease), ERR_OK);
	}
	client.octets[3] = 1;
	assert_int_equal(pool_pick(&asked, &lease.address), ERR_ABSENT);
	/* one ends, anywhere: it is found */
	for (uint32_t i = 0; i < LARGE; i += 37) {
		struct lease ended = large_leases[i];

		ended.ends_ms = 900;
		asked.now_ms = 900 + asked.grace_ms;
		assert_int_equal(lease_put(&table, &ended), ERR_OK);
		lease_tend(&table, 10, asked.now_ms - asked.grace_ms);
		assert_int_equal(pool_pick(&asked, &lease.address), ERR_OK);
		assert_int_equal(lease.address, ended.address);
		ended.ends_ms = 90000;
		assert_int_equal(lease_put(&table, &ended), ERR_OK);
		asked.now_ms = 1000;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_same_client_gets_the_same_address,
				       sample_setup),
		cmocka_unit_test_setup(test_gives_every_address_and_no_reserved_one,
				       sample_setup),
		cmocka_unit_test_setup(test_what_operators_permit, sample_setup),
		cmocka_unit_test_setup(test_a_pool_over_the_whole_network, sample_setup),
		cmocka_unit_test_setup(test_the_longest_ended_lease_goes_first, sample_setup),
		cmocka_unit_test_setup(test_a_pool_of_one, sample_setup),
		cmocka_unit_test_setup(test_large_pools_are_given_to_the_last_address,
				       sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
