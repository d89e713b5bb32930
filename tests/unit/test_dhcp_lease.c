#include "test_dhcp_samples.h"

#include "dhcpd/hash.h"

static void test_hash_is_siphash(void **state)
{
	/* the first vectors of the paper's reference: key 00..0f, input empty and 00..0e */
	const struct hash_key key = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
	uint8_t input[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	assert_true(hash_octets(&key, input, 0) == 0x726fdb47dd0e0e31U);
	assert_true(hash_octets(&key, input, 15) == 0xa129ca6149be45e5U);
}

static void test_client_is_the_card(void **state)
{
	struct sample sample;
	struct packet packet;
	struct lease_client client;

	(void)state;
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put(&sample.out, OPTION_CLIENT_ID,
			       "\xff"
			       "abc",
			       4));
	sample_end(&sample, &packet);
	assert_int_equal(lease_client_of(&packet, false, &client), ERR_OK);
	assert_int_equal(client.length, 7);
	assert_memory_equal(client.octets, "\x01\x52\x54\x00\x00\x00\x09", 7);
	assert_int_equal(lease_client_of(&packet, true, &client), ERR_OK);
	assert_int_equal(client.length, 5);
	assert_memory_equal(client.octets,
			    "\xff\xff"
			    "abc",
			    5);
	/* no Ethernet card: the identifier is all there is */
	packet.htype = 32;
	packet.hlen = 0;
	assert_int_equal(lease_client_of(&packet, false, &client), ERR_OK);
	assert_int_equal(client.octets[0], 0xff);
	packet.options[OPTION_CLIENT_ID].is_present = false;
	assert_int_equal(lease_client_of(&packet, false, &client), ERR_ABSENT);
}

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

static void test_when_an_address_is_free(void **state)
{
	const struct lease_client mine = sample_client(1), other = sample_client(2);
	struct lease lease = {.state = LEASE_BOUND, .ends_ms = 10000, .client = mine};
	const uint64_t grace = 60000;

	(void)state;
	assert_true(lease_is_free_for(NULL, &other, 0, grace));
	assert_true(lease_is_free_for(&lease, &mine, 0, grace));
	assert_false(lease_is_free_for(&lease, &other, 0, grace));
	assert_false(lease_is_free_for(&lease, &other, 69999, grace));
	assert_true(lease_is_free_for(&lease, &other, 70000, grace));
	/* given back early: kept for its client until it would have ended */
	lease.state = LEASE_RELEASED;
	assert_true(lease_is_free_for(&lease, &mine, 0, grace));
	assert_false(lease_is_free_for(&lease, &other, 69999, grace));
	/* in quarantine: for nobody */
	lease.state = LEASE_DECLINED;
	assert_false(lease_is_free_for(&lease, &mine, 9999, grace));
	assert_true(lease_is_free_for(&lease, &other, 70000, grace));
	/* offered: to its client alone, as long as the offer stands */
	lease = (struct lease){.state = LEASE_OFFERED, .held_ms = 500, .client = mine};
	assert_false(lease_is_free_for(&lease, &other, 499, grace));
	assert_true(lease_is_free_for(&lease, &other, 500, grace));
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

static void test_says_when_it_is_full(void **state)
{
	struct lease lease = {.client = sample_client(1)};

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
			assert_int_equal(lease->client.octets[6], owners[i]);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_siphash),
		cmocka_unit_test(test_client_is_the_card),
		cmocka_unit_test_setup(test_finds_by_address_and_client, sample_setup),
		cmocka_unit_test(test_when_an_address_is_free),
		cmocka_unit_test_setup(test_a_grant_ends_the_clients_others, sample_setup),
		cmocka_unit_test_setup(test_an_offer_keeps_what_is_recorded, sample_setup),
		cmocka_unit_test_setup(test_says_when_it_is_full, sample_setup),
		cmocka_unit_test_setup(test_agrees_with_a_plain_array, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
