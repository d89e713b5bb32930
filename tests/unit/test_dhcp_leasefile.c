#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dhcpd/leasefile.h"
#include "lease_save.h"

#define NOW 5000000U

static char folder[] = "/tmp/test_dhcp_leasefile.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/leases", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static struct leasefile *file;

static int open_file(void **state)
{
	(void)state;
	assert_int_equal(leasefile_open(path, &file), ERR_OK);
	return 0;
}

static int close_file(void **state)
{
	(void)state;
	leasefile_close(file);
	(void)unlink(path);
	return 0;
}

static struct read_back {
	struct lease leases[8];
	struct lease_client clients[8];
	size_t count;
	struct leasefile_found found;
} back;

static void on_lease(void *data, const struct lease *lease)
{
	assert_ptr_equal(data, &back);
	assert_true(back.count < 8);
	lease_key_copy(&lease->client, &back.clients[back.count]);
	back.leases[back.count++] = *lease;
}

/* As a process that starts now would. */
static enum err read_file(uint64_t now_ms)
{
	leasefile_close(file);
	assert_int_equal(leasefile_open(path, &file), ERR_OK);
	memset(&back, 0, sizeof(back));
	return leasefile_read(file, now_ms, on_lease, &back, &back.found);
}

static void write_text(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void test_comes_back_as_it_was(void **state)
{
	struct lease_client longest = {LEASE_CLIENT_MAX, {0xff, 0x0b, 1, 2, 3}};
	struct lease leases[] = {
		{.address = 0x0a4d0064,
		 .state = LEASE_BOUND,
		 .ends_ms = NOW + 600000,
		 .granted_ms = NOW - 20000,
		 .has_mac = true,
		 .mac = {{0x52, 0x54, 0, 0, 0, 1}},
		 .client = {7, {{1, 0x52, 0x54, 0, 0, 0, 1}}}},
		{.address = 0x0a4d0065,
		 .state = LEASE_OFFERED,
		 .held_ms = NOW + 60000,
		 .client = {7, {{1, 0x52, 0x54, 0, 0, 0, 2}}}},
		{.address = 0x0a4d0066,
		 .state = LEASE_DECLINED,
		 .ends_ms = NOW - 30000,
		 .client = {3, {{0xff, 0x0a, 0x00}}}},
		/* known by its identifier, and long before the newest one granted */
		{.address = 0x0a4d0067,
		 .state = LEASE_BOUND,
		 .ends_ms = NOW + 900000,
		 .granted_ms = NOW - 21000 - LEASE_LAG_MS,
		 .has_mac = true,
		 .mac = {{0x52, 0x54, 0, 0, 0, 7}},
		 .client = lease_key_of(&longest)},
	};
	struct lease_table table = {.leases = leases, .count = 4};
	struct stat status;

	(void)state;
	assert_int_equal(lease_save(file, &table, "3", NOW), ERR_OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.found.bad, 0);
	assert_string_equal(back.found.timeline, "3");
	assert_int_equal(back.count, 3); /* an offer is no lease; the last is written first */
	assert_int_equal(back.leases[2].address, 0x0a4d0064);
	assert_int_equal(back.leases[2].state, LEASE_BOUND);
	assert_true(back.leases[2].has_mac);
	assert_in_range(back.leases[2].ends_ms, NOW + 595000, NOW + 600000);
	assert_in_range(back.leases[2].granted_ms, NOW - 25000, NOW - 19000);
	assert_int_equal(back.leases[1].state, LEASE_DECLINED);
	assert_false(back.leases[1].has_mac);
	assert_int_equal(back.leases[1].granted_ms, 0);
	assert_true(lease_is_of(&leases[2], &back.clients[1]));
	assert_in_range(back.leases[1].ends_ms, NOW - 35000, NOW - 29000);
	assert_true(lease_is_of(&leases[3], &back.clients[0]));
	assert_true(back.leases[0].has_mac);
	assert_true(mac_equal(&back.leases[0].mac, &leases[3].mac));
	assert_in_range(back.leases[0].granted_ms, NOW - 22000 - LEASE_LAG_MS,
			NOW - 20000 - LEASE_LAG_MS);
}

static void test_the_machine_has_started_anew(void **state)
{
	struct lease lease = {.address = 0x0a4d0064,
			      .state = LEASE_EXPIRED,
			      .ends_ms = NOW - 100000,
			      .granted_ms = NOW - 200000,
			      .client = {3, {{0xff, 0x0a, 0x00}}}};
	struct lease_table table = {.leases = &lease, .count = 1};

	(void)state;
	assert_int_equal(lease_save(file, &table, "", NOW), ERR_OK);
	/* the clock of the loop is young: it was granted, and is over */
	assert_int_equal(read_file(1000), ERR_OK);
	assert_int_equal(back.leases[0].ends_ms, 0);
	assert_int_equal(back.leases[0].granted_ms, 1);
	assert_string_equal(back.found.timeline, "");
}

static void test_what_was_noted_stands_behind_the_table(void **state)
{
	struct lease lease = {.address = 0x0a4d0064,
			      .state = LEASE_BOUND,
			      .ends_ms = NOW + 600000,
			      .granted_ms = NOW,
			      .client = {3, {{0xff, 0x0a, 0x00}}}};
	struct lease_table table = {.leases = &lease, .count = 1};

	(void)state;
	/* nothing is noted before somebody has read */
	leasefile_note(file, &lease, NOW);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	assert_int_equal(read_file(NOW), ERR_ABSENT);
	leasefile_note_timeline(file, "1");
	leasefile_note(file, &lease, NOW);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	assert_true(leasefile_growth(file) > 0);
	assert_int_equal(lease_save(file, &table, "1", NOW), ERR_OK);
	assert_int_equal(leasefile_growth(file), 0);
	lease.address++;
	leasefile_note(file, &lease, NOW);
	leasefile_note_timeline(file, "2");
	assert_int_equal(leasefile_flush(file), ERR_OK);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 2);
	assert_int_equal(back.leases[1].address, 0x0a4d0065);
	assert_int_equal(back.leases[1].granted_ms / 10000, NOW / 10000);
	assert_string_equal(back.found.timeline, "2");
	/* and the next process goes on behind it */
	lease.address++;
	leasefile_note(file, &lease, NOW);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 3);
	assert_int_equal(back.found.bad, 0);
}

static void test_a_cut_line_is_no_fault(void **state)
{
	struct lease lease = {.address = 0x0a4d0065,
			      .state = LEASE_BOUND,
			      .ends_ms = NOW + 600000,
			      .client = {3, {{0xff, 0x0a, 0x00}}}};

	(void)state;
	write_text("rouse leases 2\n"
		   "10.77.0.101 01525400000001 bound 4000000000 0 -\n"
		   "10.77.0.102 01525400000002 bound 40000000");
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 1);
	assert_int_equal(back.found.bad, 0);
	/* what is noted now does not grow onto it */
	leasefile_note(file, &lease, NOW);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 2);
	assert_int_equal(back.found.bad, 0);
}

/* Kea CVE-2019-6474: what was written can be read again, whatever a client calls itself. */
static void test_the_longest_key_comes_back(void **state)
{
	struct lease_client client = {LEASE_CLIENT_MAX, {0xff, '\n', ' ', 0, 0xff}};
	struct lease lease = {
		.address = 0x0a4d0064,
		.state = LEASE_BOUND,
		.ends_ms = NOW + 600000,
		.client = lease_key_of(&client),
	};
	struct lease_table table = {.leases = &lease, .count = 1};

	(void)state;
	assert_int_equal(lease_save(file, &table, "", NOW), ERR_OK);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.found.bad, 0);
	assert_int_equal(back.count, 1);
	assert_true(lease_client_equal(&back.clients[0], &client));
}

static void test_damage_is_counted(void **state)
{
	(void)state;
	write_text("rouse leases 2\n"
		   "10.77.0.100 0152540000000 bound 4000000000 0 -\n" /* odd digits */
		   "10.77.0.300 01525400000001 bound 4000000000 0 -\n"
		   "10.77.0.100 01525400000001 lost 4000000000 0 -\n"
		   "10.77.0.100 01525400000001 bound -1 0 -\n"
		   "10.77.0.100 01525400000001 bound 99999999999999999999999 0 -\n"
		   "10.77.0.100 01525400000001 bound 4000000000 -5 -\n"
		   "10.77.0.100 01525400000001 bound 4000000000 0 52:54\n"
		   "10.77.0.100\n"
		   "\n"
		   "timeline 1x\n"
		   "timeline \n"
		   "timeline 11111111111111111111111111\n"
		   "10.77.0.101 01525400000001 bound 4000000000 0 52:54:00:00:00:01\n");
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 1);
	assert_int_equal(back.found.bad, 12);
	assert_string_equal(back.found.timeline, "");
	/* another program's file, or an older format's: nothing is taken from it, and nothing
	 * added to it */
	write_text("rouse leases 1\n10.77.0.101 01525400000001 bound 4000000000\n");
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 0);
	assert_int_equal(back.found.bad, 1);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.found.bad, 0);
}

static void test_an_unwritable_place_is_told(void **state)
{
	struct lease lease = {.state = LEASE_BOUND, .client = {3, {{0xff, 0x0a, 0x00}}}};
	struct lease_table table = {.count = 0};
	struct leasefile *nowhere, *none;
	char longest[1024];

	(void)state;
	assert_int_equal(leasefile_open("/nonexistent/leases", &nowhere), ERR_OK);
	assert_int_equal(leasefile_read(nowhere, NOW, on_lease, &back, &back.found),
			 ERR_SYSTEM);
	assert_int_equal(lease_save(nowhere, &table, "1", NOW), ERR_SYSTEM);
	leasefile_close(nowhere);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(leasefile_open(longest, &nowhere), ERR_SPACE);
	/* without a path nothing is kept */
	assert_int_equal(leasefile_open("", &none), ERR_OK);
	assert_int_equal(leasefile_read(none, NOW, on_lease, &back, &back.found), ERR_ABSENT);
	leasefile_note(none, &lease, NOW);
	assert_int_equal(leasefile_flush(none), ERR_OK);
	assert_int_equal(lease_save(none, &table, "1", NOW), ERR_OK);
	leasefile_close(none);
}

static void test_a_full_disk_is_told_once(void **state)
{
	struct rlimit before;
	struct lease lease = {.state = LEASE_BOUND, .client = {3, {{0xff, 0x0a, 0x00}}}};
	struct lease_table table = {.leases = &lease, .count = 1};
	unsigned told = 0;

	(void)state;
	assert_int_equal(read_file(NOW), ERR_ABSENT);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, before.rlim_max}), 0);
	for (int i = 0; i < 1000; i++) {
		leasefile_note(file, &lease, NOW);
		told += leasefile_flush(file) != ERR_OK;
	}
	assert_int_equal(told, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	/* the next save begins anew */
	assert_int_equal(lease_save(file, &table, "1", NOW), ERR_OK);
	leasefile_note(file, &lease, NOW);
	assert_int_equal(leasefile_flush(file), ERR_OK);
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.count, 2);
}

/* The clock on the wall was put back: nothing is newer than now for ever after. */
static void test_no_grant_is_still_to_come(void **state)
{
	(void)state;
	write_text("rouse leases 2\n"
		   "10.77.0.101 01525400000001 bound 4000000000 4000000000 -\n");
	assert_int_equal(read_file(NOW), ERR_OK);
	assert_int_equal(back.leases[0].granted_ms, NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_back_as_it_was, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(test_the_machine_has_started_anew, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(test_what_was_noted_stands_behind_the_table,
						open_file, close_file),
		cmocka_unit_test_setup_teardown(test_a_cut_line_is_no_fault, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(test_the_longest_key_comes_back, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(test_damage_is_counted, open_file, close_file),
		cmocka_unit_test_setup_teardown(test_an_unwritable_place_is_told, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(test_a_full_disk_is_told_once, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(test_no_grant_is_still_to_come, open_file,
						close_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
