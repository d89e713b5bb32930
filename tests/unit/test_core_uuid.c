/* UUIDs: the usual order, option 97's order, and the placeholders of careless vendors. */
#include "unit.h"

#include "core/uuid.h"

static const char usual[] = "00112233-4455-6677-8899-aabbccddeeff";

static void option_97_has_its_first_fields_little_endian(void **state)
{
	/* RFC 4578 2.3 by way of PXE 2.1: time_low, time_mid and time_hi swapped */
	const uint8_t wire[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
				  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct uuid uuid = uuid_from_wire(wire);
	char text[UUID_TEXT_SIZE];

	(void)state;
	uuid_format(&uuid, text);
	assert_string_equal(text, usual);
}

static void reads_what_it_writes(void **state)
{
	struct uuid uuid;
	char text[UUID_TEXT_SIZE];

	(void)state;
	assert_int_equal(uuid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", 36, &uuid), ERR_OK);
	uuid_format(&uuid, text);
	assert_string_equal(text, usual);
	assert_int_equal(uuid_parse(usual, 35, &uuid), ERR_FORMAT);
	assert_int_equal(uuid_parse("00112233x4455-6677-8899-aabbccddeeff", 36, &uuid),
			 ERR_FORMAT);
	assert_int_equal(uuid_parse("0011223g-4455-6677-8899-aabbccddeeff", 36, &uuid),
			 ERR_FORMAT);
}

static void knows_placeholders(void **state)
{
	static const char *const placeholders[] = {"00000000-0000-0000-0000-000000000000",
						   "ffffffff-ffff-ffff-ffff-ffffffffffff",
						   "03000200-0400-0500-0006-000700080009"};
	struct uuid uuid;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(uuid_parse(placeholders[i], 36, &uuid), ERR_OK);
		assert_true(uuid_is_placeholder(&uuid));
	}
	assert_int_equal(uuid_parse(usual, 36, &uuid), ERR_OK);
	assert_false(uuid_is_placeholder(&uuid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(option_97_has_its_first_fields_little_endian),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(knows_placeholders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
