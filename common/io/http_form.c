/* Pure: form fields and paths of a request, decoded in place. */
#include <string.h>

#include "core/hex.h"
#include "core/text.h"
#include "io/http.h"
#include "io/http_internal.h"

static enum err decode_name(char *name, size_t length)
{
	size_t decoded;
	enum err err = text_decode_form(name, length, &decoded);

	if (err != ERR_OK)
		return err;
	if (decoded == 0)
		return ERR_FORMAT;
	for (size_t i = 0; i < decoded; i++) {
		if ((uint8_t)name[i] < ' ' || name[i] == 0x7f)
			return ERR_FORMAT;
	}
	name[decoded] = '\0';
	return ERR_OK;
}

/* One "name=value"; the octet behind it may be overwritten. */
static enum err parse_field(char *field, size_t length,
			    void (*on_field)(void *data, const char *name, const char *value),
			    void *data)
{
	char *equals = memchr(field, '=', length);
	size_t name_length = equals ? (size_t)(equals - field) : length;
	char *value = equals ? equals + 1 : field + length;
	size_t value_length = 0;
	enum err err = decode_name(field, name_length);

	if (err == ERR_OK && equals)
		err = text_decode_form(value, length - name_length - 1, &value_length);
	if (err != ERR_OK)
		return err;
	value[value_length] = '\0';
	on_field(data, field, value);
	return ERR_OK;
}

enum err http_parse_form(char *text, size_t length, size_t most,
			 void (*on_field)(void *data, const char *name, const char *value),
			 void *data)
{
	size_t count = 0;

	while (length > 0) {
		char *end = memchr(text, '&', length);
		size_t field_length = end ? (size_t)(end - text) : length;
		size_t step = end ? field_length + 1 : field_length;

		/* "a=1&&b=2" and a final "&" are common and hold no field */
		if (field_length > 0) {
			enum err err = count++ < most ? ERR_OK : ERR_RANGE;

			if (err == ERR_OK)
				err = parse_field(text, field_length, on_field, data);
			if (err != ERR_OK)
				return err;
		}
		text += step;
		length -= step;
	}
	return ERR_OK;
}

/* The path within a request target: "/a?b", or "http://host/a?b" (RFC 9112 section 3.2.2). One
 * that has none asks for "/" (RFC 9110 section 4.2.3), written over the end of its host. */
static char *path_of_target(char *target)
{
	char *host = target + strspn(target, "abcdefghijklmnopqrstuvwxyz"
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	char *path;

	if (host == target || strncmp(host, "://", 3) != 0)
		return target;
	host += 3;
	path = host + strcspn(host, "/?");
	if (*path != '/')
		*--path = '/';
	return path;
}

static enum err decode_path(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		int high;
		int low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = hex_value(from[1]);
		low = high < 0 ? -1 : hex_value(from[2]);
		if (low < 0 || (high == 0 && low == 0))
			return ERR_FORMAT;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return ERR_OK;
}

enum err http_split_target(char *target, const char **ret_path, char **ret_query)
{
	char *path = path_of_target(target);
	char *query = path + strcspn(path, "?");

	if (*query != '\0')
		*query++ = '\0';
	if (path[0] != '/' || decode_path(path) != ERR_OK)
		return ERR_FORMAT;
	*ret_path = path;
	*ret_query = query;
	return ERR_OK;
}
