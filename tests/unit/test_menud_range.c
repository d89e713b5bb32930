/* RFC 9110 section 14: single ranges, and the whole file for all that is not one. */
#include "unit.h"

#include "menud/range.h"

static void expect(const char *header, enum range_result result, uint64_t offset,
		   uint64_t length)
{
	uint64_t got_offset = 99;
	uint64_t got_length = 99;

	assert_int_equal(range_parse(header, 1000, &got_offset, &got_length), result);
	if (result == RANGE_UNSATISFIABLE)
		return;
	assert_int_equal(got_offset, offset);
	assert_int_equal(got_length, length);
}

static void parts(void **state)
{
	(void)state;
	expect("bytes=0-0", RANGE_PART, 0, 1);
	expect("bytes=0-499", RANGE_PART, 0, 500);
	expect("bytes=500-", RANGE_PART, 500, 500);
	expect("bytes=-100", RANGE_PART, 900, 100);
	expect("bytes=-5000", RANGE_PART, 0, 1000);
	expect("bytes=900-5000", RANGE_PART, 900, 100);
	expect("bytes=999-999", RANGE_PART, 999, 1);
	expect("Bytes=0-0", RANGE_PART, 0, 1);
	/* of any number of digits: RFC 9110 section 14.1.2 */
	expect("bytes=5-99999999999999999999", RANGE_PART, 5, 995);
	expect("bytes=-99999999999999999999", RANGE_PART, 0, 1000);
}

static void beyond_the_end(void **state)
{
	(void)state;
	expect("bytes=1000-", RANGE_UNSATISFIABLE, 0, 0);
	expect("bytes=-0", RANGE_UNSATISFIABLE, 0, 0);
	expect("bytes=99999999999999999999-", RANGE_UNSATISFIABLE, 0, 0);
	expect("bytes=18446744073709551616-18446744073709551617", RANGE_UNSATISFIABLE, 0, 0);
}

static void the_whole_file_for_the_rest(void **state)
{
	static const char *const others[] = {NULL,	    "",		 "bytes=",
					     "bytes=a-b",   "bytes=5-1", "bytes=0-1,5-6",
					     "lines=0-1",   "bytes=1",	 "bytes=--5",
					     "bytes=0x1-2", "bytes=0-1 "};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect(others[i], RANGE_WHOLE, 0, 1000);
}

static void an_empty_file(void **state)
{
	uint64_t offset;
	uint64_t length;

	(void)state;
	assert_int_equal(range_parse(NULL, 0, &offset, &length), RANGE_WHOLE);
	assert_int_equal(length, 0);
	assert_int_equal(range_parse("bytes=0-", 0, &offset, &length), RANGE_UNSATISFIABLE);
	assert_int_equal(range_parse("bytes=-5", 0, &offset, &length), RANGE_UNSATISFIABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(beyond_the_end),
		cmocka_unit_test(the_whole_file_for_the_rest),
		cmocka_unit_test(an_empty_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
