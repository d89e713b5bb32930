/* The file, read by libconfuse. All keys are texts to it: file and flags share one judge. */
#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "io/conf_internal.h"

/* libconfuse's call-backs carry no data of ours; one file is read at a time. */
static struct conf_reading *current;

static void say(const cfg_t *cfg, const char *message)
{
	(void)fprintf(stderr, "%s: %s:%d: %s\n", current->conf->program, current->file,
		      cfg->line, message);
}

static void say_unknown(const cfg_t *cfg, const char *name, size_t length)
{
	const char *nearest = conf_nearest(current->conf, name, length);
	char message[CONF_MESSAGE_SIZE];

	if (nearest)
		(void)snprintf(message, sizeof(message),
			       "unknown key \"%.*s\": did you mean \"%s\"?", (int)length, name,
			       nearest);
	else
		(void)snprintf(message, sizeof(message),
			       "unknown key \"%.*s\": %s --help lists the keys", (int)length,
			       name, current->conf->program);
	say(cfg, message);
}

static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
	static const char unknown[] = "no such option '";
	char message[CONF_MESSAGE_SIZE];

	(void)vsnprintf(message, sizeof(message), format, arguments);
	if (strncmp(message, unknown, sizeof(unknown) - 1) == 0) {
		const char *name = message + sizeof(unknown) - 1;

		say_unknown(cfg, name, strcspn(name, "'"));
		return;
	}
	say(cfg, message);
}

/* Called behind each `key = value`, while cfg->line is its line. */
static int on_value(cfg_t *cfg, cfg_opt_t *option)
{
	int position = conf_find(current->conf, option->name, strlen(option->name));
	const char *text = cfg_opt_getnstr(option, 0);
	char message[CONF_MESSAGE_SIZE];

	if (position < 0 || !text)
		return 0;
	if (conf_check(&current->conf->keys[position], text, message) != ERR_OK) {
		say(cfg, message);
		return -1;
	}
	if (conf_keep(current, position, text, CONF_FROM_FILE, (unsigned)cfg->line) != ERR_OK) {
		say(cfg, "out of memory");
		return -1;
	}
	return 0;
}

/*
 * Copies the file with each "${" inside double quotes escaped: libconfuse would put an
 * environment variable there, and ours (iPXE's ${next-server}) would silently vanish.
 */
static void copy_without_expansion(FILE *from, FILE *to)
{
	char quote = '\0'; /* the one we are in */
	int c;

	while ((c = getc(from)) != EOF) {
		if (quote == '"' && c == '\\') {
			(void)putc(c, to);
			c = getc(from);
		} else if (quote == '"' && c == '$') {
			(void)putc('\\', to);
		} else if (quote == '\0' && c == '#') {
			quote = '#';
		} else if (quote == '#' ? c == '\n' : c == quote) {
			quote = '\0';
		} else if (quote == '\0' && (c == '"' || c == '\'')) {
			quote = (char)c;
		}
		if (c != EOF)
			(void)putc(c, to);
	}
}

/* libconfuse's verdict on the file; CFG_FILE_ERROR with errno when it cannot be read. */
static int parse_file(cfg_t *cfg)
{
	FILE *file = fopen(current->file, "re");
	char *text = NULL;
	size_t length = 0;
	FILE *copy = file ? open_memstream(&text, &length) : NULL;
	int result = CFG_FILE_ERROR;

	if (copy) {
		copy_without_expansion(file, copy);
		if (fclose(copy) == 0 && !ferror(file))
			result = cfg_parse_buf(cfg, text);
		free(text);
	}
	if (file)
		(void)fclose(file);
	return result;
}

static bool parse(cfg_t *cfg, int *ret_exit)
{
	const struct conf *conf = current->conf;

	(void)cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < conf->key_count; i++)
		(void)cfg_set_validate_func(cfg, conf->keys[i].name, on_value);
	errno = 0;
	switch (parse_file(cfg)) {
	case CFG_SUCCESS:
		return true;
	case CFG_FILE_ERROR:
		if (errno == ENOENT && !current->is_file_named)
			return true;
		(void)fprintf(stderr,
			      "%s: cannot read %s: %s: name another file with --config FILE\n",
			      conf->program, current->file, strerror(errno));
		*ret_exit = EX_NOINPUT;
		return false;
	default:
		*ret_exit = EX_CONFIG;
		return false;
	}
}

bool conf_read_file(struct conf_reading *reading, int *ret_exit)
{
	cfg_opt_t options[CONF_KEYS_MAX + 1];
	size_t count = reading->conf->key_count;
	bool is_good;
	cfg_t *cfg;

	for (size_t i = 0; i < count; i++)
		options[i] = (cfg_opt_t)CFG_STR(reading->conf->keys[i].name, NULL, CFGF_NONE);
	options[count] = (cfg_opt_t)CFG_END();
	current = reading;
	cfg = cfg_init(options, CFGF_NONE);
	if (!cfg) {
		(void)fprintf(stderr, "%s: out of memory\n", reading->conf->program);
		*ret_exit = EX_OSERR;
		return false;
	}
	is_good = parse(cfg, ret_exit);
	(void)cfg_free(cfg);
	current = NULL;
	return is_good;
}
