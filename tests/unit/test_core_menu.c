/* What a machine gets, before any dialect. */
#include "unit.h"

#include "core/menu.h"

static struct site_menu_item items[] = {
	{"local", "Boot from the local disk", "local", "", "", 0, 0},
	{"register_quick", "Quick registration", "register_quick", "", "q", 1U << HOST_UNKNOWN,
	 0},
	{"memtest", "Memory test", "profile", "memtest", "", 0, 1U << FIRMWARE_BIOS},
	{"debian", "Install Debian", "profile", "debian", "", 0, 0},
};
static struct site_profile profiles[] = {
	{"memtest", "Memtest86+", PROFILE_LINUX, "memtest/memtest.bin", "", "", "", ""},
	{"debian", "Debian", PROFILE_LINUX, "debian/linux", "debian/initrd.gz", "priority=low",
	 "", ""},
};
static struct site_setting settings[] = {{"menu_default", "debian"},
					 {"menu_timeout_seconds", "7"}};
static const struct site site = {.menu = items,
				 .menu_count = 4,
				 .profiles = profiles,
				 .profile_count = 2,
				 .settings = settings,
				 .setting_count = 2};
static const struct boot_facts unknown_efi = {.stage = BOOT_STAGE_MENU,
					      .loader = BOOT_LOADER_IPXE,
					      .arch = {ARCH_X86_64, FIRMWARE_EFI},
					      .host = "",
					      .product = ""};

static void lists_what_this_machine_may_see(void **state)
{
	struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct boot_facts facts = unknown_efi;
	struct menu menu = {0};

	(void)state;
	assert_int_equal(menu_from_verdict(&site, &verdict, &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_ITEMS);
	assert_int_equal(menu.entry_count, 3);
	assert_string_equal(menu.entries[1].key, "register_quick");
	assert_string_equal(menu.default_key, "debian");
	assert_int_equal(menu.timeout_seconds, 7);
	facts.host_state = HOST_ACTIVE;
	facts.arch.firmware = FIRMWARE_BIOS;
	assert_int_equal(menu_from_verdict(&site, &verdict, &facts, &menu), ERR_OK);
	assert_int_equal(menu.entry_count, 3);
	assert_string_equal(menu.entries[1].key, "memtest");
}

static void a_site_without_a_menu_boots_the_disk(void **state)
{
	struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct site bare = {0};
	struct menu menu = {0};

	(void)state;
	assert_int_equal(menu_from_verdict(&bare, &verdict, &unknown_efi, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_LOCAL);
}

static void a_hidden_entry_cannot_be_chosen(void **state)
{
	struct boot_facts active = unknown_efi;
	struct menu menu = {0};

	(void)state;
	active.host_state = HOST_ACTIVE;
	assert_int_equal(menu_from_item(&site, "register_quick", &active, &menu), ERR_ABSENT);
	assert_int_equal(menu_from_item(&site, "memtest", &active, &menu), ERR_ABSENT);
	assert_int_equal(menu_from_item(&site, "nonsense", &active, &menu), ERR_ABSENT);
	assert_int_equal(menu_from_item(&site, "register_quick", &unknown_efi, &menu),
			 ERR_REFUSED);
	assert_int_equal(menu_from_item(&site, "debian", &active, &menu), ERR_OK);
	assert_string_equal(menu.initrd, "debian/initrd.gz");
	assert_int_equal(menu_from_item(&site, "local", &active, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_LOCAL);
}

static void verdicts_become_menus(void **state)
{
	struct boot_verdict verdict = {BOOT_PROFILE, "debian", "for this host", 5};
	struct menu menu = {0};

	(void)state;
	assert_int_equal(menu_from_verdict(&site, &verdict, &unknown_efi, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_LINUX);
	assert_string_equal(menu.kernel, "debian/linux");
	verdict.argument = "gone";
	assert_int_equal(menu_from_verdict(&site, &verdict, &unknown_efi, &menu), ERR_ABSENT);
	verdict.answer = BOOT_REFUSE;
	assert_int_equal(menu_from_verdict(&site, &verdict, &unknown_efi, &menu), ERR_OK);
	assert_string_equal(menu.message, "for this host");
	verdict.answer = BOOT_RUN_JOB;
	assert_int_equal(menu_from_verdict(&site, &verdict, &unknown_efi, &menu), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_what_this_machine_may_see),
		cmocka_unit_test(a_site_without_a_menu_boots_the_disk),
		cmocka_unit_test(a_hidden_entry_cannot_be_chosen),
		cmocka_unit_test(verdicts_become_menus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
