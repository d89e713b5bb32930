#include "unit.h"

#include "dhcpd/option.h"

static void test_writes_whole_options(void **state)
{
	uint8_t buffer[32];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));
	static const uint32_t routers[] = {0x0a4d0001, 0x0a4d0002};

	(void)state;
	assert_true(option_put_u8(&out, OPTION_MESSAGE_TYPE, 2));
	assert_true(option_put_addresses(&out, OPTION_ROUTERS, routers, 2));
	assert_true(option_put_text(&out, OPTION_BOOT_FILE, "a.efi"));
	assert_true(option_put(&out, OPTION_CLIENT_ID, "", 0));
	assert_int_equal(out.length, 3 + 10 + 7 + 2);
	assert_memory_equal(buffer,
			    "\x35\x01\x02"
			    "\x03\x08\x0a\x4d\x00\x01\x0a\x4d\x00\x02"
			    "\x43\x05"
			    "a.efi"
			    "\x3d\x00",
			    out.length);
}

static void test_what_does_not_fit_leaves_no_trace(void **state)
{
	uint8_t buffer[6];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	(void)state;
	assert_true(option_put_u8(&out, OPTION_MESSAGE_TYPE, 2));
	assert_false(option_put_u32(&out, OPTION_SERVER_ID, 1));
	assert_false(option_put_text(&out, OPTION_HOST_NAME, "pc"));
	assert_int_equal(out.length, 3);
	assert_false(out.failed);
	assert_true(option_put_text(&out, OPTION_HOST_NAME, "p"));
	assert_int_equal(out.length, 6);
}

static void test_parts_long_values(void **state)
{
	uint8_t buffer[600], value[300];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	(void)state;
	memset(value, 'v', sizeof(value));
	assert_true(option_put(&out, OPTION_RELAY_AGENT, value, sizeof(value)));
	assert_int_equal(out.length, 304);
	assert_int_equal(buffer[1], 255);
	assert_int_equal(buffer[257], OPTION_RELAY_AGENT);
	assert_int_equal(buffer[258], 45);
	out = bytes_writer(buffer, 303);
	assert_false(option_put(&out, OPTION_RELAY_AGENT, value, sizeof(value)));
	assert_int_equal(out.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_whole_options),
		cmocka_unit_test(test_what_does_not_fit_leaves_no_trace),
		cmocka_unit_test(test_parts_long_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
