/* Values of DHCP options, from an operator's text to the octets of the wire. */
#include "unit.h"

#include "core/dhcp_value.h"

struct expected {
	const char *type, *value, *octets;
	size_t length;
};

static void writes_every_type(void **state)
{
	static const struct expected cases[] = {
		{"address", "10.77.0.1", "\x0a\x4d\x00\x01", 4},
		{"addresses", "10.77.0.2 10.77.0.3", "\x0a\x4d\x00\x02\x0a\x4d\x00\x03", 8},
		{"pairs", "10.9.0.0 10.77.0.1", "\x0a\x09\x00\x00\x0a\x4d\x00\x01", 8},
		{"u8", "255", "\xff", 1},
		{"u16", "9000", "\x23\x28", 2},
		{"u32", "4294967295", "\xff\xff\xff\xff", 4},
		{"i32", "-3600", "\xff\xff\xf1\xf0", 4},
		{"i32", "-2147483648", "\x80\x00\x00\x00", 4},
		{"i32", "2147483647", "\x7f\xff\xff\xff", 4},
		{"u16s", "68 65535", "\x00\x44\xff\xff", 4},
		{"flag", "true", "\x01", 1},
		{"flag", "false", "\x00", 1},
		{"text", "two words", "two words", 9},
		{"hex", "0a:0B:ff", "\x0a\x0b\xff", 3},
		{"hex", "0a0b", "\x0a\x0b", 2},
		{"hex", "\"as, it is\"", "as, it is", 9},
		{"names", "lab.example x",
		 "\x03lab\x07"
		 "example\x00\x01x\x00",
		 16},
		/* RFC 3442: only the octets that the prefix covers */
		{"routes", "0.0.0.0/0 10.77.0.1", "\x00\x0a\x4d\x00\x01", 5},
		{"routes", "10.0.0.0/8 10.77.0.1 10.128.0.0/9 10.77.0.2",
		 "\x08\x0a\x0a\x4d\x00\x01\x09\x0a\x80\x0a\x4d\x00\x02", 13},
		{"routes", "10.77.0.128/25 0.0.0.0", "\x19\x0a\x4d\x00\x80\x00\x00\x00\x00", 9},
	};
	uint8_t octets[DHCP_VALUE_MAX];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			dhcp_value_encode(cases[i].type, cases[i].value, octets, &length),
			ERR_OK);
		assert_int_equal(length, cases[i].length);
		assert_memory_equal(octets, cases[i].octets, length);
	}
}

static void refuses_what_is_not_of_its_type(void **state)
{
	static const struct expected cases[] = {
		{"address", "10.77.0.1 10.77.0.2", NULL, 0},
		{"address", "", NULL, 0},
		{"addresses", "", NULL, 0},
		{"addresses", "10.77.0.2  10.77.0.3", NULL, 0},
		{"addresses", "10.77.0.2 ", NULL, 0},
		{"pairs", "10.77.0.2", NULL, 0},
		{"u8", "", NULL, 0},
		{"u8", "-1", NULL, 0},
		{"u8", "1x", NULL, 0},
		{"u8", "256", NULL, 0},
		{"u16", "65536", NULL, 0},
		{"u32", "4294967296", NULL, 0},
		{"u32", "99999999999999999999", NULL, 0},
		{"i32", "2147483648", NULL, 0},
		{"i32", "-2147483649", NULL, 0},
		{"i32", "-", NULL, 0},
		{"flag", "yes", NULL, 0},
		{"text", "", NULL, 0},
		{"hex", "0a0", NULL, 0},
		{"hex", "0a:", NULL, 0},
		{"hex", "\"", NULL, 0},
		{"names", "a..b", NULL, 0},
		{"routes", "10.0.0.1/8 10.77.0.1", NULL, 0},
		{"routes", "10.0.0.0/8", NULL, 0},
		{"none", "1", NULL, 0},
		{"", "", NULL, 0},
	};
	uint8_t octets[DHCP_VALUE_MAX];
	size_t length = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_not_equal(
			dhcp_value_encode(cases[i].type, cases[i].value, octets, &length),
			ERR_OK);
	assert_int_equal(length, 77);
}

static void knows_its_limits(void **state)
{
	char text[DHCP_VALUE_MAX + 2];
	uint8_t octets[DHCP_VALUE_MAX];
	size_t length;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(dhcp_value_encode("text", text, octets, &length), ERR_SPACE);
	text[DHCP_VALUE_MAX] = '\0';
	assert_int_equal(dhcp_value_encode("text", text, octets, &length), ERR_OK);
	assert_int_equal(length, DHCP_VALUE_MAX);
	text[64] = '\0'; /* a label has 63 */
	assert_int_not_equal(dhcp_value_encode("names", text, octets, &length), ERR_OK);
	text[63] = '\0';
	assert_int_equal(dhcp_value_encode("names", text, octets, &length), ERR_OK);
	assert_int_equal(length, 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_type),
		cmocka_unit_test(refuses_what_is_not_of_its_type),
		cmocka_unit_test(knows_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
