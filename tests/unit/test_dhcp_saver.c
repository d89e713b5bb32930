/* The table is written without holding up the loop, also when the daemon stops. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dhcpd/saver.h"
#include "lease_storage.h"

#define SIZE 50000
#define FIRST 0x0a4d0000U
#define SLICE_MOST 5000U /* leases written in one turn, when nobody is served any more */

LEASE_STORAGE(storage, SIZE);

static char folder[] = "/tmp/test_dhcp_saver.XXXXXX";
static char path[64], fresh_path[70];
static struct loop loop;
static struct lease_table table;
static struct saver *saver;

static struct {
	unsigned turns, turns_at_close;
	size_t read;
	bool is_closed;
} story;

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/leases", folder);
	(void)snprintf(fresh_path, sizeof(fresh_path), "%s.new", path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void on_lease(void *data, const struct lease *lease)
{
	(void)data;
	(void)lease;
	story.read++;
}

/* A saver of a full table, with nothing in its file. */
static int begin(void **state)
{
	struct leasefile_found found;

	(void)state;
	memset(&story, 0, sizeof(story));
	assert_int_equal(loop_open(&loop, NULL, NULL), ERR_OK);
	lease_table_init(&table, &storage, (struct hash_key){1, 2});
	for (uint32_t i = 0; i < SIZE; i++) {
		const struct lease lease = {.address = FIRST + i,
					    .state = LEASE_BOUND,
					    .ends_ms = loop_now_ms(&loop) + 600000,
					    .client = {2, {{0xff, 1}}}};

		assert_int_equal(lease_put(&table, &lease), ERR_OK);
	}
	assert_int_equal(saver_open(&loop, path, &table, &saver), ERR_OK);
	saver_read(saver, on_lease, NULL, &found);
	assert_int_equal(story.read, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	loop_close(&loop);
	assert_int_equal(access(fresh_path, F_OK), -1);
	(void)unlink(path);
	return 0;
}

/* Whatever else the loop has to do, it comes to it before each turn's end. */
static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
	story.turns++;
}

static void on_closed(void *data)
{
	struct lease_table *leases = data;

	assert_ptr_equal(leases, &table);
	story.is_closed = true;
	story.turns_at_close = story.turns;
	/* it may be freed from now on */
	memset(leases, 0xff, sizeof(*leases));
}

static void run(const char *timeline, uint64_t most_ms)
{
	uv_prepare_t prepare;

	(void)uv_prepare_init(&loop.uv, &prepare);
	(void)uv_prepare_start(&prepare, on_prepare);
	uv_unref((uv_handle_t *)&prepare);
	saver_close(saver, &(struct saver_end){timeline, most_ms, on_closed, &table});
	assert_false(story.is_closed);
	/* as at a stop: nothing but the loop's own handles is alive after that */
	while (!story.is_closed)
		(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
	uv_close((uv_handle_t *)&prepare, NULL);
	(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
}

/* As a process that starts now would. */
static size_t read_back(struct leasefile_found *found)
{
	struct leasefile *reader;

	story.read = 0;
	assert_int_equal(leasefile_open(path, &reader), ERR_OK);
	assert_int_equal(leasefile_read(reader, loop_now_ms(&loop), on_lease, NULL, found),
			 ERR_OK);
	leasefile_close(reader);
	assert_int_equal(found->bad, 0);
	return story.read;
}

static void wait_for_pool(void)
{
	while (access(fresh_path, F_OK) == 0)
		(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
}

static void test_the_last_save_leaves_the_loop_its_turns(void **state)
{
	struct leasefile_found found;

	(void)state;
	run("7", 600000);
	assert_true(story.turns_at_close >= SIZE / SLICE_MOST);
	wait_for_pool();
	assert_int_equal(read_back(&found), SIZE);
	assert_string_equal(found.timeline, "7");
}

/* What is under way is begun anew: others may have changed what it has behind it. */
static void test_a_stop_in_the_middle_of_a_save(void **state)
{
	struct leasefile_found found;

	(void)state;
	saver_begin(saver, "6");
	(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
	run("7", 600000);
	wait_for_pool();
	assert_int_equal(read_back(&found), SIZE);
	assert_string_equal(found.timeline, "7");
}

/* The process has to end: the old file, with its notes, is what is left. */
static void test_a_disk_that_is_too_slow(void **state)
{
	struct leasefile_found found;

	(void)state;
	saver_note(saver, &table.leases[3]);
	run("7", 0);
	assert_int_equal(access(fresh_path, F_OK), -1);
	assert_int_equal(read_back(&found), 1);
	assert_string_equal(found.timeline, "");
}

static void test_a_table_that_was_never_loaded_is_not_saved(void **state)
{
	struct leasefile_found found;

	(void)state;
	saver_note(saver, &table.leases[3]);
	run(NULL, 600000);
	assert_int_equal(read_back(&found), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_last_save_leaves_the_loop_its_turns,
						begin, end),
		cmocka_unit_test_setup_teardown(test_a_stop_in_the_middle_of_a_save, begin,
						end),
		cmocka_unit_test_setup_teardown(test_a_disk_that_is_too_slow, begin, end),
		cmocka_unit_test_setup_teardown(test_a_table_that_was_never_loaded_is_not_saved,
						begin, end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
