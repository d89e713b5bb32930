/* Configurations for PXELINUX and U-Boot, held against the whole text. */
#include "unit.h"

#include "core/pxelinux.h"

static const struct site_profile linux_profile = {
	.kind = PROFILE_LINUX, .kernel = "fos/bzImage", .initrd = "", .arguments = "quiet"};

static struct menu job(void)
{
	return (struct menu){
		.kind = MENU_LINUX,
		.base_url = "http://10.77.0.3:8080",
		.query = "",
		.mac = "52-54-00-00-00-01",
		.host = "lab-01",
		.message = "job 7: deploy on lab-01",
		.kernel = "fos/bzImage",
		.initrd = "fos/init.xz",
		.arguments = "quiet",
		.ticket = "0011",
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
	menu.entries[0] = (struct menu_entry){"local", "The ^disk", "l", "local", NULL, "", 0};
	menu.entries[1] =
		(struct menu_entry){"quick", "Register", "q", "register_quick", NULL, "", 0};
	menu.entries[2] =
		(struct menu_entry){"rescue", "Rescue", "", "profile", &linux_profile, "", 0};
	menu.entry_count = 3;
	menu.default_key = "local";
	menu.timeout_seconds = 10;
	return menu;
}

static void expect(const struct menu *menu, const char *expected)
{
	char buffer[4096];
	struct text out = text_into(buffer, sizeof(buffer));

	assert_int_equal(pxelinux_render(menu, &out), ERR_OK);
	assert_string_equal(buffer, expected);
}

static void a_job_is_kernel_initrd_and_ticket(void **state)
{
	struct menu menu = job();

	(void)state;
	expect(&menu, "# made by rouse for this machine\n"
		      "SAY rouse: job 7: deploy on lab-01\n"
		      "DEFAULT rouse\nPROMPT 0\nLABEL rouse\n"
		      "LINUX /fos/bzImage\nINITRD /fos/init.xz\n"
		      "APPEND rouse_url=http://10.77.0.3:8080 rouse_ticket=0011"
		      " BOOTIF=01-52-54-00-00-00-01 quiet\n");
}

static void a_menu_holds_what_the_loader_can_do(void **state)
{
	struct menu menu = entries();

	(void)state;
	expect(&menu, "# made by rouse for this machine\n"
		      "DEFAULT local\nPROMPT 1\nTIMEOUT 100\nMENU TITLE rouse: lab-01\n"
		      "SAY local: The  disk\n"
		      "LABEL local\nMENU LABEL The  disk\nMENU DEFAULT\nLOCALBOOT 0\n"
		      "SAY rescue: Rescue\n"
		      "LABEL rescue\nMENU LABEL Rescue\nLINUX /fos/bzImage\nAPPEND quiet\n");
}

static void a_sub_menu_begins_and_ends(void **state)
{
	struct menu menu = entries();

	(void)state;
	menu.entries[1] = (struct menu_entry){"tools", "Tools", "t", "menu", NULL, "", 0};
	menu.entries[2].depth = 1;
	menu.entries[3] = (struct menu_entry){"disk", "The disk", "", "local", NULL, "", 0};
	menu.entry_count = 4;
	menu.hidden_key = "esc";
	expect(&menu, "# made by rouse for this machine\n"
		      "DEFAULT local\nPROMPT 1\nTIMEOUT 100\nMENU HIDDEN\n"
		      "MENU TITLE rouse: lab-01\n"
		      "LABEL local\nMENU LABEL The  disk\nMENU DEFAULT\nLOCALBOOT 0\n"
		      "MENU BEGIN tools\nMENU TITLE Tools\n"
		      "LABEL rescue\nMENU LABEL Rescue\nLINUX /fos/bzImage\nAPPEND quiet\n"
		      "MENU END\n"
		      "LABEL disk\nMENU LABEL The disk\nLOCALBOOT 0\n");
}

/* U-Boot gives up a whole file for a keyword without words. */
static void no_keyword_stands_alone(void **state)
{
	struct site_profile profile = linux_profile;
	struct menu menu = entries();

	(void)state;
	profile.arguments = " ";
	menu.entries[0] = (struct menu_entry){"bare", "^", "", "profile", &profile, "", 0};
	menu.entry_count = 1;
	menu.default_key = "bare";
	menu.host = " ";
	expect(&menu, "# made by rouse for this machine\n"
		      "DEFAULT bare\nPROMPT 1\nTIMEOUT 100\nMENU TITLE rouse: -\n"
		      "SAY bare: -\nLABEL bare\nMENU LABEL -\nMENU DEFAULT\n"
		      "LINUX /fos/bzImage\n");
}

static void waiting_is_the_local_disk(void **state)
{
	struct menu menu = job();

	(void)state;
	menu.kind = MENU_WAIT;
	menu.message = "away";
	expect(&menu, "# made by rouse for this machine\nSAY rouse: away\n"
		      "DEFAULT local\nPROMPT 0\nLABEL local\nLOCALBOOT 0\n");
}

static void too_long_is_told_and_never_cut(void **state)
{
	struct menu menu = entries();

	(void)state;
	for (size_t size = 1; size < 200; size++) {
		char buffer[200];
		struct text out = text_into(buffer, size);

		assert_int_equal(pxelinux_render(&menu, &out), ERR_SPACE);
	}
}

static void over_http_files_have_urls(void **state)
{
	struct menu menu = job();

	(void)state;
	menu.is_http = true;
	menu.message = "";
	menu.initrd = "fos/in\nit";
	expect(&menu, "# made by rouse for this machine\n"
		      "DEFAULT rouse\nPROMPT 0\nLABEL rouse\n"
		      "LINUX http://10.77.0.3:8080/files/fos/bzImage?as=kernel"
		      "&mac=52-54-00-00-00-01\n"
		      "INITRD http://10.77.0.3:8080/files/fos/in%0Ait?as=initrd"
		      "&mac=52-54-00-00-00-01\n"
		      "APPEND rouse_url=http://10.77.0.3:8080 rouse_ticket=0011"
		      " BOOTIF=01-52-54-00-00-00-01 quiet\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_kernel_initrd_and_ticket),
		cmocka_unit_test(a_menu_holds_what_the_loader_can_do),
		cmocka_unit_test(a_sub_menu_begins_and_ends),
		cmocka_unit_test(no_keyword_stands_alone),
		cmocka_unit_test(waiting_is_the_local_disk),
		cmocka_unit_test(too_long_is_told_and_never_cut),
		cmocka_unit_test(over_http_files_have_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
