/* How often something may be tried. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "menud/throttle.h"

static struct throttle throttle;

static int begin(void **state)
{
	(void)state;
	memset(&throttle, 0, sizeof(throttle));
	throttle.every_ms = 1000;
	throttle.burst = 3;
	throttle.seed = 42;
	return 0;
}

static uint64_t take(const char *key, uint64_t now_ms)
{
	return throttle_take(&throttle, key, strlen(key), now_ms);
}

static void a_burst_then_once_in_a_while(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take("anna", 100), 0);
	assert_int_equal(take("anna", 100), 1000);
	assert_int_equal(take("anna", 600), 500); /* asking costs nothing */
	assert_int_equal(take("anna", 1100), 0);
	assert_int_equal(take("anna", 1100), 1000);
	assert_int_equal(take("berta", 1100), 0); /* nobody else is held up */
	for (int i = 0; i < 3; i++)
		assert_int_equal(take("anna", 10000000), 0); /* at most the burst is saved up */
	assert_int_equal(take("anna", 10000000), 1000);
}

static void a_good_try_costs_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(take("anna", 5), 0);
		throttle_give_back(&throttle, "anna", 4);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(take("anna", 5), 0);
	assert_int_equal(take("anna", 5), 1000);
}

/* A million names leave nothing behind that grows, and nobody is forgotten by them. */
static void a_flood_of_names(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take("anna", 100), 0);
	for (int i = 0; i < 1000000; i++) {
		(void)snprintf(name, sizeof(name), "name-%d", i);
		(void)take(name, 100);
	}
	assert_int_equal(take("anna", 100), 1000);
	assert_int_equal(take("anna", 1100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_burst_then_once_in_a_while, begin),
		cmocka_unit_test_setup(a_good_try_costs_nothing, begin),
		cmocka_unit_test_setup(a_flood_of_names, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
