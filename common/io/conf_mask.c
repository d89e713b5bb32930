/* Pure: hides the passwords of a connection string, libpq's keyword form or its URI form. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "io/conf.h"

static bool is_name_octet(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* password, sslpassword, passwd...: the word that `name` ends with. */
static bool is_secret_name(const char *name, size_t length)
{
	static const char *const secrets[] = {"password", "passwd", "secret", "token"};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		size_t size = strlen(secrets[i]);

		if (length >= size && strncasecmp(name + length - size, secrets[i], size) == 0)
			return true;
	}
	return false;
}

/* The length of a value: quoted with ' and \ as in a conninfo, or up to a blank or &. */
static size_t value_length(const char *value)
{
	size_t length = 1;

	if (value[0] != '\'') {
		length = 0;
		while (value[length] && value[length] != '&' &&
		       !isspace((unsigned char)value[length]))
			length += value[length] == '\\' && value[length + 1] ? 2 : 1;
		return length;
	}
	while (value[length] && value[length] != '\'')
		length += value[length] == '\\' && value[length + 1] ? 2 : 1;
	return value[length] ? length + 1 : length;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Copies "name = value" pairs and what stands between them. */
static void put_pairs(struct text *out, const char *text)
{
	while (*text) {
		size_t length = 0;
		const char *after;

		while (is_name_octet(text[length]))
			length++;
		after = skip_blanks(text + length);
		if (length > 0 && *after == '=' && is_secret_name(text, length)) {
			const char *value = skip_blanks(after + 1);

			text_put_bytes(out, text, (size_t)(value - text));
			text_put(out, "***");
			text = value + value_length(value);
			continue;
		}
		if (length == 0)
			length = 1;
		text_put_bytes(out, text, length);
		text += length;
	}
}

/*
 * scheme://user:PASSWORD@host: a password that forgets to escape "/" or "@" is hidden as well,
 * at worst with a part of the host.
 */
static const char *put_authority(struct text *out, const char *value)
{
	const char *start = strstr(value, "://");
	const char *colon;
	const char *at = NULL;

	if (!start)
		return value;
	start += 3;
	for (const char *c = start; *c && *c != '?'; c++) {
		if (*c == '@')
			at = c;
	}
	colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
	if (!colon)
		return value;
	text_put_bytes(out, value, (size_t)(colon + 1 - value));
	text_put(out, "***");
	return at;
}

void conf_put_masked(struct text *out, const char *value)
{
	put_pairs(out, put_authority(out, value));
}
