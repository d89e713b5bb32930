#include "unit.h"

#include "tftpd/wheel.h"

#define ENTRIES 500
#define ROUNDS 200000

static uint32_t state = 20060102;

static uint32_t random_below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % limit;
}

static void test_nobody_waits(void **unused)
{
	struct wheel wheel = {0};

	(void)unused;
	assert_int_equal(wheel_next(&wheel), 0);
	assert_null(wheel_take(&wheel, 123456));
}

static void test_never_early_and_hardly_late(void **unused)
{
	struct wheel wheel = {0};
	struct wheel_entry entry = {0};

	(void)unused;
	wheel_set(&wheel, &entry, 0, 1003);
	assert_null(wheel_take(&wheel, 1002));
	assert_true(wheel_next(&wheel) >= 1003);
	assert_true(wheel_next(&wheel) < 1003 + WHEEL_TICK_MS);
	assert_ptr_equal(wheel_take(&wheel, wheel_next(&wheel)), &entry);
	assert_null(wheel_take(&wheel, 2000));
	wheel_remove(&wheel, &entry); /* taken already: no harm */
	assert_int_equal(wheel.count, 0);
}

static void test_later_stays_earlier_moves(void **unused)
{
	struct wheel wheel = {0};
	struct wheel_entry entry = {0};
	uint64_t tick;

	(void)unused;
	wheel_set(&wheel, &entry, 0, 1000);
	tick = entry.tick;
	wheel_set(&wheel, &entry, 500, 3000);
	assert_int_equal(entry.tick, tick);
	assert_null(wheel_take(&wheel, 2000));
	wheel_set(&wheel, &entry, 2000, 2010);
	assert_ptr_equal(wheel_take(&wheel, 2012), &entry);
}

static void test_further_than_the_wheel_reaches(void **unused)
{
	struct wheel wheel = {0};
	struct wheel_entry entry = {0};
	uint64_t due = 10ULL * WHEEL_TICK_MS * WHEEL_SLOTS + 1;
	uint64_t now = 0;

	(void)unused;
	wheel_set(&wheel, &entry, 0, due);
	while (!wheel_take(&wheel, now)) {
		assert_true(now < due);
		assert_true(wheel_next(&wheel) > now);
		now = wheel_next(&wheel);
	}
	assert_true(now >= due && now < due + WHEEL_TICK_MS);
}

/* A machine that has been up for years, or a server that nobody asked for a week: no way to go.
 */
static void test_after_a_long_time(void **unused)
{
	struct wheel wheel = {0};
	struct wheel_entry entry = {0};
	uint64_t now = 1ULL << 50;

	(void)unused;
	wheel_set(&wheel, &entry, now, now + 1000);
	assert_true(wheel_next(&wheel) >= now + 1000);
	assert_null(wheel_take(&wheel, now + 999));
	assert_ptr_equal(wheel_take(&wheel, now + 1000 + WHEEL_TICK_MS), &entry);
	now *= 2;
	wheel_set(&wheel, &entry, now, now + 1000);
	assert_ptr_equal(wheel_take(&wheel, now + 1000 + WHEEL_TICK_MS), &entry);
}

/* Beside a list that is searched whole: the same entries at the same times. */
static void test_as_a_plain_list(void **unused)
{
	static struct wheel wheel;
	static struct wheel_entry entries[ENTRIES];
	static uint64_t due[ENTRIES]; /* 0: none */
	uint64_t now = 1;
	uint64_t taken = 0;

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned one = random_below(ENTRIES);
		struct wheel_entry *entry;

		if (random_below(8) == 0) {
			wheel_remove(&wheel, &entries[one]);
			due[one] = 0;
		} else {
			due[one] = now + 1 + random_below(random_below(2) ? 40 : 20000);
			wheel_set(&wheel, &entries[one], now, due[one]);
		}
		now += random_below(16) == 0 ? random_below(9000) : random_below(3);
		while ((entry = wheel_take(&wheel, now))) {
			size_t which = (size_t)(entry - entries);

			assert_true(due[which] != 0 && due[which] <= now);
			due[which] = 0;
			taken++;
		}
		/* nobody is forgotten by more than a tick */
		for (size_t i = 0; i < ENTRIES && round % 64 == 0; i++)
			assert_true(due[i] == 0 || due[i] + WHEEL_TICK_MS > now);
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_waits),
		cmocka_unit_test(test_never_early_and_hardly_late),
		cmocka_unit_test(test_later_stays_earlier_moves),
		cmocka_unit_test(test_further_than_the_wheel_reaches),
		cmocka_unit_test(test_after_a_long_time),
		cmocka_unit_test(test_as_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
