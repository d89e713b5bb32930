/* What --help and --print-config write: both from the table of keys. */
#include <stdio.h>

#include "io/conf_internal.h"

#define SHOWN_SIZE 4096

/* `lease_file` is `--lease-file` on the command line. */
static void print_flag(const struct conf_key *key)
{
	int width = key->type == CONF_TRUTH ? 0 : 6;

	(void)printf("  --");
	for (const char *c = key->name; *c; c++, width++)
		(void)putchar(*c == '_' ? '-' : *c);
	(void)printf("%s%*s", key->type == CONF_TRUTH ? "" : " VALUE",
		     width < 26 ? 26 - width : 1, "");
}

void conf_print_help(const struct conf *conf)
{
	(void)printf("%s - %s\n\nusage: %s [FLAG...]\n\n", conf->program, conf->summary,
		     conf->program);
	for (size_t i = 0; i < conf->key_count; i++) {
		const struct conf_key *key = &conf->keys[i];

		print_flag(key);
		(void)printf("%s [%s]\n", key->help, key->fallback);
	}
	(void)printf("\n"
		     "  --config FILE               read FILE [%s]\n"
		     "  --check-config              say whether flags and file are valid\n"
		     "  --print-config              show every value and where it comes from\n"
		     "  --foreground                accepted; it is the only way\n"
		     "  --version, --help\n\n"
		     "Each flag is also a key of the file: key = \"value\", with _ for -.\n",
		     conf->file);
}

/* The line is a line of a configuration file, its origin a comment. */
void conf_print(const struct conf_reading *reading)
{
	static const char *const words[] = {
		[CONF_FROM_DEFAULT] = "default",
		[CONF_FROM_CREDENTIAL] = "credential",
		[CONF_FROM_FLAG] = "flag",
	};

	for (size_t i = 0; i < reading->conf->key_count; i++) {
		const struct conf_key *key = &reading->conf->keys[i];
		const struct conf_value *value = &reading->values[i];
		char shown[SHOWN_SIZE];
		struct text out = text_into(shown, sizeof(shown));

		conf_put_masked(&out, value->text ? value->text : key->fallback);
		(void)printf("%s = ", key->name);
		if (!conf_is_text(key)) {
			(void)printf("%s", shown);
		} else {
			(void)putchar('"');
			for (const char *c = shown; *c; c++)
				(void)printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
			(void)putchar('"');
		}
		if (value->origin == CONF_FROM_FILE)
			(void)printf("  # file %s:%u\n", reading->file, value->line);
		else
			(void)printf("  # %s\n", words[value->origin]);
	}
}
