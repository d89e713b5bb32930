#include "unit.h"

#include "core/metrics.h"

static void test_families_and_values(void **state)
{
	char buffer[512];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	metrics_one(&out, "a_total", METRICS_COUNTER, "Things.", UINT64_MAX);
	metrics_family(&out, "b", METRICS_GAUGE, "Now.");
	metrics_value(&out, "b", "x=\"1\"", 0);
	metrics_value(&out, "b", "x=\"2\"", 7);
	assert_false(out.failed);
	assert_string_equal(buffer, "# HELP a_total Things.\n"
				    "# TYPE a_total counter\n"
				    "a_total 18446744073709551615\n"
				    "# HELP b Now.\n"
				    "# TYPE b gauge\n"
				    "b{x=\"1\"} 0\n"
				    "b{x=\"2\"} 7\n");
}

static void test_what_does_not_fit_is_known(void **state)
{
	char buffer[20];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	metrics_one(&out, "a_total", METRICS_COUNTER, "Things.", 1);
	assert_true(out.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_families_and_values),
					   cmocka_unit_test(test_what_does_not_fit_is_known)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
