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

static void test_when_an_address_is_free(void **state)
{
	const struct lease_client mine = sample_client(1), other = sample_client(2);
	struct lease lease = {
		.state = LEASE_BOUND, .ends_ms = 10000, .client = lease_key_of(&mine)};
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
	lease = (struct lease){
		.state = LEASE_OFFERED, .held_ms = 500, .client = lease_key_of(&mine)};
	assert_false(lease_is_free_for(&lease, &other, 499, grace));
	assert_true(lease_is_free_for(&lease, &other, 500, grace));
}

static void test_a_key_is_the_clients_long_or_short(void **state)
{
	struct lease_client client = {LEASE_KEY_NEAR, {0xff, 1, 2}}, copy;
	struct lease lease = {.client = lease_key_of(&client)};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(lease_is_of(&lease, &client));
		lease_key_copy(&lease.client, &copy);
		assert_true(lease_client_equal(&copy, &client));
		copy.octets[client.length - 1] ^= 1;
		assert_false(lease_is_of(&lease, &copy));
		copy = client;
		copy.length--;
		assert_false(lease_is_of(&lease, &copy));
		/* again with one that does not fit the lease itself */
		client.length = LEASE_KEY_NEAR + 1;
		lease.client = lease_key_of(&client);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_siphash),
		cmocka_unit_test(test_client_is_the_card),
		cmocka_unit_test(test_when_an_address_is_free),
		cmocka_unit_test(test_a_key_is_the_clients_long_or_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
