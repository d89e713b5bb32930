/* IPv4 addresses and networks as text and numbers. */
#include "unit.h"

#include "core/ip4.h"

static void reads_and_writes_an_address(void **state)
{
	char text[IP4_TEXT_SIZE];
	uint32_t address = 0;

	(void)state;
	assert_int_equal(ip4_parse("10.77.0.1", &address), ERR_OK);
	assert_int_equal(address, 0x0a4d0001);
	ip4_format(address, text);
	assert_string_equal(text, "10.77.0.1");
	assert_int_equal(ip4_parse("255.255.255.255", &address), ERR_OK);
	assert_int_equal(address, UINT32_MAX);
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const wrong[] = {
		"",	      "10.77.0", "10.77.0.1.2", "10.77.0.256",	   "010.77.0.1",
		"10.77.0.1 ", "10..0.1", "a.b.c.d",	"4294967296.1.1.1"};
	uint32_t address;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_not_equal(ip4_parse(wrong[i], &address), ERR_OK);
}

static void a_network_has_no_host_bits(void **state)
{
	struct ip4_net net;

	(void)state;
	assert_int_equal(ip4_net_parse("10.77.0.0/23", &net), ERR_OK);
	assert_int_equal(ip4_mask(&net), 0xfffffe00);
	assert_int_equal(ip4_broadcast(&net), 0x0a4d01ff);
	assert_true(ip4_net_holds(&net, 0x0a4d01fe));
	assert_false(ip4_net_holds(&net, 0x0a4d0200));
	assert_int_equal(ip4_net_parse("10.77.1.0/23", &net), ERR_RANGE);
	assert_int_equal(ip4_net_parse("10.77.0.0/33", &net), ERR_RANGE);
	assert_int_equal(ip4_net_parse("10.77.0.0", &net), ERR_FORMAT);
	assert_int_equal(ip4_net_parse("0.0.0.0/0", &net), ERR_OK);
	assert_true(ip4_net_holds(&net, UINT32_MAX));
	assert_int_equal(ip4_net_parse("10.77.0.9/32", &net), ERR_OK);
	assert_int_equal(ip4_mask(&net), UINT32_MAX);
}

static void reads_a_list(void **state)
{
	uint32_t list[2];
	size_t count = 9;

	(void)state;
	assert_int_equal(ip4_parse_list("", list, 2, &count), ERR_OK);
	assert_int_equal(count, 0);
	assert_int_equal(ip4_parse_list("10.0.0.1 10.0.0.2", list, 2, &count), ERR_OK);
	assert_int_equal(count, 2);
	assert_int_equal(list[1], 0x0a000002);
	assert_int_equal(ip4_parse_list("1.1.1.1 2.2.2.2 3.3.3.3", list, 2, &count), ERR_SPACE);
	assert_int_equal(ip4_parse_list("1.1.1.1 ", list, 2, &count), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_an_address),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(a_network_has_no_host_bits),
		cmocka_unit_test(reads_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
