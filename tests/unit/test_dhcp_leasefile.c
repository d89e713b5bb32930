#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dhcpd/leasefile.h"

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

struct read_back {
	struct lease leases[8];
	size_t count;
};

static void on_lease(void *data, const struct lease *lease)
{
	struct read_back *back = data;

	assert_true(back->count < 8);
	back->leases[back->count++] = *lease;
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_comes_back_as_it_was(void **state)
{
	struct lease leases[] = {
		{.address = 0x0a4d0064,
		 .state = LEASE_BOUND,
		 .ends_ms = NOW + 600000,
		 .client = {7, {1, 0x52, 0x54, 0, 0, 0, 1}}},
		{.address = 0x0a4d0065,
		 .state = LEASE_OFFERED,
		 .held_ms = NOW + 60000,
		 .client = {7, {1, 0x52, 0x54, 0, 0, 0, 2}}},
		{.address = 0x0a4d0066,
		 .state = LEASE_DECLINED,
		 .ends_ms = NOW - 30000,
		 .client = {3, {0xff, 0x0a, 0x00}}},
	};
	struct lease_table table = {.leases = leases, .count = 3};
	struct read_back back = {.count = 0};
	struct stat status;
	size_t bad = 9;

	(void)state;
	assert_int_equal(leasefile_write(path, &table, NOW), ERR_OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(leasefile_read(path, NOW, on_lease, &back, &bad), ERR_OK);
	assert_int_equal(bad, 0);
	assert_int_equal(back.count, 2); /* an offer is no lease */
	assert_int_equal(back.leases[0].address, 0x0a4d0064);
	assert_int_equal(back.leases[0].state, LEASE_BOUND);
	assert_true(back.leases[0].has_mac);
	assert_in_range(back.leases[0].ends_ms, NOW + 595000, NOW + 600000);
	assert_int_equal(back.leases[1].state, LEASE_DECLINED);
	assert_false(back.leases[1].has_mac);
	assert_true(lease_client_equal(&back.leases[1].client, &leases[2].client));
	assert_in_range(back.leases[1].ends_ms, NOW - 35000, NOW - 29000);
}

/* Kea CVE-2019-6474: what was written can be read again, whatever a client calls itself. */
static void test_the_longest_key_comes_back(void **state)
{
	static struct lease lease = {
		.address = 0x0a4d0064,
		.state = LEASE_BOUND,
		.ends_ms = NOW + 600000,
		.client = {LEASE_CLIENT_MAX, {0xff, '\n', ' ', 0, 0xff}},
	};
	struct lease_table table = {.leases = &lease, .count = 1};
	static struct read_back back;
	size_t bad = 9;

	(void)state;
	back.count = 0;
	assert_int_equal(leasefile_write(path, &table, NOW), ERR_OK);
	assert_int_equal(leasefile_read(path, NOW, on_lease, &back, &bad), ERR_OK);
	assert_int_equal(bad, 0);
	assert_int_equal(back.count, 1);
	assert_true(lease_client_equal(&back.leases[0].client, &lease.client));
}

static void test_damage_is_counted(void **state)
{
	struct read_back back = {.count = 0};
	size_t bad = 0;

	(void)state;
	write_text("rouse leases 1\n"
		   "10.77.0.100 0152540000000 bound 4000000000\n" /* odd digits */
		   "10.77.0.300 01525400000001 bound 4000000000\n"
		   "10.77.0.100 01525400000001 lost 4000000000\n"
		   "10.77.0.100 01525400000001 bound -1\n"
		   "10.77.0.100 01525400000001 bound 99999999999999999999999\n"
		   "10.77.0.100\n"
		   "\n"
		   "10.77.0.101 01525400000001 bound 4000000000\n");
	assert_int_equal(leasefile_read(path, NOW, on_lease, &back, &bad), ERR_OK);
	assert_int_equal(back.count, 1);
	assert_int_equal(bad, 7);
	/* another program's file, or an older format's: nothing is taken from it */
	back.count = 0;
	write_text("rouse leases 2\n10.77.0.101 01525400000001 bound 4000000000\n");
	assert_int_equal(leasefile_read(path, NOW, on_lease, &back, &bad), ERR_OK);
	assert_int_equal(back.count, 0);
	assert_int_equal(bad, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(leasefile_read(path, NOW, on_lease, &back, &bad), ERR_ABSENT);
}

static void test_an_unwritable_place_is_told(void **state)
{
	struct lease_table table = {.count = 0};

	(void)state;
	assert_int_equal(leasefile_write("/nonexistent/leases", &table, NOW), ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back_as_it_was),
		cmocka_unit_test(test_the_longest_key_comes_back),
		cmocka_unit_test(test_damage_is_counted),
		cmocka_unit_test(test_an_unwritable_place_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
