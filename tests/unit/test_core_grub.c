/*
 * Configurations for GRUB, held against the whole text, and against a hostile site by a model
 * of GRUB's own reader: whatever stands in titles, messages and arguments, the commands stay
 * the same.
 */
#include "unit.h"

#include "core/grub.h"

#define WORD_SIZE 512
#define ROUNDS 20000

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
	};
}

static struct menu entries(void)
{
	struct menu menu = job();

	menu.kind = MENU_ITEMS;
	menu.message = "";
	menu.entries[0] = (struct menu_entry){
		"local", "Boot from the local disk", "l", "local", NULL, ""};
	menu.entries[1] =
		(struct menu_entry){"quick", "Register", "q", "register_quick", NULL, ""};
	menu.entries[2] = (struct menu_entry){"rescue",	 "It's a rescue", "",
					      "profile", &linux_profile,  ""};
	menu.entries[3] =
		(struct menu_entry){"iso", "An image", "", "profile", &iso_profile, ""};
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

/* ---- the model: GRUB's words and commands (GRUB manual, "Writing full configuration files")
 */

struct model {
	const char *at;
	char commands[4096]; /* the first word of each command, a line each */
	size_t length;
};

/* Reads one word into `word`; false at a separator or the end. Fails on what GRUB would expand.
 */
static bool model_word(struct model *model, char word[WORD_SIZE])
{
	size_t length = 0;
	bool is_word = false;

	while (*model->at == ' ' || *model->at == '\t')
		model->at++;
	while (*model->at && !strchr(" \t\n;{}|&<>", *model->at)) {
		char quote = 0;

		is_word = true;
		assert_true(length < WORD_SIZE - 1);
		if (*model->at == '\'' || *model->at == '"')
			quote = *model->at++;
		else if (*model->at == '\\')
			word[length++] = *++model->at;
		else
			word[length++] = *model->at;
		if (!quote) {
			assert_true(*model->at != '$' || model->at[-1] == '\\');
			model->at++;
			continue;
		}
		while (*model->at && *model->at != quote) {
			if (quote == '\'' || *model->at != '$')
				word[length++] = *model->at;
			model->at++;
		}
		assert_int_equal(*model->at, quote);
		model->at++;
	}
	word[length] = '\0';
	return is_word;
}

/* Notes every command of the text by its first word. */
static void model_read(struct model *model, const char *text)
{
	char word[WORD_SIZE];

	*model = (struct model){.at = text};
	while (*model->at) {
		bool is_first = true;

		if (*model->at == '#')
			model->at += strcspn(model->at, "\n");
		while (model_word(model, word)) {
			size_t length = strlen(word);

			if (is_first) {
				assert_true(model->length + length + 2 <
					    sizeof(model->commands));
				memcpy(model->commands + model->length, word, length);
				model->length += length;
				model->commands[model->length++] = '\n';
			}
			is_first = strcmp(word, "if") == 0 || strcmp(word, "then") == 0;
		}
		if (*model->at)
			model->at++;
	}
}

static void commands_of(const struct menu *menu, struct model *model)
{
	static char buffer[65536];
	struct text out = text_into(buffer, sizeof(buffer));

	assert_int_equal(grub_render(menu, &out), ERR_OK);
	model_read(model, buffer);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static const char *hostile(uint32_t *seed, char *buffer, size_t size)
{
	static const char alphabet[] = "'\"\\$`;|&{}()<>[]#\n\r\t !=~*?\x01\x7f\xc3\xa9"
				       "abexit";
	size_t length = next_random(seed) % (size - 1);

	for (size_t i = 0; i < length; i++)
		buffer[i] = alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
	buffer[length] = '\0';
	return buffer;
}

static void no_text_becomes_a_command(void **state)
{
	struct menu plain_job = job();
	struct menu plain_menu = entries();
	struct model job_commands, menu_commands, seen;
	uint32_t seed = 7;

	(void)state;
	commands_of(&plain_job, &job_commands);
	commands_of(&plain_menu, &menu_commands);
	assert_string_equal(job_commands.commands, "echo\nif\nlinux\nthen\nif\ninitrd\nthen\n"
						   "boot\nfi\nfi\necho\nsleep\nexit\n");
	for (int i = 0; i < ROUNDS; i++) {
		char texts[4][40];
		struct site_profile profile = linux_profile;
		struct menu menu = job();

		menu.message = hostile(&seed, texts[0], sizeof(texts[0]) - 1);
		if (menu.message[0] == '\0')
			menu.message = "-";
		menu.arguments = hostile(&seed, texts[1], sizeof(texts[1]));
		commands_of(&menu, &seen);
		assert_string_equal(seen.commands, job_commands.commands);

		menu = entries();
		menu.entries[0].title = hostile(&seed, texts[2], sizeof(texts[2]));
		profile.arguments = hostile(&seed, texts[3], sizeof(texts[3]));
		menu.entries[2].profile = &profile;
		commands_of(&menu, &seen);
		assert_string_equal(seen.commands, menu_commands.commands);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_kernel_initrd_and_ticket),
		cmocka_unit_test(a_menu_holds_what_grub_can_do),
		cmocka_unit_test(a_wait_comes_to_an_end),
		cmocka_unit_test(too_long_is_told_and_never_cut),
		cmocka_unit_test(no_text_becomes_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
