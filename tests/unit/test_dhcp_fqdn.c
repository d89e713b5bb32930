/* What a client calls itself, and the answer to its option 81 (RFC 4702). */
#include "test_dhcp_samples.h"

#include "dhcpd/fqdn.h"

static void assert_named(uint8_t code, const char *octets, size_t length, const char *expected)
{
	struct sample sample;
	struct packet packet;
	char name[16];

	sample_begin(&sample, PACKET_REQUEST, 9);
	assert_true(option_put(&sample.out, code, octets, length));
	sample_end(&sample, &packet);
	fqdn_client_name(&packet, name, sizeof(name));
	assert_string_equal(name, expected);
}

static void reads_the_name(void **state)
{
	(void)state;
	assert_named(OPTION_HOST_NAME, "pc-1", 4, "pc-1");
	assert_named(OPTION_HOST_NAME, "", 0, "");
	assert_named(OPTION_HOST_NAME, "a-name-longer-than-its-place", 28, "a-name-longer-t");
	assert_named(OPTION_FQDN, "\x00\x00\x00pc-2.lab", 11, "pc-2.lab");
	assert_named(OPTION_FQDN, "\x04\x00\x00\x04pc-3\x03lab\x00", 13, "pc-3.lab");
	assert_named(OPTION_FQDN, "\x04\x00\x00\x04pc-3", 8, "pc-3");
	assert_named(OPTION_FQDN, "\x04\x00\x00\x09pc-3", 8, "");
	assert_named(OPTION_FQDN, "\x04\x00\x00\xff", 4, "");
	/* a pointer to the name itself, an empty label first */
	assert_named(OPTION_FQDN, "\x04\x00\x00\x02pc\xc0\x00", 8, "pc");
	assert_named(OPTION_FQDN, "\x04\x00\x00\x00\x02pc", 7, "");
	assert_named(OPTION_FQDN, "\x00\x00\x00", 3, "");
	assert_named(OPTION_FQDN, "\x00", 1, "");
	assert_named(OPTION_FQDN,
		     "\x04\x00\x00\x07"
		     "abcdefg\x07"
		     "abcdefg\x01x",
		     21, "abcdefg.abcdefg");
	assert_named(OPTION_VENDOR_CLASS, "x", 1, "");
}

static void assert_answered(const char *octets, size_t length, const char *expected)
{
	struct sample sample;
	struct packet packet;
	uint8_t value[FQDN_VALUE_MAX];
	size_t value_length = 0;

	sample_begin(&sample, PACKET_REQUEST, 9);
	assert_true(option_put(&sample.out, OPTION_FQDN, octets, length));
	sample_end(&sample, &packet);
	assert_true(fqdn_answer(&packet, value, &value_length) == (expected != NULL));
	if (!expected)
		return;
	assert_int_equal(value_length, length);
	assert_memory_equal(value, expected, length);
}

static void says_that_it_updates_nothing(void **state)
{
	uint8_t value[FQDN_VALUE_MAX];
	char huge[300] = "";
	struct sample sample;
	struct packet packet;
	size_t length;

	(void)state;
	/* S wished: overridden */
	assert_answered("\x01\x00\x00pc", 5, "\x0a\xff\xffpc");
	/* the client updates by itself, name in labels */
	assert_answered("\x04\x00\x00\x02pc\x00", 7, "\x0c\xff\xff\x02pc\x00");
	assert_answered("\x08\x00\x00", 3, "\x08\xff\xff");
	assert_answered("\x01\x00", 2, NULL);
	assert_answered(huge, 300, NULL);
	sample_begin(&sample, PACKET_REQUEST, 9);
	sample_end(&sample, &packet);
	assert_false(fqdn_answer(&packet, value, &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_the_name, sample_setup),
		cmocka_unit_test_setup(says_that_it_updates_nothing, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
