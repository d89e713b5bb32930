/* Addresses of both kinds as text and octets. */
#include "unit.h"

#include <arpa/inet.h>

#include "core/ip.h"

static void holds_ipv4(void **state)
{
	struct ip ip = ip_from_v4(0x0a4d0001);
	struct ip read;
	char text[IP_TEXT_SIZE];

	(void)state;
	assert_true(ip_is_v4(&ip));
	assert_int_equal(ip_v4(&ip), 0x0a4d0001);
	ip_format(&ip, text);
	assert_string_equal(text, "10.77.0.1");
	assert_int_equal(ip_parse(text, &read), ERR_OK);
	assert_true(ip_equal(&ip, &read));
	assert_int_equal(ip_parse("::ffff:10.77.0.1", &read), ERR_OK);
	assert_true(ip_equal(&ip, &read));
}

static void knows_none(void **state)
{
	struct ip zeroed = {{0}};
	struct ip ip = ip_from_v4(0);

	(void)state;
	assert_true(ip_is_none(&zeroed) && ip_is_none(&ip));
	assert_int_equal(ip_parse("0.0.0.0", &ip), ERR_OK);
	assert_true(ip_is_none(&ip));
	assert_int_equal(ip_parse("::", &ip), ERR_OK);
	assert_true(ip_is_none(&ip));
	assert_int_equal(ip_parse("::1", &ip), ERR_OK);
	assert_false(ip_is_none(&ip));
	assert_int_equal(ip_v4(&ip), 0);
}

/* Against the C library, both ways. */
static void reads_and_writes_as_others_do(void **state)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"1::",
		"fe80::1",
		"fd00:0:0:1::2",
		"2001:db8::1:0:0:1",
		"2001:db8:0:1:1:1:1:1",
		"2001:db8::1:1:1:1:1",
		"1:2:3:4:5:6:7:8",
		"0:0:1::",
		"FD00::ABCD",
		"0001:002:03:4::",
		"64:ff9b::192.0.2.33",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db8:0:0:1:0:0:1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct in6_addr expected;
		char wanted[INET6_ADDRSTRLEN], text[IP_TEXT_SIZE];
		struct ip ip;

		assert_int_equal(inet_pton(AF_INET6, texts[i], &expected), 1);
		assert_int_equal(ip_parse(texts[i], &ip), ERR_OK);
		assert_memory_equal(ip.octet, &expected, 16);
		assert_non_null(inet_ntop(AF_INET6, &expected, wanted, sizeof(wanted)));
		ip_format(&ip, text);
		assert_string_equal(text, wanted);
	}
}

/* Any text, made of the letters that addresses are made of: the C library's verdict. */
static void agrees_with_the_library(void **state)
{
	static const char letters[] = "::::0123af.F";
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct in6_addr expected;
		char text[20] = ":";
		struct ip ip;
		int length = 2 + i % 17;

		for (int at = 0; at < length; at++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			text[at] = letters[random % (sizeof(letters) - 1)];
		}
		text[length] = '\0';
		if (!strchr(text, ':'))
			continue;
		if (inet_pton(AF_INET6, text, &expected) == 1) {
			assert_int_equal(ip_parse(text, &ip), ERR_OK);
			assert_memory_equal(ip.octet, &expected, 16);
		} else {
			assert_int_not_equal(ip_parse(text, &ip), ERR_OK);
		}
	}
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"12345::",
		"g::",
		"fe80::1%eth0",
		"::1 ",
		"1:2:3:4:5:6:7:1.2.3.4",
		"::1.2.3",
		"10.77.0.256",
		"1:2:3:4::5:6:7:8",
		":1::",
	};
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_not_equal(ip_parse(wrong[i], &ip), ERR_OK);
}

static void knows_scopes(void **state)
{
	static const struct {
		const char *text;
		bool is_link_local, is_multicast;
	} cases[] = {
		{"fe80::1", true, false},    {"febf::1", true, false},
		{"fec0::1", false, false},   {"fd00::1", false, false},
		{"ff02::1", false, true},    {"169.254.0.1", false, false},
		{"224.0.0.1", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip;

		assert_int_equal(ip_parse(cases[i].text, &ip), ERR_OK);
		assert_int_equal(ip_is_link_local(&ip), cases[i].is_link_local);
		assert_int_equal(ip_is_multicast(&ip), cases[i].is_multicast);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_ipv4),
		cmocka_unit_test(knows_none),
		cmocka_unit_test(reads_and_writes_as_others_do),
		cmocka_unit_test(agrees_with_the_library),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(knows_scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
