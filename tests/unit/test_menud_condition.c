/* RFC 9110 section 13: who has this version already, and whose range still counts. */
#include "unit.h"

#include "menud/condition.h"

#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct validators now = {"\"a,b\"", 784111777};

static enum condition_result judge(struct condition condition)
{
	return condition_judge(&condition, &now);
}

static bool range_counts(const char *if_range)
{
	const struct condition condition = {.if_range = if_range};

	return condition_allows_range(&condition, &now);
}

static void who_has_it_already(void **state)
{
	static const char *const lists[] = {
		"\"a,b\"",   "W/\"a,b\"",      "*",
		" * ",	     "\"x\", \"a,b\"", "\"x\",,W/\"a,b\" ,\"y\"",
		", \"a,b\"", "\"\",\"a,b\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_int_equal(judge((struct condition){.if_none_match = lists[i]}),
				 CONDITION_NOT_MODIFIED);
	assert_int_equal(judge((struct condition){.if_modified_since = MODIFIED}),
			 CONDITION_NOT_MODIFIED);
	assert_int_equal(judge((struct condition){.if_modified_since = AFTER}),
			 CONDITION_NOT_MODIFIED);
}

static void who_has_it_not(void **state)
{
	static const char *const lists[] = {
		"",	    "\"x\"",	     "\"a\"", "\"a,b",	  "a,b",     "w/\"a,b\"",
		"\"a,b\"x", "\"x\" \"a,b\"", "**",    "*, \"x\"", "\"A,B\"",
	};

	(void)state;
	assert_int_equal(judge((struct condition){0}), CONDITION_HOLDS);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_int_equal(judge((struct condition){.if_none_match = lists[i]}),
				 CONDITION_HOLDS);
	assert_int_equal(judge((struct condition){.if_modified_since = BEFORE}),
			 CONDITION_HOLDS);
	assert_int_equal(judge((struct condition){.if_modified_since = "yesterday"}),
			 CONDITION_HOLDS);
	/* the tag is the better word: section 13.1.3 */
	assert_int_equal(
		judge((struct condition){.if_none_match = "\"x\"", .if_modified_since = AFTER}),
		CONDITION_HOLDS);
}

static void who_wants_no_other(void **state)
{
	(void)state;
	assert_int_equal(judge((struct condition){.if_match = "\"a,b\""}), CONDITION_HOLDS);
	assert_int_equal(judge((struct condition){.if_match = "*"}), CONDITION_HOLDS);
	assert_int_equal(judge((struct condition){.if_match = "\"x\""}), CONDITION_FAILED);
	/* strongly compared: section 8.8.3.2 */
	assert_int_equal(judge((struct condition){.if_match = "W/\"a,b\""}), CONDITION_FAILED);
	assert_int_equal(judge((struct condition){.if_match = "a,b"}), CONDITION_FAILED);
	assert_int_equal(judge((struct condition){.if_unmodified_since = BEFORE}),
			 CONDITION_FAILED);
	assert_int_equal(judge((struct condition){.if_unmodified_since = MODIFIED}),
			 CONDITION_HOLDS);
	assert_int_equal(judge((struct condition){.if_unmodified_since = "never"}),
			 CONDITION_HOLDS);
	/* the tag is the better word, and both questions may be asked at once: section 13.2.2
	 */
	assert_int_equal(
		judge((struct condition){.if_match = "\"a,b\"", .if_unmodified_since = BEFORE}),
		CONDITION_HOLDS);
	assert_int_equal(judge((struct condition){.if_match = "*", .if_none_match = "*"}),
			 CONDITION_NOT_MODIFIED);
	assert_int_equal(judge((struct condition){.if_match = "\"x\"", .if_none_match = "*"}),
			 CONDITION_FAILED);
}

static void a_range_of_this_version(void **state)
{
	(void)state;
	assert_true(range_counts(NULL));
	assert_true(range_counts("\"a,b\""));
	assert_true(range_counts(MODIFIED));
	assert_false(range_counts("W/\"a,b\""));
	assert_false(range_counts("\"x\""));
	assert_false(range_counts("*"));
	assert_false(range_counts(""));
	assert_false(range_counts(BEFORE));
	assert_false(range_counts(AFTER));
}

static void a_file_whose_time_says_nothing(void **state)
{
	const struct validators image = {"\"v7\"", -1};
	const struct condition dates = {.if_unmodified_since = BEFORE,
					.if_modified_since = AFTER,
					.if_range = MODIFIED};

	(void)state;
	assert_int_equal(condition_judge(&dates, &image), CONDITION_HOLDS);
	assert_false(condition_allows_range(&dates, &image));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_it_already),
		cmocka_unit_test(who_has_it_not),
		cmocka_unit_test(who_wants_no_other),
		cmocka_unit_test(a_range_of_this_version),
		cmocka_unit_test(a_file_whose_time_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
