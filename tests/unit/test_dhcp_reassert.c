/* What may be lost after a failover is asserted, slice by slice. The database is played. */
#include "unit.h"

#include <stdlib.h>

#include "db/rows.h"
#include "dhcpd/reassert.h"
#include "lease_storage.h"

#define SIZE 70000
#define FIRST 0x0a4d0000U

LEASE_STORAGE(storage, SIZE);

static struct loop loop;
static struct lease_table table;
static struct reassert *reassert;

/* What the played database was sent, and how it answers. */
static struct {
	enum err send_result;
	db_on_answer *on_answer;
	void *data;
	size_t rows; /* of the statement that waits for its answer */
	uint8_t times[SIZE];
	bool is_contested; /* the first row of each statement */
} play;

static struct {
	unsigned turns;
	unsigned done;
	enum db_outcome outcome;
} story;

enum err db_query(struct db_conn *conn, const char *sql, const char *const *params,
		  int param_count, uint64_t deadline_ms, db_on_answer *on_answer, void *data)
{
	const char *at = params[1] + 1; /* {10.77.0.1,... */
	uint32_t address;

	(void)conn;
	(void)sql;
	(void)deadline_ms;
	assert_int_equal(param_count, 5);
	if (play.send_result != ERR_OK)
		return play.send_result;
	play.on_answer = on_answer;
	play.data = data;
	for (play.rows = 0; *at; at += strcspn(at, ",}") + 1) {
		char text[IP4_TEXT_SIZE];

		(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, ",}"), at);
		assert_int_equal(ip4_parse(text, &address), ERR_OK);
		assert_in_range(address, FIRST, FIRST + SIZE - 1);
		play.times[address - FIRST]++;
		play.rows++;
	}
	return ERR_OK;
}

size_t rows_count(const struct db_rows *rows)
{
	(void)rows;
	return play.rows;
}

struct row rows_row(const struct db_rows *rows, size_t row)
{
	return (struct row){rows, row, NULL};
}

bool row_truth(struct row *row, const char *column)
{
	assert_string_equal(column, "kept");
	return !(play.is_contested && row->row == 0);
}

static void answer(enum db_outcome outcome)
{
	const struct db_answer answer = {outcome, NULL, "", "no", ""};
	db_on_answer *on_answer = play.on_answer;

	play.on_answer = NULL;
	on_answer(play.data, &answer);
}

static void on_done(void *data, const struct db_answer *answer)
{
	(void)data;
	story.done++;
	story.outcome = answer ? answer->outcome : DB_OK;
}

static void put(uint32_t number, uint64_t granted_ms, uint64_t ends_in_ms)
{
	const struct lease lease = {.address = FIRST + number,
				    .state = LEASE_BOUND,
				    .ends_ms = loop_now_ms(&loop) + ends_in_ms,
				    .granted_ms = granted_ms,
				    .client = {2, {{0xff, 1}}}};

	assert_int_equal(lease_put(&table, &lease), ERR_OK);
}

static int begin(void **state)
{
	(void)state;
	memset(&play, 0, sizeof(play));
	memset(&story, 0, sizeof(story));
	assert_int_equal(loop_open(&loop, NULL, NULL), ERR_OK);
	lease_table_init(&table, &storage, (struct hash_key){1, 2});
	assert_int_equal(reassert_open(&(struct reassert_options){.loop = &loop,
								  .instance = "a",
								  .on_done = on_done},
				       &reassert),
			 ERR_OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	reassert_close(reassert);
	loop_close(&loop);
	return 0;
}

/* Until a statement waits for its answer, or it is over. Between, nothing wakes a loop that
 * waits. */
static void run_on(void)
{
	while (!play.on_answer && story.done == 0) {
		(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
		story.turns++;
	}
}

static void answer_all(void)
{
	for (run_on(); play.on_answer; run_on())
		answer(DB_OK);
}

static void test_every_lease_that_may_be_lost_is_asserted_once(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		put(i, 1000000, 60000);
	put(1000, 1000000 - LEASE_LAG_MS - 1, 60000); /* long before the newest */
	put(1001, 0, 60000);			      /* another dhcpd's */
	put(1002, 1000000, 0);			      /* at its end */
	reassert_begin(reassert, &table, "2");
	assert_int_equal(story.done, 0);
	answer_all();
	assert_int_equal(story.done, 1);
	assert_int_equal(story.outcome, DB_OK);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(play.times[i], 1);
	for (uint32_t i = 1000; i < SIZE; i++)
		assert_int_equal(play.times[i], 0);
}

/* Nothing is found, and yet the loop has had its turns. */
static void test_a_large_table_is_looked_over_in_slices(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIZE; i++)
		put(i, i == 0 ? 1000000 : 0, 60000);
	reassert_begin(reassert, &table, "2");
	answer_all();
	assert_int_equal(play.times[0], 1);
	assert_true(story.turns >= SIZE / 20000);
}

/* An offer is forgotten between two slices: the last entry takes its place. */
static void test_a_moved_entry_is_neither_missed_nor_doubled(void **state)
{
	(void)state;
	/* the first slice looks at all but these, and finds the last ones */
	for (uint32_t i = 0; i < SIZE; i++)
		put(i, i < 10 || i >= SIZE - 10 ? 1000000 : 0, 60000);
	reassert_begin(reassert, &table, "2");
	/* the last one, before anything is looked at */
	lease_remove(&table, FIRST + SIZE - 1);
	(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_null(play.on_answer);
	/* in the part that is still to come, and in the part that was looked at */
	lease_remove(&table, FIRST + 5);
	lease_remove(&table, FIRST + SIZE - 3);
	answer_all();
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(play.times[i], i == 5 ? 0 : 1);
	for (uint32_t i = SIZE - 10; i < SIZE - 1; i++)
		assert_int_equal(play.times[i], 1);
	assert_int_equal(play.times[SIZE - 1], 0);
}

static void test_a_refusal_ends_it(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		put(i, 1000000, 60000);
	reassert_begin(reassert, &table, "2");
	run_on();
	answer(DB_ERROR);
	assert_int_equal(story.done, 1);
	assert_int_equal(story.outcome, DB_ERROR);
	/* and the next try begins at the beginning */
	story.done = 0;
	reassert_begin(reassert, &table, "2");
	answer_all();
	assert_int_equal(story.outcome, DB_OK);
	for (uint32_t i = 0; i < 300; i++)
		assert_in_range(play.times[i], 1, 2);
}

static void test_what_cannot_be_sent_is_told(void **state)
{
	(void)state;
	put(0, 1000000, 60000);
	play.send_result = ERR_AWAY;
	reassert_begin(reassert, &table, "2");
	run_on();
	assert_int_equal(story.done, 1);
	assert_int_equal(story.outcome, DB_LOST);
}

static void test_an_answer_after_the_stop_is_nobodys(void **state)
{
	(void)state;
	put(0, 1000000, 60000);
	reassert_begin(reassert, &table, "2");
	run_on();
	reassert_stop(reassert);
	answer(DB_LOST);
	assert_int_equal(story.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_every_lease_that_may_be_lost_is_asserted_once, begin, end),
		cmocka_unit_test_setup_teardown(test_a_large_table_is_looked_over_in_slices,
						begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_moved_entry_is_neither_missed_nor_doubled, begin, end),
		cmocka_unit_test_setup_teardown(test_a_refusal_ends_it, begin, end),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_sent_is_told, begin, end),
		cmocka_unit_test_setup_teardown(test_an_answer_after_the_stop_is_nobodys, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
