/* Scripts for iPXE, held against the whole text and against a hostile site. */
#include "unit.h"

#include "core/ipxe.h"

static struct menu job(void)
{
	return (struct menu){
		.kind = MENU_LINUX,
		.base_url = "http://10.77.0.1:8080",
		.query = "mac0=52%3A54%3A00%3A00%3A00%3A01",
		.mac = "52-54-00-00-00-01",
		.firmware = FIRMWARE_EFI,
		.host = "lab-01",
		.host_state = HOST_ACTIVE,
		.manufacturer = "QEMU",
		.product = "Standard PC ${x}",
		.serial = "|| shell",
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

static void a_job_is_kernel_initrd_and_ticket(void **state)
{
	static const char expected[] =
		"#!ipxe\n"
		"echo rouse: job 7: deploy on lab-01\n"
		"kernel http://10.77.0.1:8080/files/fos/bzImage?as=kernel&mac=52-54-00-00-00-01"
		" initrd=init.xz rouse_url=http://10.77.0.1:8080"
		" rouse_ticket=00112233445566778899aabbccddeeff BOOTIF=01-52-54-00-00-00-01"
		" quiet console=ttyS0 || goto failed\n"
		"initrd --name init.xz"
		" http://10.77.0.1:8080/files/fos/init.xz?as=initrd&mac=52-54-00-00-00-01"
		" || goto failed\n"
		"boot || goto failed\n"
		":failed\n"
		"set code ${errno:hexraw}\n"
		"echo rouse: this did not start: error ${errno}\n"
		"imgfree ||\n"
		"sleep 5\n"
		"chain --replace --autofree http://10.77.0.1:8080/boot?"
		"mac0=52%3A54%3A00%3A00%3A00%3A01&try=1&errno=${code} || goto local\n"
		":local\n"
		"exit\n";
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_string_equal(buffer, expected);
}

static void a_bios_is_given_its_first_disk(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_LOCAL;
	menu.exits = "sanboot exit";
	menu.message = "";
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_string_equal(buffer, "#!ipxe\nsanboot --no-describe --drive 0x80 ||\nexit\n");
}

static void a_menu_has_its_entries_default_and_timeout(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_ITEMS;
	menu.message = "";
	menu.entries[0] = (struct menu_entry){
		.key = "local", .title = "Boot from the local disk", .hotkey = ""};
	menu.entries[1] = (struct menu_entry){
		.key = "quick", .title = "Register || shell\nshell", .hotkey = "q"};
	menu.entry_count = 2;
	menu.default_key = "local";
	menu.timeout_seconds = 10;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer,
			       "menu rouse: lab-01 (active)\n"
			       "item local Boot from the local disk\n"
			       "item --key q quick Register '|| shell shell\n"
			       "choose --default local --timeout 10000 item || goto local\n"));
	assert_non_null(strstr(buffer, "&try=0&item=${item} || goto failed\n"));
}

/* The default straight on, unless its key is pressed in time; a loader of the site's first. */
static void a_hidden_menu_waits_for_its_key(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_ITEMS;
	menu.message = "";
	menu.entries[0] =
		(struct menu_entry){.key = "local", .title = "The disk", .hotkey = ""};
	menu.entry_count = 1;
	menu.default_key = "local";
	menu.timeout_seconds = 3;
	menu.hidden_key = "esc";
	menu.exits = "refind/refind_x64.efi sanboot exit";
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer,
			       "#!ipxe\nprompt --key 0x1b --timeout 3000 rouse: press esc "
			       "within 3 s for the menu || goto unseen\nmenu "));
	assert_non_null(strstr(buffer,
			       "choose --default local --timeout 3000 item || goto local\n"
			       "goto chosen\n:unseen\nset item local\n:chosen\nchain "));
	assert_non_null(strstr(buffer,
			       ":local\nchain --autofree http://10.77.0.1:8080/files/refind/"
			       "refind_x64.efi?as=kernel&mac=52-54-00-00-00-01 ||\n"
			       "sanboot --no-describe --drive 0x80 ||\nexit\n"));
	out = text_into(buffer, sizeof(buffer));
	menu.hidden_key = "any";
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(
		strstr(buffer, "#!ipxe\nprompt --timeout 3000 rouse: press a key within"));
	out = text_into(buffer, sizeof(buffer));
	menu.hidden_key = "m";
	menu.timeout_seconds = 0; /* no menu at all */
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer, "#!ipxe\ngoto unseen\n"));
}

static void a_word_is_read_and_compared_before_it_is_sent(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_CONFIRM;
	menu.message = "";
	menu.entries[0] = (struct menu_entry){
		.key = "wipe", .title = "Wipe && shell ${x}\nshell", .confirm = "wipe"};
	menu.entry_count = 1;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	/* what is typed is compared in hexadecimal: a "||" would be a command of its own */
	assert_non_null(strstr(buffer, "echo rouse: Wipe '&& shell $ {x} shell\n"
				       "echo rouse: type wipe and press Enter;"));
	assert_non_null(strstr(buffer, "set typed\nread typed ||\n"
				       "iseq ${typed:hexraw} 77697065 || goto back\n"
				       "chain --replace --autofree "));
	assert_non_null(strstr(buffer, "&try=0&item=wipe&confirm=wipe || goto failed\n"
				       ":back\n"));
	assert_non_null(strstr(buffer, "&try=0&item=.. || goto failed\n:failed\n"));
}

static void a_name_is_read_and_sent_escaped(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_NAME;
	menu.message = "";
	menu.entries[0] = (struct menu_entry){.key = "capture", .title = "Capture && shell"};
	menu.entry_count = 1;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer, "echo rouse: Capture '&& shell\n"));
	assert_non_null(strstr(buffer, "clear typed\nread typed ||\n"
				       "isset ${typed:hexraw} || goto back\n"
				       "chain --replace --autofree "));
	assert_non_null(strstr(buffer,
			       "&try=0&item=capture&image=${typed:uristring} || goto failed\n"
			       ":back\n"));
}

static void tools_lead_back_to_the_menu(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	menu.message = "";
	menu.kind = MENU_SHELL;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer, "\nshell ||\n:back\nchain "));
	out = text_into(buffer, sizeof(buffer));
	menu.kind = MENU_IDENTIFY;
	menu.host = "lab-01\nshell";
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_non_null(strstr(buffer, "echo host: lab-01 shell (active)\n"));
	/* the firmware's words, which are a stranger's */
	assert_non_null(strstr(buffer, "echo model: QEMU Standard PC $ {x}\n"
				       "echo serial number: '|| shell\n"));
	assert_non_null(strstr(buffer, "read typed ||\n:back\nchain "));
	out = text_into(buffer, sizeof(buffer));
	menu.kind = MENU_REBOOT;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	assert_string_equal(buffer, "#!ipxe\nreboot\n");
}

/* Every way out of the login has forgotten the password. */
static void a_login_keeps_no_password(void **state)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();
	const char *chain, *clear;

	(void)state;
	menu.message = "";
	menu.kind = MENU_LOGIN;
	assert_int_equal(ipxe_render(&menu, &out), ERR_OK);
	chain = strstr(buffer, "login || goto back\n"
			       "chain --autofree http://${username:uristring}:"
			       "${password:uristring}@10.77.0.1:8080/login/ipxe ||\n");
	assert_non_null(chain);
	clear = strstr(chain, " ||\nclear password\n");
	assert_non_null(clear);
	assert_null(strstr(clear, "${password"));
	assert_non_null(
		strstr(clear, "&session=${session:uristring}&item=.. || goto failed\n"));
}

static void the_first_script_asks_each_menud(void **state)
{
	static const char *const urls[] = {"http://${next-server}:8080", "http://10.0.0.9"};
	struct ipxe_first first = {urls, 2, NULL};
	char buffer[8192];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	assert_int_equal(ipxe_render_first(&first, &out), ERR_OK);
	assert_int_equal(strncmp(buffer, "#!ipxe\n", 7), 0);
	assert_non_null(strstr(buffer, "set menud http://${next-server}:8080\n"));
	assert_non_null(strstr(buffer, "set menud http://10.0.0.9\n"));
	assert_non_null(strstr(buffer, "iseq ${tries} 12 && goto local ||\n"));
	first.message = "host lab-01 is disabled";
	out = text_into(buffer, sizeof(buffer));
	assert_int_equal(ipxe_render_first(&first, &out), ERR_OK);
	assert_non_null(strstr(buffer, "echo rouse: host lab-01 is disabled\n"));
	assert_null(strstr(buffer, "chain"));
	first = (struct ipxe_first){NULL, 0, NULL};
	assert_int_equal(ipxe_render_first(&first, &out), ERR_RANGE);
}

static void too_long_is_told_and_never_cut(void **state)
{
	char buffer[64];
	struct text out = text_into(buffer, sizeof(buffer));
	struct menu menu = job();

	(void)state;
	assert_int_equal(ipxe_render(&menu, &out), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_kernel_initrd_and_ticket),
		cmocka_unit_test(a_bios_is_given_its_first_disk),
		cmocka_unit_test(a_menu_has_its_entries_default_and_timeout),
		cmocka_unit_test(a_hidden_menu_waits_for_its_key),
		cmocka_unit_test(a_word_is_read_and_compared_before_it_is_sent),
		cmocka_unit_test(a_name_is_read_and_sent_escaped),
		cmocka_unit_test(tools_lead_back_to_the_menu),
		cmocka_unit_test(a_login_keeps_no_password),
		cmocka_unit_test(the_first_script_asks_each_menud),
		cmocka_unit_test(too_long_is_told_and_never_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
