#include "test_dhcp_samples.h"

static void test_finds_by_address_and_client(void **state)
{
	const struct ip4_net here = {IP(10, 77, 0, 0), 24}, there = {IP(10, 88, 0, 0), 24};
	struct lease_client client = sample_client(1);

	(void)state;
	sample_lease(1, POOL_FIRST, LEASE_EXPIRED, 10);
	sample_lease(1, POOL_FIRST + 1, LEASE_BOUND, 5000);
	sample_lease(1, IP(10, 88, 0, 10), LEASE_BOUND, 9000);
	sample_lease(2, POOL_FIRST + 2, LEASE_BOUND, 5000);
	assert_int_equal(lease_of_client(&sample_table, &client, &here)->address,
			 POOL_FIRST + 1);
	assert_int_equal(lease_of_client(&sample_table, &client, &there)->address,
			 IP(10, 88, 0, 10));
	lease_remove(&sample_table, POOL_FIRST + 1);
	assert_null(lease_at(&sample_table, POOL_FIRST + 1));
	assert_int_equal(lease_of_client(&sample_table, &client, &here)->address, POOL_FIRST);
	assert_int_equal(sample_table.count, 3);
	/* the same address, another client */
	sample_lease(3, POOL_FIRST + 2, LEASE_BOUND, 6000);
	client = sample_client(2);
	assert_null(lease_of_client(&sample_table, &client, &here));
}

static void test_a_grant_ends_the_clients_others(void **state)
{
	const struct ip4_net here = {IP(10, 77, 0, 0), 24};
	const struct lease_client client = sample_client(1);
	const struct lease_holder holder = {POOL_FIRST + 5, &client, NULL, 0};

	(void)state;
	sample_lease(1, POOL_FIRST, LEASE_BOUND, 5000);
	sample_lease(1, POOL_FIRST + 1, LEASE_OFFERED, 0);
	sample_lease(1, IP(10, 88, 0, 10), LEASE_BOUND, 5000);
	sample_lease(2, POOL_FIRST + 2, LEASE_BOUND, 5000);
	assert_int_equal(lease_bind(&sample_table, &holder, 7000, &here), ERR_OK);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->state, LEASE_RELEASED);
	assert_null(lease_at(&sample_table, POOL_FIRST + 1));
	assert_int_equal(lease_at(&sample_table, IP(10, 88, 0, 10))->state, LEASE_BOUND);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST + 2)->state, LEASE_BOUND);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST + 5)->ends_ms, 7000);
}

static void test_an_offer_keeps_what_is_recorded(void **state)
{
	const struct ip4_net here = {IP(10, 77, 0, 0), 24};
	const struct lease_client client = sample_client(1);
	const struct lease_holder holder = {POOL_FIRST, &client, NULL, 0};

	(void)state;
	sample_lease(1, POOL_FIRST, LEASE_BOUND, 5000);
	assert_int_equal(lease_hold(&sample_table, &holder, 900), ERR_OK);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->state, LEASE_BOUND);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->held_ms, 900);
	lease_forget_hold(&sample_table, &client, &here);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->ends_ms, 5000);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->held_ms, 0);
}

/* One in each of two pools perhaps, beside a lease, which is what it is found by. */
static void test_all_offers_of_a_client_are_forgotten(void **state)
{
	const struct ip4_net here = {IP(10, 77, 0, 0), 24};
	const struct lease_client client = sample_client(1), other = sample_client(2);
	const struct lease_holder first = {POOL_FIRST + 1, &client, NULL, 0},
				  second = {POOL_FIRST + 2, &client, NULL, 0},
				  there = {IP(10, 88, 0, 10), &client, NULL, 0},
				  others = {POOL_FIRST + 3, &other, NULL, 0};

	(void)state;
	sample_lease(1, POOL_FIRST, LEASE_BOUND, 5000);
	assert_int_equal(lease_hold(&sample_table, &first, 900), ERR_OK);
	assert_int_equal(lease_hold(&sample_table, &second, 900), ERR_OK);
	assert_int_equal(lease_hold(&sample_table, &there, 900), ERR_OK);
	assert_int_equal(lease_hold(&sample_table, &others, 900), ERR_OK);
	lease_forget_hold(&sample_table, &client, &here);
	assert_null(lease_at(&sample_table, POOL_FIRST + 1));
	assert_null(lease_at(&sample_table, POOL_FIRST + 2));
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->state, LEASE_BOUND);
	assert_non_null(lease_at(&sample_table, IP(10, 88, 0, 10)));
	assert_non_null(lease_at(&sample_table, POOL_FIRST + 3));
}

/* Another dhcpd may have granted what is only offered here. */
static void test_a_running_lease_ends_an_offer(void **state)
{
	const struct lease_client client = sample_client(1), other = sample_client(2);
	const struct lease_holder offered = {POOL_FIRST, &client, NULL, 0};
	struct lease lease = {.address = POOL_FIRST,
			      .state = LEASE_EXPIRED,
			      .ends_ms = 100,
			      .client = lease_key_of(&other)};

	(void)state;
	assert_int_equal(lease_hold(&sample_table, &offered, 900), ERR_OK);
	/* the lease that made way for the offer */
	assert_int_equal(lease_put_recorded(&sample_table, &lease, 100), ERR_OK);
	assert_true(lease_is_of(lease_at(&sample_table, POOL_FIRST), &client));
	lease.state = LEASE_BOUND;
	lease.ends_ms = 5000;
	assert_int_equal(lease_put_recorded(&sample_table, &lease, 100), ERR_OK);
	assert_true(lease_is_of(lease_at(&sample_table, POOL_FIRST), &other));
	assert_true(lease_is_bound(lease_at(&sample_table, POOL_FIRST), 100));
	/* of the same client, offer and grant stay */
	assert_int_equal(lease_hold(&sample_table,
				    &(struct lease_holder){POOL_FIRST, &other, NULL, 0}, 900),
			 ERR_OK);
	sample_table.leases[0].granted_ms = 77;
	lease.ends_ms = 6000;
	assert_int_equal(lease_put_recorded(&sample_table, &lease, 100), ERR_OK);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->ends_ms, 6000);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->held_ms, 900);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->granted_ms, 77);
}

/* A probe lasts a while: who answers may have got a lease meanwhile. */
static void test_a_leased_address_is_not_quarantined(void **state)
{
	const struct lease_client client = sample_client(1), user = sample_client(2);
	const struct lease_holder offered = {POOL_FIRST, &client, NULL, 0};
	const struct lease_holder used = {POOL_FIRST, &user, NULL, 0};

	(void)state;
	assert_int_equal(lease_hold(&sample_table, &offered, 900), ERR_OK);
	assert_int_equal(lease_quarantine(&sample_table, &used, 5000, 100), ERR_OK);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->state, LEASE_DECLINED);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->ends_ms, 5000);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->held_ms, 0);
	sample_lease(2, POOL_FIRST, LEASE_BOUND, 3000);
	assert_int_equal(lease_quarantine(&sample_table, &used, 5000, 100), ERR_OK);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->state, LEASE_BOUND);
	assert_int_equal(lease_quarantine(&sample_table, &used, 5000, 3000), ERR_OK);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST)->state, LEASE_DECLINED);
}

static void test_says_when_it_is_full(void **state)
{
	const struct lease_client client = sample_client(1);
	struct lease lease = {.client = lease_key_of(&client)};

	(void)state;
	for (uint32_t i = 0; i < LEASES_MAX; i++) {
		lease.address = i;
		assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
	}
	lease.address = LEASES_MAX;
	assert_int_equal(lease_put(&sample_table, &lease), ERR_SPACE);
	lease.address = 0;
	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
}

static void test_long_keys_have_boxes(void **state)
{
	const struct ip4_net everything = {0, 0};
	struct lease_client clients[5];
	struct lease lease = {.state = LEASE_BOUND, .ends_ms = 5000};

	(void)state;
	for (uint8_t i = 0; i < 5; i++) {
		clients[i] = (struct lease_client){LEASE_CLIENT_MAX, {0xff, i}};
		lease.address = POOL_FIRST + i;
		lease.client = lease_key_of(&clients[i]);
		/* there are four boxes */
		assert_int_equal(lease_put(&sample_table, &lease), i < 4 ? ERR_OK : ERR_SPACE);
	}
	assert_int_equal(sample_table.count, 4);
	/* the same client again needs none; another one waits until a box is free */
	lease.address = POOL_FIRST;
	lease.client = lease_key_of(&clients[0]);
	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
	lease.client = lease_key_of(&clients[4]);
	assert_int_equal(lease_put(&sample_table, &lease), ERR_SPACE);
	assert_true(lease_is_of(lease_at(&sample_table, POOL_FIRST), &clients[0]));
	sample_lease(9, POOL_FIRST + 1, LEASE_BOUND, 5000);
	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
	lease_remove(&sample_table, POOL_FIRST + 2);
	lease.address = POOL_FIRST + 7;
	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
	/* what was given is the table's own */
	memset(clients[3].octets, 0, sizeof(clients[3].octets));
	clients[3].octets[0] = 0xff;
	assert_null(lease_of_client(&sample_table, &clients[3], &everything));
	clients[3].octets[1] = 3;
	assert_int_equal(lease_of_client(&sample_table, &clients[3], &everything)->address,
			 POOL_FIRST + 3);
}

static void test_a_load_drops_what_it_did_not_see(void **state)
{
	const struct lease_client client = sample_client(4), other = sample_client(5);
	const struct lease_holder offered = {POOL_FIRST + 3, &client, NULL, 0};
	const struct lease_holder held = {POOL_FIRST + 4, &other, NULL, 0};
	size_t at = 0;
	unsigned turns = 1;

	(void)state;
	for (uint8_t i = 0; i < 3; i++)
		sample_lease((uint8_t)(i + 1), POOL_FIRST + i, LEASE_BOUND, 5000);
	sample_lease(5, POOL_FIRST + 4, LEASE_BOUND, 5000);
	assert_int_equal(lease_hold(&sample_table, &held, 900), ERR_OK);
	lease_load_begin(&sample_table);
	sample_lease(2, POOL_FIRST + 1, LEASE_BOUND, 6000);
	assert_int_equal(lease_hold(&sample_table, &offered, 900), ERR_OK);
	while (lease_load_end(&sample_table, 2, &at))
		turns++;
	assert_int_equal(turns, 3);
	assert_int_equal(sample_table.count, 3);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST + 1)->ends_ms, 6000);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST + 3)->state, LEASE_OFFERED);
	/* no longer recorded, but still offered */
	assert_int_equal(lease_at(&sample_table, POOL_FIRST + 4)->state, LEASE_OFFERED);
	assert_int_equal(lease_at(&sample_table, POOL_FIRST + 4)->held_ms, 900);
}

static void test_tending_forgets_offers_and_learns(void **state)
{
	const struct lease_client client = sample_client(1);
	const struct lease_holder holder = {POOL_FIRST, &client, NULL, 0};
	const struct block *block;

	(void)state;
	assert_int_equal(lease_hold(&sample_table, &holder, 900), ERR_OK);
	sample_lease(2, POOL_FIRST + 1, LEASE_BOUND, 5000);
	sample_lease(3, POOL_FIRST + 2, LEASE_BOUND, 6000);
	block = blocks_find(&sample_table.blocks, POOL_FIRST);
	assert_int_equal(block->count, 3);
	assert_int_equal(block->free_ms, 900);
	lease_tend(&sample_table, 10, 899);
	assert_int_equal(sample_table.count, 3);
	lease_tend(&sample_table, 1, 900);
	assert_null(lease_at(&sample_table, POOL_FIRST));
	assert_int_equal(block->free_ms, 5000);
	/* a renewal is learned when the block is looked at again; an earlier end at once */
	sample_lease(2, POOL_FIRST + 1, LEASE_BOUND, 9000);
	assert_int_equal(block->free_ms, 5000);
	lease_tend(&sample_table, 1, 1000);
	assert_int_equal(block->free_ms, 6000);
	sample_lease(2, POOL_FIRST + 1, LEASE_BOUND, 3000);
	assert_int_equal(block->free_ms, 3000);
	lease_remove(&sample_table, POOL_FIRST + 1);
	lease_remove(&sample_table, POOL_FIRST + 2);
	assert_int_equal(sample_table.blocks.count, 0);
}

/* A table beside a plain array that does the same: they must agree after every step. */
#define MODEL_ADDRESSES 40
#define MODEL_CLIENTS 12

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 8) % limit;
}

static void check_model(const uint8_t *owners)
{
	const struct ip4_net everything = {0, 0};
	size_t in_use = 0;

	for (uint32_t i = 0; i < MODEL_ADDRESSES; i++) {
		const struct lease *lease = lease_at(&sample_table, i);

		in_use += owners[i] != 0;
		assert_int_equal(lease != NULL, owners[i] != 0);
		if (lease)
			assert_int_equal(lease->client.near[6], owners[i]);
	}
	assert_int_equal(sample_table.count, in_use);
	for (uint8_t client = 1; client <= MODEL_CLIENTS; client++) {
		struct lease_client key = sample_client(client);
		const struct lease *lease = lease_of_client(&sample_table, &key, &everything);

		assert_int_equal(lease != NULL,
				 memchr(owners, client, MODEL_ADDRESSES) != NULL);
		if (lease)
			assert_int_equal(owners[lease->address], client);
	}
}

static void test_agrees_with_a_plain_array(void **state)
{
	uint8_t owners[MODEL_ADDRESSES] = {0};

	(void)state;
	for (int step = 0; step < 20000; step++) {
		uint32_t address = random_below(MODEL_ADDRESSES);
		uint8_t client = (uint8_t)(1 + random_below(MODEL_CLIENTS));

		if (random_below(3) == 0) {
			lease_remove(&sample_table, address);
			owners[address] = 0;
		} else {
			sample_lease(client, address, LEASE_BOUND, 100);
			owners[address] = client;
		}
		check_model(owners);
	}
}

static void test_what_may_be_lost_is_counted_from_the_newest(void **state)
{
	const uint64_t newest_ms = 5000000;
	struct lease lease = {
		.address = POOL_FIRST, .granted_ms = newest_ms, .client = {1, {{9}}}};

	(void)state;
	assert_int_equal(lease_newest_grant(&sample_table), 0);
	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
	assert_true(lease_may_be_lost(&lease, lease_newest_grant(&sample_table)));
	lease.granted_ms = 5;
	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
	assert_int_equal(lease_newest_grant(&sample_table), newest_ms);
	assert_false(lease_may_be_lost(&lease, newest_ms));
	assert_true(lease_may_be_lost(&lease, 5 + LEASE_LAG_MS - 1));
	lease.granted_ms = 0;
	assert_false(lease_may_be_lost(&lease, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_finds_by_address_and_client, sample_setup),
		cmocka_unit_test_setup(test_a_grant_ends_the_clients_others, sample_setup),
		cmocka_unit_test_setup(test_an_offer_keeps_what_is_recorded, sample_setup),
		cmocka_unit_test_setup(test_all_offers_of_a_client_are_forgotten, sample_setup),
		cmocka_unit_test_setup(test_a_running_lease_ends_an_offer, sample_setup),
		cmocka_unit_test_setup(test_a_leased_address_is_not_quarantined, sample_setup),
		cmocka_unit_test_setup(test_says_when_it_is_full, sample_setup),
		cmocka_unit_test_setup(test_long_keys_have_boxes, sample_setup),
		cmocka_unit_test_setup(test_a_load_drops_what_it_did_not_see, sample_setup),
		cmocka_unit_test_setup(test_tending_forgets_offers_and_learns, sample_setup),
		cmocka_unit_test_setup(test_agrees_with_a_plain_array, sample_setup),
		cmocka_unit_test_setup(test_what_may_be_lost_is_counted_from_the_newest,
				       sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
