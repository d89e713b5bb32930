#include "unit.h"

#include "dhcpd/parking.h"

static struct parked packet_of(uint8_t client, uint8_t content)
{
	struct parked parked = {.client = {7, {1, 2, 0, 0, 0, 0, client}}, .length = 1};

	parked.packet[0] = content;
	return parked;
}

static struct lease_client client_of(uint8_t client)
{
	return packet_of(client, 0).client;
}

static void test_a_retransmission_takes_its_place(void **state)
{
	struct parked first = packet_of(1, 'a'), second = packet_of(1, 'b'), taken;
	struct lease_client client = client_of(1);
	struct parking *parking;

	(void)state;
	assert_int_equal(parking_open(2, &parking), ERR_OK);
	assert_int_equal(parking_put(parking, &first, 100), ERR_OK);
	assert_int_equal(parking_put(parking, &second, 300), ERR_OK);
	assert_int_equal(parking_count(parking), 1);
	/* the newer deadline counts */
	assert_int_equal(parking_expire(parking, 299), 0);
	/* nor is it answered past it, also when nobody has swept yet */
	assert_int_equal(parking_take(parking, &client, 300, &taken), ERR_ABSENT);
	assert_int_equal(parking_take(parking, &client, 299, &taken), ERR_OK);
	assert_int_equal(taken.packet[0], 'b');
	assert_int_equal(parking_take(parking, &client, 299, &taken), ERR_ABSENT);
	parking_close(parking);
}

static void test_slots_are_bounded_and_used_again(void **state)
{
	struct parking *parking;

	(void)state;
	assert_int_equal(parking_open(3, &parking), ERR_OK);
	for (uint8_t round = 0; round < 10; round++) {
		for (uint8_t i = 0; i < 3; i++) {
			struct parked parked = packet_of((uint8_t)(round * 3 + i), i);

			assert_int_equal(parking_put(parking, &parked, round + 1U), ERR_OK);
		}
		{
			struct parked more = packet_of(200, 0);
			struct lease_client client = client_of(200);

			assert_int_equal(parking_put(parking, &more, 99), ERR_SPACE);
			assert_null(parking_find(parking, &client));
		}
		assert_int_equal(parking_expire(parking, round), 0);
		assert_int_equal(parking_expire(parking, round + 1U), 3);
		assert_int_equal(parking_count(parking), 0);
	}
	parking_close(parking);
}

static void test_clients_are_kept_apart(void **state)
{
	struct parked one = packet_of(1, 'a'), other = packet_of(2, 'b'), taken;
	struct lease_client client = client_of(2);
	struct parking *parking;

	(void)state;
	assert_int_equal(parking_open(8, &parking), ERR_OK);
	other.client.length = 6; /* a prefix of the first one's key */
	memcpy(other.client.octets, one.client.octets, 6);
	assert_int_equal(parking_put(parking, &one, 1), ERR_OK);
	assert_int_equal(parking_put(parking, &other, 1), ERR_OK);
	assert_int_equal(parking_count(parking), 2);
	assert_int_equal(parking_take(parking, &client, 0, &taken), ERR_ABSENT);
	assert_int_equal(parking_take(parking, &other.client, 0, &taken), ERR_OK);
	assert_int_equal(taken.packet[0], 'b');
	parking_close(parking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_retransmission_takes_its_place),
		cmocka_unit_test(test_slots_are_bounded_and_used_again),
		cmocka_unit_test(test_clients_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
