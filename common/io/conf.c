/* The flags, and the order of things: flag before credential before file before default. */
#include "io/conf.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "io/conf_internal.h"

#define FLAG_NAME_SIZE 48

/* getopt_long() gives one of these, or FLAG_KEYS + the key's position. */
enum {
	FLAG_CONFIG = 256,
	FLAG_CHECK,
	FLAG_PRINT,
	FLAG_FOREGROUND,
	FLAG_VERSION,
	FLAG_HELP,
	FLAG_KEYS,
};

static const struct option common_flags[] = {
	{"config", required_argument, NULL, FLAG_CONFIG},
	{"check-config", no_argument, NULL, FLAG_CHECK},
	{"print-config", no_argument, NULL, FLAG_PRINT},
	{"foreground", no_argument, NULL, FLAG_FOREGROUND},
	{"version", no_argument, NULL, FLAG_VERSION},
	{"help", no_argument, NULL, FLAG_HELP},
};
#define COMMON_FLAGS (sizeof(common_flags) / sizeof(common_flags[0]))

struct flags {
	struct option options[COMMON_FLAGS + CONF_KEYS_MAX + 1];
	char names[CONF_KEYS_MAX][FLAG_NAME_SIZE];
};

static void make_flags(const struct conf *conf, struct flags *flags)
{
	memset(flags, 0, sizeof(*flags));
	memcpy(flags->options, common_flags, sizeof(common_flags));
	for (size_t i = 0; i < conf->key_count; i++) {
		const struct conf_key *key = &conf->keys[i];

		assert(strlen(key->name) < FLAG_NAME_SIZE);
		for (size_t c = 0; key->name[c]; c++)
			flags->names[i][c] = (char)(key->name[c] == '_' ? '-' : key->name[c]);
		flags->options[COMMON_FLAGS + i] = (struct option){
			flags->names[i],
			key->type == CONF_TRUTH ? optional_argument : required_argument, NULL,
			FLAG_KEYS + (int)i};
	}
}

static enum conf_result refuse_usage(const struct conf *conf, const char *message,
				     int *ret_exit)
{
	(void)fprintf(stderr, "%s: %s: see %s --help\n", conf->program, message, conf->program);
	*ret_exit = EX_USAGE;
	return CONF_BAD;
}

/* What getopt_long() did not understand: its value is missing, or there is no such flag. */
static enum conf_result refuse_flag(const struct conf *conf, int result, const char *flag,
				    int *ret_exit)
{
	size_t length = strcspn(flag, "=");
	char message[CONF_MESSAGE_SIZE];
	char key[FLAG_NAME_SIZE] = "";
	const char *nearest;

	if (result == ':') {
		(void)snprintf(message, sizeof(message), "%.64s needs a value", flag);
		return refuse_usage(conf, message, ret_exit);
	}
	for (size_t i = 2; i < length && i - 2 < sizeof(key) - 1; i++)
		key[i - 2] = (char)(flag[i] == '-' ? '_' : flag[i]);
	nearest = conf_nearest(conf, key, strlen(key));
	(void)snprintf(message, sizeof(message), "unknown flag \"%.*s\"%s", (int)length, flag,
		       nearest ? ", did you mean --" : "");
	for (size_t i = strlen(message); nearest && *nearest && i + 1 < sizeof(message); i++) {
		message[i] = (char)(*nearest == '_' ? '-' : *nearest);
		message[i + 1] = '\0';
		nearest++;
	}
	return refuse_usage(conf, message, ret_exit);
}

static enum conf_result take_key(struct conf_reading *reading, int key, const char *argument,
				 int *ret_exit)
{
	char message[CONF_MESSAGE_SIZE];

	if (!argument)
		argument = "true"; /* only truths may come without */
	if (conf_check(&reading->conf->keys[key], argument, message) != ERR_OK)
		return refuse_usage(reading->conf, message, ret_exit);
	if (conf_keep(reading, key, argument, CONF_FROM_FLAG, 0) != ERR_OK)
		return refuse_usage(reading->conf, "out of memory", ret_exit);
	return CONF_RUN;
}

static enum conf_result take_flag(struct conf_reading *reading, int flag, const char *word,
				  int *ret_exit)
{
	const struct conf *conf = reading->conf;

	switch (flag) {
	case FLAG_CONFIG:
		reading->file = optarg;
		reading->is_file_named = true;
		return CONF_RUN;
	case FLAG_CHECK:
		reading->is_check = true;
		return CONF_RUN;
	case FLAG_PRINT:
		reading->is_print = true;
		return CONF_RUN;
	case FLAG_FOREGROUND:
		return CONF_RUN;
	case FLAG_VERSION:
		(void)printf("%s %s\n", conf->program, conf->version);
		return CONF_DONE;
	case FLAG_HELP:
		conf_print_help(conf);
		return CONF_DONE;
	default:
		if (flag >= FLAG_KEYS)
			return take_key(reading, flag - FLAG_KEYS, optarg, ret_exit);
		return refuse_flag(conf, flag, word, ret_exit);
	}
}

static enum conf_result read_flags(struct conf_reading *reading, int argc, char **argv,
				   int *ret_exit)
{
	struct flags flags;
	int flag;

	make_flags(reading->conf, &flags);
	optind = 0; /* glibc: begin anew */
	while ((flag = getopt_long(argc, argv, ":", flags.options, NULL)) != -1) {
		const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
		enum conf_result result = take_flag(reading, flag, word, ret_exit);

		if (result != CONF_RUN)
			return result;
	}
	if (optind < argc) {
		char message[CONF_MESSAGE_SIZE];

		(void)snprintf(message, sizeof(message), "\"%.64s\" is no flag", argv[optind]);
		return refuse_usage(reading->conf, message, ret_exit);
	}
	return CONF_RUN;
}

static enum conf_result store_all(const struct conf_reading *reading, void *settings,
				  int *ret_exit)
{
	const struct conf *conf = reading->conf;

	for (size_t i = 0; i < conf->key_count; i++) {
		const char *text = reading->values[i].text;

		if (conf_store(&conf->keys[i], text ? text : conf->keys[i].fallback,
			       settings) == ERR_OK)
			continue;
		(void)fprintf(stderr, "%s: out of memory\n", conf->program);
		conf_free(conf, settings);
		*ret_exit = EX_OSERR;
		return CONF_BAD;
	}
	return CONF_RUN;
}

static enum conf_result read_all(struct conf_reading *reading, int argc, char **argv,
				 void *settings, int *ret_exit)
{
	const struct conf *conf = reading->conf;
	enum conf_result result = read_flags(reading, argc, argv, ret_exit);

	if (result != CONF_RUN)
		return result;
	if (!conf_read_file(reading, ret_exit) || !conf_read_credentials(reading, ret_exit))
		return CONF_BAD;
	if (reading->is_print) {
		conf_print(reading);
		return CONF_DONE;
	}
	result = store_all(reading, settings, ret_exit);
	if (result != CONF_RUN)
		return result;
	if (conf->check && conf->check(settings) != ERR_OK) {
		conf_free(conf, settings);
		*ret_exit = EX_CONFIG;
		return CONF_BAD;
	}
	if (!reading->is_check)
		return CONF_RUN;
	(void)printf("%s: the configuration is valid (%s)\n", conf->program, reading->file);
	conf_free(conf, settings);
	return CONF_DONE;
}

enum conf_result conf_read(const struct conf *conf, int argc, char **argv, void *settings,
			   int *ret_exit)
{
	struct conf_reading reading = {.conf = conf, .file = conf->file};
	enum conf_result result;

	assert(conf->key_count <= CONF_KEYS_MAX);
	*ret_exit = EX_OK;
	result = read_all(&reading, argc, argv, settings, ret_exit);
	for (size_t i = 0; i < conf->key_count; i++)
		free(reading.values[i].text);
	return result;
}

void conf_free(const struct conf *conf, void *settings)
{
	for (size_t i = 0; i < conf->key_count; i++) {
		void *at = (char *)settings + conf->keys[i].offset;
		char *text;

		if (!conf_is_text(&conf->keys[i]))
			continue;
		memcpy(&text, at, sizeof(char *));
		memset(at, 0, sizeof(char *));
		free(text);
	}
}
