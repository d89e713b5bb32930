/* HTTP's dates beside libc's calendar, and what is no date. */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "core/http_date.h"

static void as_libc_writes_and_reads_it(void **state)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
					    "%A, %d-%b-%y %H:%M:%S GMT",
					    "%a %b %e %H:%M:%S %Y"};

	(void)state;
	/* every day and some seconds, from 1970 to 2068, which is as far as two digits go */
	for (int64_t at = 0; at < 3124137600; at += 86400 + 1801) {
		time_t second = (time_t)at;
		struct tm civil;
		char mine[HTTP_DATE_SIZE];
		char theirs[64];

		assert_non_null(gmtime_r(&second, &civil));
		assert_int_equal(http_date_format(at, mine), ERR_OK);
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			int64_t read = -1;

			assert_true(strftime(theirs, sizeof(theirs), forms[i], &civil) > 0);
			assert_int_equal(http_date_parse(theirs, &read), ERR_OK);
			assert_int_equal(read, at);
			if (i == 0)
				assert_string_equal(mine, theirs);
		}
	}
}

static void what_is_no_date(void **state)
{
	static const char *const texts[] = {
		"",
		"0",
		"Sun",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:00 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 29 Feb 1900 08:49:37 GMT",
		"Sun, 29 Feb 2023 08:49:37 GMT",
		"Wed, 31 Dec 1969 23:59:59 GMT",
		"Sun Nov 06 08:49:37 1994 GMT",
		"Sun, 06 Nov 19941 08:49:37 GMT",
	};
	int64_t read = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(http_date_parse(texts[i], &read), ERR_FORMAT);
	assert_int_equal(read, 7);
	assert_int_equal(http_date_parse("Tue, 29 Feb 2000 23:59:60 GMT", &read), ERR_OK);
	assert_int_equal(read, 951868800);
}

static void beyond_the_calendar(void **state)
{
	char text[HTTP_DATE_SIZE];

	(void)state;
	assert_int_equal(http_date_format(253402300799, text), ERR_OK);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	assert_int_equal(http_date_format(253402300800, text), ERR_RANGE);
	assert_string_equal(text, "");
	assert_int_equal(http_date_format(-1, text), ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_libc_writes_and_reads_it),
		cmocka_unit_test(what_is_no_date),
		cmocka_unit_test(beyond_the_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
