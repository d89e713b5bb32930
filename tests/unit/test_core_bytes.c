/* Cursors: nothing is read or written past an end, and a failure sticks. */
#include "unit.h"

#include "core/bytes.h"

static void reads_big_endian_and_stops_at_the_end(void **state)
{
	const uint8_t packet[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
	struct bytes_reader in = bytes_reader(packet, sizeof(packet));

	(void)state;
	assert_int_equal(bytes_get_u8(&in), 1);
	assert_int_equal(bytes_get_u16(&in), 0x0203);
	assert_int_equal(bytes_get_u32(&in), 0x04050607);
	assert_false(in.failed);
	assert_int_equal(bytes_get_u8(&in), 0);
	assert_true(in.failed);
}

static void a_failure_sticks(void **state)
{
	const uint8_t packet[] = {1, 2, 3};
	struct bytes_reader in = bytes_reader(packet, sizeof(packet));

	(void)state;
	assert_int_equal(bytes_get_u32(&in), 0);
	assert_int_equal(bytes_get_u8(&in), 0);
	assert_null(bytes_take(&in, 1));
	assert_true(in.failed);
}

static void a_string_needs_its_nul(void **state)
{
	struct bytes_reader in = bytes_reader("octet\0x", 7);
	size_t length;

	(void)state;
	assert_string_equal(bytes_take_string(&in, &length), "octet");
	assert_int_equal(length, 5);
	assert_null(bytes_take_string(&in, &length));
	assert_true(in.failed);
	in = bytes_reader("", 0);
	assert_null(bytes_take_string(&in, &length));
}

static void writes_until_the_buffer_is_full(void **state)
{
	uint8_t buffer[8];
	const uint8_t expected[] = {0xaa, 0x01, 0x02, 0x00, 0x00, 0x00, 0x07};
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	(void)state;
	bytes_put_u8(&out, 0xaa);
	bytes_put_u16(&out, 0x0102);
	bytes_put_u32(&out, 7);
	assert_int_equal(out.length, 7);
	assert_memory_equal(buffer, expected, 7);
	bytes_put_u16(&out, 1); /* one octet is left */
	assert_true(out.failed);
	assert_int_equal(out.length, 7);
	assert_int_equal(bytes_room(&out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_big_endian_and_stops_at_the_end),
		cmocka_unit_test(a_failure_sticks),
		cmocka_unit_test(a_string_needs_its_nul),
		cmocka_unit_test(writes_until_the_buffer_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
