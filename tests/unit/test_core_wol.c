#include "unit.h"

#include "core/wol.h"

static void test_packet(void **state)
{
	const struct mac mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0xff}};
	uint8_t packet[WOL_SIZE];

	(void)state;
	wol_packet(&mac, packet);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(packet[i], 0xff);
	for (size_t i = 6; i < WOL_SIZE; i++)
		assert_int_equal(packet[i], mac.octet[(i - 6) % 6]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_packet)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
