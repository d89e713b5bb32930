/* Configurations for GRUB, held against the whole text. */
#include "unit.h"

#include "core/grub.h"
#include "core/path.h"

static const struct site_profile linux_profile = {.name = "rescue",
						  .title = "Rescue",
						  .kind = PROFILE_LINUX,
						  .kernel = "fos/bzImage",
						  .initrd = "fos/init.xz",
						  .arguments = "quiet console=ttyS0,115200",
						  .file = "",
						  .url = ""};
static const struct site_profile iso_profile = {.kind = PROFILE_ISO, .file = "a.iso"};

static struct menu job(void)
{
	return (struct menu){
		.kind = MENU_LINUX,
		.base_url = "http://10.77.0.3:8080",
		.query = "grub/grub.cfg",
		.mac = "52-54-00-00-00-01",
		.firmware = FIRMWARE_EFI,
		.host = "lab-01",
		.host_state = HOST_ACTIVE,
		.message = "job 7: deploy on lab-01",
		.kernel = "fos/bzImage",
		.initrd = "fos/init.xz",
		.arguments = "quiet console=ttyS0",
		.ticket = "00112233445566778899aabbccddeeff",
		.file = "",
		.default_key = "",
		.image_for = "",
		.image = "",
		.hidden_key = "",
		.exits = "exit",
	};
}

static struct menu entries(void)
{
	struct menu menu = job();

	menu.kind = MENU_ITEMS;
	menu.message = "";
	menu.entries[0] = (struct menu_entry){
		"local", "Boot from the local disk", "l", "local", NULL, "", 0};
	menu.entries[1] =
		(struct menu_entry){"quick", "Register", "q", "register_quick", NULL, "", 0};
	menu.entries[2] = (struct menu_entry){
		"rescue", "It's a rescue", "", "profile", &linux_profile, "", 0};
	menu.entries[3] =
		(struct menu_entry){"iso", "An image", "", "profile", &iso_profile, "", 0};
	menu.entry_count = 4;
	menu.default_key = "local";
	menu.timeout_seconds = 10;
	return menu;
}

static void expect(const struct menu *menu, const char *expected)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));

	assert_int_equal(grub_render(menu, &out), ERR_OK);
	assert_string_equal(buffer, expected);
}

static void a_job_is_kernel_initrd_and_ticket(void **state)
{
	struct menu menu = job();

	(void)state;
	expect(&menu, "# made by rouse for this machine\n"
		      "echo 'rouse: job 7: deploy on lab-01'\n"
		      "if linux '/fos/bzImage' 'rouse_url=http://10.77.0.3:8080'"
		      " 'rouse_ticket=00112233445566778899aabbccddeeff'"
		      " 'BOOTIF=01-52-54-00-00-00-01' 'quiet' 'console=ttyS0'; then\n"
		      "if initrd '/fos/init.xz'; then\nboot\nfi\nfi\n"
		      "echo 'rouse: this did not start; booting the local disk'\n"
		      "sleep 10\nexit 1\n");
}

static void a_menu_holds_what_grub_can_do(void **state)
{
	struct menu menu = entries();

	(void)state;
	expect(&menu, "# made by rouse for this machine\n"
		      "set timeout=10\nset default='local'\n"
		      "menuentry 'Boot from the local disk' --id 'local' --hotkey 'l' {\n"
		      "exit 1\n}\n"
		      "menuentry 'It'\\''s a rescue' --id 'rescue' {\n"
		      "linux '/fos/bzImage' 'quiet' 'console=ttyS0,115200'\n"
		      "initrd '/fos/init.xz'\n}\n");
}

/* What begins with a dash would be an option of GRUB's, and the entry had no title. */
static void a_title_is_no_option(void **state)
{
	struct menu menu = entries();

	(void)state;
	menu.entries[0].title = "--unrestricted";
	menu.entry_count = 1;
	expect(&menu, "# made by rouse for this machine\n"
		      "set timeout=10\nset default='local'\n"
		      "menuentry ' --unrestricted' --id 'local' --hotkey 'l' {\n"
		      "exit 1\n}\n");
}

static void a_sub_menu_is_a_block(void **state)
{
	struct menu menu = entries();

	(void)state;
	menu.entries[1] = (struct menu_entry){"tools", "Tools", "t", "menu", NULL, "", 0};
	menu.entries[2].depth = 1;
	menu.entries[3] = (struct menu_entry){"more", "More", "", "menu", NULL, "", 1};
	menu.entries[4] = (struct menu_entry){"disk", "The disk", "", "local", NULL, "", 2};
	menu.entry_count = 5;
	menu.timeout_seconds = 3;
	menu.hidden_key = "m";
	menu.exits = "sanboot refind/refind_x64.efi exit";
	expect(&menu, "# made by rouse for this machine\n"
		      "set timeout_style=hidden\nset timeout=3\nset default='local'\n"
		      "menuentry 'Boot from the local disk' --id 'local' --hotkey 'l' {\n"
		      "if chainloader '/refind/refind_x64.efi'; then\nboot\nfi\nexit 1\n}\n"
		      "submenu 'Tools' --id 'tools' --hotkey 't' {\n"
		      "menuentry 'It'\\''s a rescue' --id 'rescue' {\n"
		      "linux '/fos/bzImage' 'quiet' 'console=ttyS0,115200'\n"
		      "initrd '/fos/init.xz'\n}\n"
		      "submenu 'More' --id 'more' {\n"
		      "menuentry 'The disk' --id 'disk' {\n"
		      "if chainloader '/refind/refind_x64.efi'; then\nboot\nfi\nexit 1\n}\n"
		      "}\n}\n");
}

static void a_wait_comes_to_an_end(void **state)
{
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_WAIT;
	menu.message = "";
	menu.wait_seconds = 5;
	expect(&menu, "# made by rouse for this machine\n"
		      "if [ \"$rouse_tries\" = xxxxxxxxxxx ]; then\nexit 1\nfi\n"
		      "set rouse_tries=\"x$rouse_tries\"\nexport rouse_tries\n"
		      "sleep 5\nconfigfile '/grub/grub.cfg'\nexit 1\n");
}

static void too_long_is_told_and_never_cut(void **state)
{
	struct menu menu = entries();

	(void)state;
	for (size_t size = 1; size < 250; size++) {
		char buffer[250];
		struct text out = text_into(buffer, size);

		assert_int_equal(grub_render(&menu, &out), ERR_SPACE);
	}
}

static void over_http_files_have_urls(void **state)
{
	struct menu menu = job();

	(void)state;
	menu.is_http = true;
	menu.kernel = "fos/b'z I&mage";
	menu.query = "boot/grub.cfg?mac0=52%3A54%3A00%3A00%3A00%3A01";
	expect(&menu, "# made by rouse for this machine\n"
		      "echo 'rouse: job 7: deploy on lab-01'\n"
		      "if linux '/files/fos/b%27z%20I%26mage?as=kernel&mac=52-54-00-00-00-01'"
		      " 'rouse_url=http://10.77.0.3:8080'"
		      " 'rouse_ticket=00112233445566778899aabbccddeeff'"
		      " 'BOOTIF=01-52-54-00-00-00-01' 'quiet' 'console=ttyS0'; then\n"
		      "if initrd '/files/fos/init.xz?as=initrd&mac=52-54-00-00-00-01'; then\n"
		      "boot\nfi\nfi\n"
		      "echo 'rouse: this did not start; booting the local disk'\n"
		      "sleep 10\nexit 1\n");
	menu.kind = MENU_EFI;
	menu.message = menu.arguments = "";
	menu.file = "memtest.efi";
	menu.mac = "";
	expect(&menu, "# made by rouse for this machine\n"
		      "if chainloader '/files/memtest.efi'; then\nboot\nfi\n"
		      "echo 'rouse: this did not start; booting the local disk'\n"
		      "sleep 10\nexit 1\n");
}

/* The longest path that path_clean() lets through, each octet of it as three. */
static void the_longest_path_fits(void **state)
{
	struct menu menu = job();
	char path[PATH_SIZE];
	char buffer[8192];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	memset(path, ' ', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	menu.is_http = true;
	menu.kernel = menu.initrd = path;
	assert_int_equal(grub_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer, "%20?as=initrd&mac=52-54-00-00-00-01'; then"));
}

static void grub_is_asked_which_machine_it_runs_on(void **state)
{
	char buffer[512];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	assert_int_equal(grub_render_ask("boot/grub.cfg", &out), ERR_OK);
	assert_string_equal(
		buffer, "# made by rouse: which machine is this?\n"
			"if [ -z \"$net_default_mac\" ]; then\n"
			"echo 'rouse: GRUB knows no network card; booting the local disk'\n"
			"sleep 10\nexit 1\nfi\n"
			"configfile '/boot/grub.cfg'"
			"\"?mac0=$net_default_mac&arch=$grub_cpu&platform=$grub_platform\"\n"
			"exit 1\n");
	out = text_into(buffer, 64);
	assert_int_equal(grub_render_ask("boot/grub.cfg", &out), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_kernel_initrd_and_ticket),
		cmocka_unit_test(a_menu_holds_what_grub_can_do),
		cmocka_unit_test(a_title_is_no_option),
		cmocka_unit_test(a_sub_menu_is_a_block),
		cmocka_unit_test(a_wait_comes_to_an_end),
		cmocka_unit_test(too_long_is_told_and_never_cut),
		cmocka_unit_test(over_http_files_have_urls),
		cmocka_unit_test(the_longest_path_fits),
		cmocka_unit_test(grub_is_asked_which_machine_it_runs_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
