/* What operators configured, found again by every key that a request may bring. */
#include "unit.h"

#include <stdlib.h>

#include "core/site.h"

#define HOSTS 500

static struct host hosts[HOSTS];
static uint32_t mac_index[4096], uuid_index[4096];

static struct mac mac_of(unsigned host, unsigned card)
{
	return (struct mac){
		{0x52, 0x54, (uint8_t)card, 0, (uint8_t)(host >> 8), (uint8_t)host}};
}

static struct uuid uuid_of(unsigned host)
{
	return (struct uuid){{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
			      (uint8_t)(host >> 8), (uint8_t)host}};
}

static struct site big_site(void)
{
	struct site site = {.hosts = hosts,
			    .host_count = HOSTS,
			    .mac_index = mac_index,
			    .uuid_index = uuid_index};
	size_t bad = 0;

	memset(mac_index, 0, sizeof(mac_index));
	memset(uuid_index, 0, sizeof(uuid_index));
	for (unsigned i = 0; i < HOSTS; i++) {
		hosts[i] = (struct host){.id = i,
					 .name = "x",
					 .product = "",
					 .has_uuid = true,
					 .uuid = uuid_of(i),
					 .mac_count = 2};
		hosts[i].macs[0] = mac_of(i, 0);
		hosts[i].macs[1] = mac_of(i, 1);
	}
	site.index_size = site_index_size(&site);
	assert_true(site.index_size <= 4096);
	assert_int_equal(site_index(&site, &bad), ERR_OK);
	return site;
}

static void finds_every_host_by_every_key(void **state)
{
	struct site site = big_site();
	struct mac stranger = mac_of(7, 9);
	struct uuid no_uuid = {{0}};

	(void)state;
	for (unsigned i = 0; i < HOSTS; i++) {
		struct mac second = mac_of(i, 1);
		struct uuid uuid = uuid_of(i);

		assert_ptr_equal(site_host_by_mac(&site, &second), &hosts[i]);
		assert_ptr_equal(site_host_by_uuid(&site, &uuid), &hosts[i]);
	}
	assert_null(site_host_by_mac(&site, &stranger));
	assert_null(site_host_by_uuid(&site, &no_uuid));
}

static void an_empty_site_knows_nothing(void **state)
{
	struct site site = {0};
	struct mac mac = mac_of(1, 1);
	struct uuid uuid = uuid_of(1);

	(void)state;
	assert_null(site_host_by_mac(&site, &mac));
	assert_null(site_host_by_uuid(&site, &uuid));
	assert_null(site_subnet_of(&site, 1));
	assert_null(site_reservation_of(&site, &mac));
	assert_string_equal(site_setting(&site, "x", "fallback"), "fallback");
}

static void two_hosts_cannot_claim_one_mac(void **state)
{
	struct site site = big_site();
	size_t bad = 0;

	(void)state;
	memset(mac_index, 0, sizeof(mac_index));
	hosts[3].macs[1] = mac_of(2, 0);
	assert_int_equal(site_index(&site, &bad), ERR_RANGE);
	assert_int_equal(bad, 3);
}

static void the_special_boot_file_comes_first(void **state)
{
	struct site_boot_file files[] = {{7, false, "", "ipxe.efi"},
					 {7, false, "OptiPlex 7050", "snponly.efi"},
					 {16, true, "", "ipxe.efi"}};
	struct site site = {.boot_files = files, .boot_file_count = 3};

	(void)state;
	assert_string_equal(site_boot_file_for(&site, 7, false, "")->file, "ipxe.efi");
	assert_string_equal(site_boot_file_for(&site, 7, false, "optiplex 7050")->file,
			    "snponly.efi");
	assert_null(site_boot_file_for(&site, 16, false, ""));
	assert_null(site_boot_file_for(&site, 6, false, ""));
}

static void finds_reservations_and_subnets(void **state)
{
	struct site_reservation reservations[] = {{mac_of(9, 0), 90, "nine"},
						  {mac_of(1, 0), 10, "one"},
						  {mac_of(5, 0), 50, "five"}};
	struct site_subnet subnets[] = {{.id = 1, .net = {0x0a000000, 24}},
					{.id = 2, .net = {0x0a000100, 24}}};
	uint32_t reserved[3];
	struct site site = {.reservations = reservations,
			    .reserved = reserved,
			    .reservation_count = 3,
			    .subnets = subnets,
			    .subnet_count = 2,
			    .index_size = 16,
			    .mac_index = mac_index,
			    .uuid_index = uuid_index};
	struct mac five = mac_of(5, 0);
	size_t bad;

	(void)state;
	assert_int_equal(site_index(&site, &bad), ERR_OK);
	assert_int_equal(site_reservation_of(&site, &five)->address, 50);
	assert_true(site_is_reserved(&site, 10));
	assert_false(site_is_reserved(&site, 11));
	assert_int_equal(site_subnet_of(&site, 0x0a000105)->id, 2);
	assert_null(site_subnet_of(&site, 0x0a000205));
	assert_int_equal(site_subnet_by_id(&site, 1)->net.prefix, 24);
}

static void settings_have_fallbacks(void **state)
{
	struct site_setting settings[] = {{"c", "nonsense"}, {"a", "12"}, {"b", "yes"}};
	struct site site = {.settings = settings,
			    .setting_count = 3,
			    .index_size = 16,
			    .mac_index = mac_index,
			    .uuid_index = uuid_index};
	size_t bad;

	(void)state;
	assert_int_equal(site_index(&site, &bad), ERR_OK);
	assert_int_equal(site_setting_number(&site, "a", 1), 12);
	assert_int_equal(site_setting_number(&site, "d", 7), 7);
	assert_int_equal(site_setting_number(&site, "c", 1), 1);
	assert_true(site_setting_truth(&site, "b", false));
	assert_false(site_setting_truth(&site, "c", false));
}

static void finds_the_options_of_a_scope(void **state)
{
	struct site_option options[] = {
		{SITE_OPTION_HOST, 7, "", 15, false, NULL, 0},
		{SITE_OPTION_GROUP, 7, "", 15, false, NULL, 0},
		{SITE_OPTION_CLASS, 0, "PXEClient:Arch", 15, false, NULL, 0},
		{SITE_OPTION_SUBNET, 2, "", 6, false, NULL, 0},
		{SITE_OPTION_GLOBAL, 0, "", 42, false, NULL, 0},
		{SITE_OPTION_CLASS, 0, "PXE", 15, false, NULL, 0},
		{SITE_OPTION_GLOBAL, 0, "", 15, false, NULL, 0},
		{SITE_OPTION_SUBNET, 1, "", 6, false, NULL, 0},
	};
	struct site site = {.options = options, .option_count = 8};
	const struct site_option *found;
	size_t count, bad;

	(void)state;
	assert_int_equal(site_index(&site, &bad), ERR_OK);
	found = site_options_of(&site, SITE_OPTION_GLOBAL, 0, &count);
	assert_int_equal(count, 2);
	assert_int_equal(found[0].code, 15);
	assert_int_equal(found[1].code, 42);
	found = site_options_of(&site, SITE_OPTION_SUBNET, 2, &count);
	assert_int_equal(count, 1);
	assert_int_equal(found->owner, 2);
	/* the longer name comes later: it wins */
	found = site_options_of(&site, SITE_OPTION_CLASS, 0, &count);
	assert_int_equal(count, 2);
	assert_string_equal(found[0].class, "PXE");
	assert_null(site_options_of(&site, SITE_OPTION_HOST, 8, &count));
	assert_int_equal(count, 0);
	found = site_options_of(&site, SITE_OPTION_GROUP, 7, &count);
	assert_int_equal(count, 1);
	assert_int_equal(found->scope, SITE_OPTION_GROUP);
	assert_non_null(site_options_of(&site, SITE_OPTION_HOST, 7, &count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_options_of_a_scope),
		cmocka_unit_test(finds_every_host_by_every_key),
		cmocka_unit_test(an_empty_site_knows_nothing),
		cmocka_unit_test(two_hosts_cannot_claim_one_mac),
		cmocka_unit_test(the_special_boot_file_comes_first),
		cmocka_unit_test(finds_reservations_and_subnets),
		cmocka_unit_test(settings_have_fallbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
