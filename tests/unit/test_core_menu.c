/* What a machine gets, before any dialect. */
#include "unit.h"

#include <string.h>

#include "core/menu.h"
#include "core/text.h"

#define ITEM(the_key, the_title, the_action)                                                   \
	.key = (the_key), .title = (the_title), .action = (the_action)
#define NOTHING .profile = "", .hotkey = "", .parent = "", .confirm = ""

static struct site_menu_item items[] = {
	{ITEM("local", "Boot from the local disk", "local"), NOTHING},
	{ITEM("register_quick", "Quick registration", "register_quick"), .profile = "",
	 .hotkey = "q", .host_state = 1U << HOST_UNKNOWN, .parent = "", .confirm = ""},
	{ITEM("memtest", "Memory test", "profile"), .profile = "memtest", .hotkey = "",
	 .firmware = 1U << FIRMWARE_BIOS, .parent = "", .confirm = ""},
	{ITEM("debian", "Install Debian", "profile"), .profile = "debian", .hotkey = "",
	 .parent = "", .confirm = ""},
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

static enum err choose_typed(const struct site *where, const char *key, const char *typed,
			     const struct boot_facts *facts, struct menu *menu)
{
	const struct menu_choice choice = {key, typed, ""};

	return menu_from_choice(where, &choice, facts, menu);
}

static enum err choose(const struct site *where, const char *key,
		       const struct boot_facts *facts, struct menu *menu)
{
	return choose_typed(where, key, "", facts, menu);
}

static void lists_what_this_machine_may_see(void **state)
{
	struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct boot_facts facts = unknown_efi;
	struct menu menu = menu_start(&site, &unknown_efi);

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
	struct menu menu = menu_start(&site, &unknown_efi);

	(void)state;
	assert_int_equal(menu_from_verdict(&bare, &verdict, &unknown_efi, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_LOCAL);
}

static void a_hidden_entry_cannot_be_chosen(void **state)
{
	struct boot_facts active = unknown_efi;
	struct menu menu = menu_start(&site, &unknown_efi);

	(void)state;
	active.host_state = HOST_ACTIVE;
	assert_int_equal(choose(&site, "register_quick", &active, &menu), ERR_ABSENT);
	assert_int_equal(choose(&site, "memtest", &active, &menu), ERR_ABSENT);
	assert_int_equal(choose(&site, "nonsense", &active, &menu), ERR_ABSENT);
	assert_int_equal(choose(&site, "register_quick", &unknown_efi, &menu), ERR_REFUSED);
	assert_int_equal(choose(&site, "debian", &active, &menu), ERR_OK);
	assert_string_equal(menu.initrd, "debian/initrd.gz");
	assert_int_equal(choose(&site, "local", &active, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_LOCAL);
}

static void verdicts_become_menus(void **state)
{
	struct boot_verdict verdict = {BOOT_PROFILE, "debian", "for this host", 5};
	struct menu menu = menu_start(&site, &unknown_efi);

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

/* A tree: tools (operators) > danger > wipe (a word), and one item of each other condition. */
static struct site_menu_item tree[] = {
	{ITEM("tools", "Tools", "menu"), NOTHING, .role = BOOT_ROLE_OPERATOR},
	{ITEM("danger", "Danger", "menu"), .parent = "tools", .profile = "", .hotkey = "d",
	 .confirm = ""},
	{ITEM("wipe", "Wipe", "profile"), .parent = "danger", .profile = "debian", .hotkey = "",
	 .confirm = "wipe"},
	{ITEM("arm", "For ARM", "local"), NOTHING, .arch = 1U << ARCH_ARM64},
	{ITEM("lab", "For the lab", "local"), NOTHING, .group_id = 7},
	{ITEM("shell", "Shell", "shell"), NOTHING},
	{ITEM("loop", "A circle", "menu"), .parent = "loop", .profile = "", .hotkey = "",
	 .confirm = ""},
	{ITEM("lost", "In no menu", "local"), .parent = "gone", .profile = "", .hotkey = "",
	 .confirm = ""},
};
static const struct site tree_site = {.menu = tree,
				      .menu_count = sizeof(tree) / sizeof(tree[0]),
				      .profiles = profiles,
				      .profile_count = 2};

/* The keys of the entries, each with a blank behind it. */
static const char *keys_of(const struct menu *menu)
{
	static char keys[256];
	struct text out = text_into(keys, sizeof(keys));

	for (size_t i = 0; i < menu->entry_count; i++)
		text_printf(&out, "%s ", menu->entries[i].key);
	return keys;
}

static const char *keys_for(const struct boot_facts *facts)
{
	const struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct menu menu = menu_start(&tree_site, facts);

	assert_int_equal(menu_from_verdict(&tree_site, &verdict, facts, &menu), ERR_OK);
	return keys_of(&menu);
}

/* The menu that rouse ships grows: a site's own item must keep the key that it had. */
static void the_first_item_has_a_shared_hotkey(void **state)
{
	static struct site_menu_item shared[] = {
		{ITEM("gone", "Gone", "local"), .profile = "", .hotkey = "g", .parent = "",
		 .confirm = ""},
		{ITEM("shell", "Shell", "shell"), NOTHING},
		{ITEM("reboot", "Reboot", "reboot"), NOTHING},
		{ITEM("login", "Log in", "login"), .profile = "", .hotkey = "g", .parent = "",
		 .confirm = ""},
	};
	const struct site shared_site = {.menu = shared, .menu_count = 4};
	const struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct menu menu = menu_start(&shared_site, &unknown_efi);

	(void)state;
	assert_int_equal(menu_from_verdict(&shared_site, &verdict, &unknown_efi, &menu),
			 ERR_OK);
	assert_int_equal(menu.entry_count, 4);
	assert_string_equal(menu.entries[0].hotkey, "g");
	assert_string_equal(menu.entries[3].hotkey, "");
}

static void each_condition_shows_and_hides(void **state)
{
	struct boot_facts facts = unknown_efi;

	(void)state;
	assert_string_equal(keys_for(&facts), "shell ");
	facts.role = BOOT_ROLE_VIEWER;
	assert_string_equal(keys_for(&facts), "shell ");
	facts.role = BOOT_ROLE_OPERATOR;
	assert_string_equal(keys_for(&facts), "tools shell ");
	facts.role = BOOT_ROLE_ANONYMOUS;
	facts.arch.cpu = ARCH_ARM64;
	assert_string_equal(keys_for(&facts), "arm shell ");
	facts.group_id = 7;
	assert_string_equal(keys_for(&facts), "arm lab shell ");
	facts.group_id = 8;
	assert_string_equal(keys_for(&facts), "arm shell ");
}

static void a_sub_menu_is_entered_and_left(void **state)
{
	struct boot_facts facts = unknown_efi;
	struct menu menu = menu_start(&tree_site, &facts);

	(void)state;
	facts.role = BOOT_ROLE_OPERATOR;
	assert_int_equal(choose(&tree_site, "tools", &facts, &menu), ERR_OK);
	assert_string_equal(keys_of(&menu), "danger .. ");
	assert_string_equal(menu.default_key, "..");
	assert_int_equal(choose(&tree_site, "danger", &facts, &menu), ERR_OK);
	assert_string_equal(keys_of(&menu), "wipe tools ");
	assert_string_equal(menu.default_key, "tools");
	assert_int_equal(choose(&tree_site, "..", &facts, &menu), ERR_OK);
	assert_string_equal(keys_of(&menu), "tools shell ");
}

static void what_a_hidden_sub_menu_holds_is_refused(void **state)
{
	struct boot_facts facts = unknown_efi;
	struct menu menu = menu_start(&tree_site, &facts);

	(void)state;
	assert_int_equal(choose_typed(&tree_site, "wipe", "wipe", &facts, &menu), ERR_ABSENT);
	assert_int_equal(choose(&tree_site, "danger", &facts, &menu), ERR_ABSENT);
	assert_int_equal(choose(&tree_site, "loop", &facts, &menu), ERR_ABSENT);
	assert_int_equal(choose(&tree_site, "lost", &facts, &menu), ERR_ABSENT);
}

static void a_word_is_typed_before_it_happens(void **state)
{
	struct boot_facts facts = unknown_efi;
	struct menu menu = menu_start(&tree_site, &facts);

	(void)state;
	facts.role = BOOT_ROLE_OPERATOR;
	assert_int_equal(choose(&tree_site, "wipe", &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_CONFIRM);
	assert_string_equal(menu.entries[0].confirm, "wipe");
	assert_int_equal(choose_typed(&tree_site, "wipe", "wip", &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_CONFIRM);
	assert_string_equal(menu.message, "that was another word");
	assert_int_equal(choose_typed(&tree_site, "wipe", "wipe", &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_LINUX);
}

/* GRUB and PXELINUX read one file and ask no more: nothing that wants a word, or what they
 * cannot do, is in it, and no sub-menu without anything. */
static void a_loader_that_cannot_ask_gets_the_whole_tree(void **state)
{
	static struct site_menu_item whole[] = {
		{ITEM("empty", "Empty", "menu"), NOTHING},
		{ITEM("word", "With a word", "profile"), .parent = "empty", .profile = "debian",
		 .hotkey = "", .confirm = "really"},
		{ITEM("tools", "Tools", "menu"), NOTHING, .role = BOOT_ROLE_VIEWER},
		{ITEM("more", "More", "menu"), .parent = "tools", .profile = "", .hotkey = "d",
		 .confirm = ""},
		{ITEM("debian", "Debian", "profile"), .parent = "more", .profile = "debian",
		 .hotkey = "d", .confirm = ""},
		{ITEM("program", "A program", "profile"), .parent = "tools",
		 .profile = "program", .hotkey = "d", .confirm = ""},
		{ITEM("login", "Log in", "login"), NOTHING},
		{ITEM("local", "The disk", "local"), .profile = "", .hotkey = "d", .parent = "",
		 .confirm = ""},
	};
	static struct site_profile programs[] = {
		{"debian", "Debian", PROFILE_LINUX, "debian/linux", "", "", "", ""},
		{"program", "Program", PROFILE_EFI, "", "", "", "a.efi", ""},
	};
	const struct site whole_site = {.menu = whole,
					.menu_count = sizeof(whole) / sizeof(whole[0]),
					.profiles = programs,
					.profile_count = 2};
	const struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct boot_facts facts = unknown_efi;
	struct menu menu = menu_start(&whole_site, &facts);

	(void)state;
	facts.loader = BOOT_LOADER_GRUB;
	assert_int_equal(menu_from_verdict(&whole_site, &verdict, &facts, &menu), ERR_OK);
	assert_string_equal(keys_of(&menu), "local ");
	facts.role = BOOT_ROLE_VIEWER;
	assert_int_equal(menu_from_verdict(&whole_site, &verdict, &facts, &menu), ERR_OK);
	assert_string_equal(keys_of(&menu), "tools more debian program local ");
	for (size_t i = 0; i < menu.entry_count; i++)
		assert_int_equal(menu.entries[i].depth, "\0\1\2\1\0"[i]);
	/* one key in each menu */
	assert_string_equal(menu.entries[1].hotkey, "d");
	assert_string_equal(menu.entries[2].hotkey, "d");
	assert_string_equal(menu.entries[3].hotkey, "");
	assert_string_equal(menu.entries[4].hotkey, "d");
	/* of what is in a sub-menu nothing is taken by itself */
	assert_string_equal(menu.default_key, "local");
	facts.loader = BOOT_LOADER_PXELINUX;
	assert_int_equal(menu_from_verdict(&whole_site, &verdict, &facts, &menu), ERR_OK);
	assert_string_equal(keys_of(&menu), "tools more debian local ");
}

/* A menu whose default is not there goes to the disk rather than into a sub-menu. */
static void a_default_that_is_gone_is_the_disk(void **state)
{
	static struct site_menu_item two[] = {
		{ITEM("tools", "Tools", "menu"), NOTHING},
		{ITEM("disk", "The disk", "local"), NOTHING},
	};
	const struct site two_site = {.menu = two, .menu_count = 2};
	const struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct menu menu = menu_start(&two_site, &unknown_efi);

	(void)state;
	assert_int_equal(menu_from_verdict(&two_site, &verdict, &unknown_efi, &menu), ERR_OK);
	assert_string_equal(menu.default_key, "disk");
}

/* global < group < model < host, each value by itself */
static void the_most_special_default_holds(void **state)
{
	static struct site_setting global[] = {{"exit_bios", "sanboot exit"},
					       {"exit_efi", "exit"},
					       {"menu_default", "local"},
					       {"menu_key", "none"},
					       {"menu_timeout_seconds", "7"}};
	static struct site_default defaults[] = {
		{.group_id = 7,
		 .product = "",
		 .host = "",
		 .menu_default = "debian",
		 .timeout_seconds = 0,
		 .menu_key = "esc",
		 .exits_bios = "",
		 .exits_efi = "a.efi"},
		{.product = "Kiosk",
		 .host = "",
		 .menu_default = "",
		 .timeout_seconds = 3,
		 .menu_key = "",
		 .exits_bios = "exit",
		 .exits_efi = "b.efi exit"},
		{.product = "",
		 .host = "lab-01",
		 .menu_default = "register_quick",
		 .timeout_seconds = -1,
		 .menu_key = "none",
		 .exits_bios = "",
		 .exits_efi = ""},
	};
	const struct site all = {.menu = items,
				 .menu_count = 4,
				 .profiles = profiles,
				 .profile_count = 2,
				 .settings = global,
				 .setting_count = 5,
				 .defaults = defaults,
				 .default_count = 3};
	const struct {
		int64_t group_id;
		const char *product, *host;
		enum arch_firmware firmware;
		const char *item;
		unsigned timeout_seconds;
		const char *key, *exits;
	} cases[] = {
		{0, "", "", FIRMWARE_EFI, "local", 7, "", "exit"},
		{8, "Laptop", "lab-02", FIRMWARE_BIOS, "local", 7, "", "sanboot exit"},
		{7, "", "", FIRMWARE_HTTP, "debian", 0, "esc", "a.efi"},
		{7, "", "", FIRMWARE_BIOS, "debian", 0, "esc", "sanboot exit"},
		{7, "Kiosk", "lab-02", FIRMWARE_EFI, "debian", 3, "esc", "b.efi exit"},
		{7, "Kiosk", "lab-01", FIRMWARE_EFI, "register_quick", 3, "", "b.efi exit"},
		{0, "", "lab-01", FIRMWARE_BIOS, "register_quick", 7, "", "sanboot exit"},
	};
	const struct boot_verdict verdict = {BOOT_MENU, "", "", 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct boot_facts facts = unknown_efi;
		struct menu menu;

		facts.group_id = cases[i].group_id;
		facts.product = cases[i].product;
		facts.host = cases[i].host;
		facts.arch.firmware = cases[i].firmware;
		menu = menu_start(&all, &facts);
		assert_string_equal(menu.exits, cases[i].exits);
		assert_int_equal(menu_from_verdict(&all, &verdict, &facts, &menu), ERR_OK);
		assert_string_equal(menu.default_key, cases[i].item);
		assert_int_equal(menu.timeout_seconds, cases[i].timeout_seconds);
		assert_string_equal(menu.hidden_key, cases[i].key);
		/* who comes back to the menu is shown it */
		assert_int_equal(choose(&all, MENU_TOP, &facts, &menu), ERR_OK);
		assert_string_equal(menu.hidden_key, "");
	}
}

/* deploy: first an image, then the word, then the database. */
static void an_image_is_chosen_before_the_word(void **state)
{
	static struct site_menu_item wanting[] = {
		{ITEM("deploy", "Deploy", "deploy"), .profile = "", .hotkey = "", .parent = "",
		 .confirm = "yes", .role = BOOT_ROLE_OPERATOR},
	};
	const struct site wanting_site = {.menu = wanting, .menu_count = 1};
	struct boot_facts facts = unknown_efi;
	struct menu menu = menu_start(&wanting_site, &facts);
	struct menu_choice choice = {"deploy", "", ""};

	(void)state;
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_ABSENT);
	facts.role = BOOT_ROLE_OPERATOR;
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_REFUSED);
	choice.image = "tiny";
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_CONFIRM);
	assert_string_equal(menu.image, "tiny");
	choice.typed = "yes";
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_REFUSED);
	choice.image = "..";
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_ITEMS);
	assert_string_equal(keys_of(&menu), "deploy ");
	/* what is deployed exists already: the database refuses that name */
	choice = (struct menu_choice){"deploy", "yes", MENU_NEW};
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_REFUSED);
	wanting[0].action = "capture";
	choice.typed = "";
	assert_int_equal(menu_from_choice(&wanting_site, &choice, &facts, &menu), ERR_OK);
	assert_int_equal(menu.kind, MENU_NAME);
	assert_string_equal(menu.entries[0].key, "deploy");
}

static void images_are_a_menu_with_a_way_back(void **state)
{
	static struct menu_image images[MENU_ENTRIES_MAX];
	struct menu menu = menu_start(&site, &unknown_efi);

	(void)state;
	for (size_t i = 0; i < MENU_ENTRIES_MAX; i++)
		images[i] = (struct menu_image){"tiny", "Tiny"};
	menu_list_images(&site, &unknown_efi, "deploy", images, 2, &menu);
	assert_string_equal(keys_of(&menu), "tiny tiny .. ");
	assert_string_equal(menu.default_key, "..");
	assert_string_equal(menu.image_for, "deploy");
	assert_string_equal(menu.entries[1].hotkey, "2");
	assert_int_equal(menu.timeout_seconds, 7);
	assert_string_equal(menu.message, "");
	/* a new one has a key of its own, and takes none of the others' */
	images[0] = (struct menu_image){MENU_NEW, "A new image"};
	menu_list_images(&site, &unknown_efi, "capture", images, 2, &menu);
	assert_string_equal(keys_of(&menu), ".new tiny .. ");
	assert_string_equal(menu.entries[0].hotkey, "n");
	assert_string_equal(menu.entries[1].hotkey, "1");
	menu_list_images(&site, &unknown_efi, "deploy", images, MENU_ENTRIES_MAX, &menu);
	assert_int_equal(menu.entry_count, MENU_ENTRIES_MAX);
	assert_non_null(strstr(menu.message, "more images"));
}

static void a_menu_too_long_says_so(void **state)
{
	static struct site_menu_item many[MENU_ENTRIES_MAX + 1];
	const struct site crowd = {.menu = many, .menu_count = MENU_ENTRIES_MAX + 1};
	const struct boot_verdict verdict = {BOOT_MENU, "", "", 1};
	struct menu menu = menu_start(&crowd, &unknown_efi);

	(void)state;
	for (size_t i = 0; i < crowd.menu_count; i++)
		many[i] = (struct site_menu_item){ITEM("x", "X", "local"), NOTHING};
	assert_int_equal(menu_from_verdict(&crowd, &verdict, &unknown_efi, &menu), ERR_OK);
	assert_int_equal(menu.entry_count, MENU_ENTRIES_MAX - 1);
	assert_non_null(strstr(menu.message, "too long"));
}

static void arguments_lead_an_installer_to_its_answers(void **state)
{
	char buffer[128];
	struct menu menu = {.base_url = "http://m:8080", .ticket = "00ff"};
	static const char *const pairs[][2] = {
		{"", ""},
		{"quiet", "quiet"},
		{"url=%answers%", "url=http://m:8080/answers/00ff"},
		{"a=%answers% b=%answers%",
		 "a=http://m:8080/answers/00ff b=http://m:8080/answers/00ff"},
		{"%answers %%answers% 100%", "%answers %http://m:8080/answers/00ff 100%"},
	};
	struct text out;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		out = text_into(buffer, sizeof(buffer));
		menu_expand(&menu, pairs[i][0], &out);
		assert_false(out.failed);
		assert_string_equal(buffer, pairs[i][1]);
	}
	out = text_into(buffer, 12); /* what does not fit is known to have failed */
	menu_expand(&menu, "url=%answers%", &out);
	assert_true(out.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_what_this_machine_may_see),
		cmocka_unit_test(a_site_without_a_menu_boots_the_disk),
		cmocka_unit_test(a_hidden_entry_cannot_be_chosen),
		cmocka_unit_test(verdicts_become_menus),
		cmocka_unit_test(the_first_item_has_a_shared_hotkey),
		cmocka_unit_test(each_condition_shows_and_hides),
		cmocka_unit_test(a_sub_menu_is_entered_and_left),
		cmocka_unit_test(what_a_hidden_sub_menu_holds_is_refused),
		cmocka_unit_test(a_word_is_typed_before_it_happens),
		cmocka_unit_test(a_loader_that_cannot_ask_gets_the_whole_tree),
		cmocka_unit_test(a_default_that_is_gone_is_the_disk),
		cmocka_unit_test(the_most_special_default_holds),
		cmocka_unit_test(an_image_is_chosen_before_the_word),
		cmocka_unit_test(images_are_a_menu_with_a_way_back),
		cmocka_unit_test(a_menu_too_long_says_so),
		cmocka_unit_test(arguments_lead_an_installer_to_its_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
