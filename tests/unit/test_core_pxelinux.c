/*
 * Configurations for PXELINUX and U-Boot, held against the whole text, and against a hostile
 * site by a model of their reader: lines, each a keyword and a rest.
 */
#include "unit.h"

#include <stdbool.h>

#include "core/pxelinux.h"

#define ROUNDS 20000

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
	};
}

static struct menu entries(void)
{
	struct menu menu = job();

	menu.kind = MENU_ITEMS;
	menu.message = "";
	menu.entries[0] = (struct menu_entry){"local", "The ^disk", "l", "local", NULL, ""};
	menu.entries[1] =
		(struct menu_entry){"quick", "Register", "q", "register_quick", NULL, ""};
	menu.entries[2] =
		(struct menu_entry){"rescue", "Rescue", "", "profile", &linux_profile, ""};
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

/* ---- the model: the keyword of each line, a line each */

static void keywords_of(const struct menu *menu, char keywords[2048])
{
	char buffer[8192];
	struct text out = text_into(buffer, sizeof(buffer));
	size_t length = 0;

	assert_int_equal(pxelinux_render(menu, &out), ERR_OK);
	for (const char *line = buffer; *line;) {
		size_t end = strcspn(line, "\n\r\v\f");
		size_t word = strcspn(line, " \t\n\r");

		for (size_t i = 0; i < end; i++)
			assert_true((uint8_t)line[i] >= ' ');
		memcpy(keywords + length, line, word);
		length += word;
		keywords[length++] = '\n';
		line += end + (line[end] != '\0');
	}
	keywords[length] = '\0';
}

static const char *hostile(uint32_t *seed, char *buffer, size_t size)
{
	static const char alphabet[] = "\n\r\t\v\f ^#\x01\x7f\xff"
				       "LABEL";

	for (size_t i = 0; i < size - 1; i++) {
		*seed = *seed * 1664525 + 1013904223;
		buffer[i] = alphabet[(*seed >> 8) % (sizeof(alphabet) - 1)];
	}
	buffer[size - 1] = '\0';
	return buffer;
}

static void no_text_begins_a_line(void **state)
{
	struct menu plain_job = job();
	struct menu plain_menu = entries();
	char job_keywords[2048], menu_keywords[2048], seen[2048];
	uint32_t seed = 7;

	(void)state;
	keywords_of(&plain_job, job_keywords);
	keywords_of(&plain_menu, menu_keywords);
	for (int i = 0; i < ROUNDS; i++) {
		char texts[4][24];
		struct site_profile profile = linux_profile;
		struct menu menu = job();

		menu.message = hostile(&seed, texts[0], sizeof(texts[0]));
		menu.arguments = hostile(&seed, texts[1], sizeof(texts[1]));
		keywords_of(&menu, seen);
		assert_string_equal(seen, job_keywords);

		menu = entries();
		menu.entries[2].title = hostile(&seed, texts[2], sizeof(texts[2]));
		profile.arguments = hostile(&seed, texts[3], sizeof(texts[3]));
		menu.entries[2].profile = &profile;
		keywords_of(&menu, seen);
		assert_string_equal(seen, menu_keywords);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_kernel_initrd_and_ticket),
		cmocka_unit_test(a_menu_holds_what_the_loader_can_do),
		cmocka_unit_test(waiting_is_the_local_disk),
		cmocka_unit_test(too_long_is_told_and_never_cut),
		cmocka_unit_test(no_text_begins_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
