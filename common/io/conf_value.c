/* Values of keys: what they may be, where they are kept, and which key a wrong name meant. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/conf_internal.h"
#include "io/log.h"

/* Longer names are no key's mistyped name. */
#define NAME_MAX_LENGTH 40

int conf_find(const struct conf *conf, const char *name, size_t length)
{
	for (size_t i = 0; i < conf->key_count; i++) {
		const char *known = conf->keys[i].name;

		if (strlen(known) == length && memcmp(known, name, length) == 0)
			return (int)i;
	}
	return -1;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance: insertions, deletions and replacements between two short names. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[NAME_MAX_LENGTH + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = smallest(replaced, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[b_length];
}

const char *conf_nearest(const struct conf *conf, const char *name, size_t length)
{
	const char *nearest = NULL;
	size_t best = length / 2 + 1; /* beyond that it is another word */

	if (length > NAME_MAX_LENGTH)
		return NULL;
	for (size_t i = 0; i < conf->key_count; i++) {
		const char *known = conf->keys[i].name;
		size_t known_length = strlen(known);
		size_t far;

		if (known_length > NAME_MAX_LENGTH)
			continue;
		far = distance(name, length, known, known_length);
		if (far < best) {
			best = far;
			nearest = known;
		}
	}
	return nearest;
}

static bool parse_truth(const char *text, bool *ret_truth)
{
	static const char *const words[] = {"false", "true", "off", "on", "no", "yes"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret_truth = i % 2 == 1;
			return true;
		}
	}
	return false;
}

static bool parse_number(const char *text, long *ret_number)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return false;
	*ret_number = number;
	return true;
}

bool conf_is_text(const struct conf_key *key)
{
	return key->type == CONF_TEXT || key->type == CONF_SECRET;
}

enum err conf_check(const struct conf_key *key, const char *text,
		    char message[CONF_MESSAGE_SIZE])
{
	bool truth;
	long number;

	switch (key->type) {
	case CONF_TEXT:
	case CONF_SECRET:
		return ERR_OK;
	case CONF_TRUTH:
		if (parse_truth(text, &truth))
			return ERR_OK;
		(void)snprintf(message, CONF_MESSAGE_SIZE,
			       "%s cannot be \"%.64s\": give true or false", key->name, text);
		return ERR_FORMAT;
	case CONF_NUMBER:
		if (parse_number(text, &number) && number >= key->least && number <= key->most)
			return ERR_OK;
		(void)snprintf(message, CONF_MESSAGE_SIZE,
			       "%s cannot be \"%.64s\": give a number from %ld to %ld",
			       key->name, text, key->least, key->most);
		return ERR_RANGE;
	}
	return ERR_FORMAT;
}

enum err conf_store(const struct conf_key *key, const char *text, void *settings)
{
	char *at = (char *)settings + key->offset;
	bool truth = false;
	long number = 0;
	char *copy;

	switch (key->type) {
	case CONF_TRUTH:
		(void)parse_truth(text, &truth);
		memcpy(at, &truth, sizeof(truth));
		break;
	case CONF_NUMBER:
		(void)parse_number(text, &number);
		memcpy(at, &number, sizeof(number));
		break;
	case CONF_TEXT:
	case CONF_SECRET:
		copy = strdup(text);
		if (!copy)
			return ERR_MEMORY;
		memcpy(at, &copy, sizeof(copy)); // NOLINT(bugprone-sizeof-expression)
		break;
	}
	return ERR_OK;
}

enum err conf_keep(struct conf_reading *reading, int key, const char *text,
		   enum conf_origin origin, unsigned line)
{
	struct conf_value *value = &reading->values[key];
	char *copy;

	if (value->text && value->origin > origin)
		return ERR_OK;
	copy = strdup(text);
	if (!copy)
		return ERR_MEMORY;
	free(value->text);
	*value = (struct conf_value){copy, origin, line};
	return ERR_OK;
}

enum err conf_refuse(const char *key, const char *value, const char *remedy)
{
	log_error("bad_setting", "key=%s value=%s remedy=%s", key, log_text(value),
		  log_text(remedy));
	return ERR_FORMAT;
}

enum err conf_set_log_level(const char *value)
{
	enum log_level level;

	if (log_level_parse(value, &level) != ERR_OK)
		return conf_refuse("log_level", value, "one of error, warning, info, debug");
	log_set_level(level);
	return ERR_OK;
}
