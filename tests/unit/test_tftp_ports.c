#include "unit.h"

#include "tftpd/ports.h"

static void test_words(void **unused)
{
	struct ports ports;

	(void)unused;
	assert_int_equal(ports_parse("any", &ports), ERR_OK);
	assert_false(ports.is_same);
	assert_int_equal(ports.first, 0);
	assert_int_equal(ports_parse("same", &ports), ERR_OK);
	assert_true(ports.is_same);
}

static void test_range(void **unused)
{
	struct ports ports;

	(void)unused;
	assert_int_equal(ports_parse("50000-50015", &ports), ERR_OK);
	assert_int_equal(ports.first, 50000);
	assert_int_equal(ports.last, 50015);
	assert_false(ports.is_same);
	assert_int_equal(ports_parse("65535-65535", &ports), ERR_OK);
	assert_int_equal(ports.first, 65535);
}

static void test_refused(void **unused)
{
	static const char *const formats[] = {"",	  "-",	   "1",	   "1-",   "-1",
					      "a-b",	  "1-2-",  "1 -2", " 1-2", "1-2 ",
					      "1-000002", "every", "samen"};
	static const char *const ranges[] = {"0-1", "2-1", "1-65536", "99999-99999"};
	struct ports ports = {.first = 7};

	(void)unused;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		assert_int_equal(ports_parse(formats[i], &ports), ERR_FORMAT);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		assert_int_equal(ports_parse(ranges[i], &ports), ERR_RANGE);
	assert_int_equal(ports.first, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
