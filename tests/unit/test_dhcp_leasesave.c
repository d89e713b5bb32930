/* The saved leases while the table changes under the save. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dhcpd/leasefile.h"
#include "lease_save.h"
#include "lease_storage.h"

#define NOW 5000000U
#define FIRST 0x0a4d0000U
#define SIZE 64

LEASE_STORAGE(storage, SIZE);

static char folder[] = "/tmp/test_dhcp_leasesave.XXXXXX";
static char path[64], fresh_path[70];
static struct leasefile *file;
static struct lease_table table;

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

/* What a file says of each address at last; 0: nothing. */
static struct {
	uint8_t owners[SIZE];
	struct leasefile_found found;
} back;

static void on_lease(void *data, const struct lease *lease)
{
	(void)data;
	assert_in_range(lease->address, FIRST, FIRST + SIZE - 1);
	back.owners[lease->address - FIRST] = lease_key_octets(&lease->client)[1];
}

/* As a process that starts now would. */
static void read_back(void)
{
	struct leasefile *reader;

	memset(&back, 0, sizeof(back));
	assert_int_equal(leasefile_open(path, &reader), ERR_OK);
	assert_int_equal(leasefile_read(reader, NOW, on_lease, NULL, &back.found), ERR_OK);
	leasefile_close(reader);
	assert_int_equal(back.found.bad, 0);
}

static struct lease lease_of(uint32_t number, uint8_t owner)
{
	return (struct lease){.address = FIRST + number,
			      .state = LEASE_BOUND,
			      .ends_ms = NOW + 600000,
			      .client = {2, {{0xff, owner}}}};
}

/* A grant: into the table, and noted. */
static void grant(uint32_t number, uint8_t owner)
{
	struct lease lease = lease_of(number, owner);

	assert_int_equal(lease_put(&table, &lease), ERR_OK);
	leasefile_note(file, &lease, NOW);
}

/* Ten leases in the table and in the file, and noting has begun. */
static int begin(void **state)
{
	struct leasefile_found found;

	(void)state;
	lease_table_init(&table, &storage, (struct hash_key){1, 2});
	assert_int_equal(leasefile_open(path, &file), ERR_OK);
	assert_int_equal(leasefile_read(file, NOW, on_lease, NULL, &found), ERR_ABSENT);
	for (uint32_t i = 0; i < 10; i++)
		grant(i, 1);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	leasefile_close(file);
	assert_int_equal(access(fresh_path, F_OK), -1);
	(void)unlink(path);
	return 0;
}

static bool slice(size_t most)
{
	bool is_whole;

	assert_int_equal(leasefile_save_slice(file, &table, most, NOW, &is_whole), ERR_OK);
	return is_whole;
}

static void finish(void)
{
	while (!slice(3))
		continue;
	leasefile_save_publish(file);
	assert_int_equal(leasefile_save_end(file), ERR_OK);
	leasefile_tidy(file);
}

static void test_what_is_granted_meanwhile_is_in_both(void **state)
{
	(void)state;
	assert_int_equal(leasefile_save_begin(file, &table, "4"), ERR_OK);
	assert_false(slice(5));
	grant(9, 2);  /* was written already */
	grant(0, 3);  /* is still to come */
	grant(20, 4); /* behind what the save looks at */
	leasefile_note_timeline(file, "5");
	assert_int_equal(leasefile_flush(file), ERR_OK);
	/* killed now: the old file has it */
	read_back();
	assert_int_equal(back.owners[9], 2);
	assert_int_equal(back.owners[0], 3);
	assert_int_equal(back.owners[20], 4);
	assert_string_equal(back.found.timeline, "5");
	finish();
	read_back();
	assert_int_equal(back.owners[9], 2);
	assert_int_equal(back.owners[0], 3);
	assert_int_equal(back.owners[20], 4);
	assert_int_equal(back.owners[5], 1);
	assert_string_equal(back.found.timeline, "5");
	/* and notes go on behind the new one's lines */
	grant(21, 5);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	read_back();
	assert_int_equal(back.owners[21], 5);
}

/* What is noted while another thread publishes is in the file, whichever one it is by then. */
static void test_what_is_granted_while_it_is_published(void **state)
{
	(void)state;
	assert_int_equal(leasefile_save_begin(file, &table, "4"), ERR_OK);
	assert_true(slice(SIZE));
	grant(30, 2);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	read_back();
	assert_int_equal(back.owners[30], 2);
	leasefile_save_publish(file);
	grant(31, 2);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	read_back();
	assert_int_equal(back.owners[30], 2);
	assert_int_equal(back.owners[31], 2);
	assert_int_equal(leasefile_save_end(file), ERR_OK);
	/* the notes of the save are the new file's first */
	assert_true(leasefile_growth(file) > 0);
	read_back();
	assert_int_equal(back.owners[31], 2);
}

/* The last entry takes a removed one's place: it must not slip through behind the save. */
static void test_moved_entries_are_saved(void **state)
{
	(void)state;
	assert_int_equal(leasefile_save_begin(file, &table, ""), ERR_OK);
	assert_false(slice(4)); /* 9 to 6 */
	lease_remove(&table, FIRST + 1);
	assert_false(slice(1));
	lease_remove(&table, FIRST + 9);
	lease_remove(&table, FIRST + 8);
	lease_remove(&table, FIRST + 0);
	lease_remove(&table, FIRST + 2);
	lease_remove(&table, FIRST + 7);
	finish();
	read_back();
	for (size_t i = 0; i < table.count; i++)
		assert_int_equal(back.owners[table.leases[i].address - FIRST], 1);
	assert_int_equal(back.owners[0], 0);
	assert_int_equal(back.owners[2], 0);
	assert_int_equal(table.count, 4);
}

static uint32_t random_state = 4711;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1103515245U + 12345;
	return (random_state >> 16) % limit;
}

/* Whatever happens between the slices: who has an address in the table has it in the file. */
static void test_any_changes_between_any_slices(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		assert_int_equal(leasefile_save_begin(file, &table, "1"), ERR_OK);
		do {
			for (uint32_t i = random_below(4); i > 0; i--) {
				if (random_below(2))
					grant(random_below(SIZE),
					      (uint8_t)(1 + random_below(200)));
				else
					lease_remove(&table, FIRST + random_below(SIZE));
			}
		} while (!slice(1 + random_below(9)));
		leasefile_save_publish(file);
		assert_int_equal(leasefile_save_end(file), ERR_OK);
		assert_int_equal(leasefile_flush(file), ERR_OK);
		read_back();
		for (size_t i = 0; i < table.count; i++)
			assert_int_equal(back.owners[table.leases[i].address - FIRST],
					 lease_key_octets(&table.leases[i].client)[1]);
	}
}

static void test_a_failure_in_the_middle_leaves_the_old_file(void **state)
{
	struct rlimit before;
	bool is_whole;
	enum err err = ERR_OK;

	(void)state;
	/* so many that the table alone does not fit below the limit */
	for (uint32_t i = 10; i < SIZE; i++)
		grant(i, 1);
	assert_int_equal(lease_save(file, &table, "1", NOW), ERR_OK);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(leasefile_save_begin(file, &table, "2"), ERR_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){512, before.rlim_max}), 0);
	while (err == ERR_OK)
		err = leasefile_save_slice(file, &table, 3, NOW, &is_whole);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(access(fresh_path, F_OK), -1);
	grant(7, 9);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	read_back();
	assert_string_equal(back.found.timeline, "1");
	assert_int_equal(back.owners[7], 9);
	for (size_t i = 8; i < SIZE; i++)
		assert_int_equal(back.owners[i], 1);
	/* and the next one goes well */
	assert_int_equal(leasefile_save_begin(file, &table, "2"), ERR_OK);
	finish();
	read_back();
	assert_string_equal(back.found.timeline, "2");
}

static void test_what_cannot_be_published_leaves_the_old_file(void **state)
{
	(void)state;
	assert_int_equal(leasefile_save_begin(file, &table, "2"), ERR_OK);
	assert_true(slice(SIZE));
	assert_int_equal(unlink(fresh_path), 0); /* somebody tidied the folder */
	leasefile_save_publish(file);
	assert_int_equal(leasefile_save_end(file), ERR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	leasefile_tidy(file);
	grant(7, 9);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	read_back();
	assert_string_equal(back.found.timeline, "");
	assert_int_equal(back.owners[7], 9);
	assert_int_equal(back.owners[8], 1);
}

/* The process ends, or a stop saves at one go, while slices are written. */
static void test_a_save_can_be_given_up(void **state)
{
	(void)state;
	assert_int_equal(leasefile_save_begin(file, &table, "2"), ERR_OK);
	assert_false(slice(5));
	assert_int_equal(lease_save(file, &table, "3", NOW), ERR_OK);
	read_back();
	assert_string_equal(back.found.timeline, "3");
	assert_int_equal(back.owners[0], 1);
	assert_int_equal(leasefile_save_begin(file, &table, "4"), ERR_OK);
	assert_false(slice(5));
	/* end() looks that nothing of it is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_granted_meanwhile_is_in_both,
						begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_granted_while_it_is_published,
						begin, end),
		cmocka_unit_test_setup_teardown(test_moved_entries_are_saved, begin, end),
		cmocka_unit_test_setup_teardown(test_any_changes_between_any_slices, begin,
						end),
		cmocka_unit_test_setup_teardown(
			test_a_failure_in_the_middle_leaves_the_old_file, begin, end),
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_published_leaves_the_old_file, begin, end),
		cmocka_unit_test_setup_teardown(test_a_save_can_be_given_up, begin, end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
