#include "url.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool copy_part(const char *from, size_t length, char *to, size_t size)
{
	if (length == 0 || length >= size)
		return false;
	/* Space and control bytes would let a URL write header lines of its own. */
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)from[i] <= ' ' || (unsigned char)from[i] >= 0x7f)
			return false;
	}
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

static bool parse_host(const char **at, struct url *url)
{
	const char *start = *at, *end;

	url->is_ipv6 = *start == '[';
	if (url->is_ipv6) {
		start++;
		end = start + strcspn(start, "]/@");
		*at = end + 1;
		if (*end != ']')
			return false;
	} else {
		end = start + strcspn(start, ":/@");
		*at = end;
	}
	return copy_part(start, (size_t)(end - start), url->host, sizeof(url->host));
}

bool url_parse(const char *text, struct url *url)
{
	static const char scheme[] = "http://";
	const char *at = text + sizeof(scheme) - 1;
	size_t digits;

	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0 || !parse_host(&at, url))
		return false;
	memcpy(url->port, "80", 3);
	if (*at == ':') {
		at++;
		digits = strspn(at, "0123456789");
		if (!copy_part(at, digits, url->port, sizeof(url->port)))
			return false;
		at += digits;
	}
	if (*at == '\0')
		at = "/";
	return *at == '/' && copy_part(at, strlen(at), url->path, sizeof(url->path));
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

bool url_append_field(const char *field, size_t length, char *out, size_t size, size_t *used)
{
	const char *equals = memchr(field, '=', length);
	size_t name_length, at = *used;

	if (equals == NULL || equals == field)
		return false;
	name_length = (size_t)(equals - field);
	if (size - at < name_length + 2)
		return false;
	if (at > 0)
		out[at++] = '&';
	memcpy(out + at, field, name_length + 1);
	at += name_length + 1;
	for (size_t i = name_length + 1; i < length; i++) {
		unsigned char c = (unsigned char)field[i];

		if (size - at < 4)
			return false;
		if (is_unreserved(c))
			out[at++] = (char)c;
		else
			at += (size_t)snprintf(out + at, size - at, "%%%02X", c);
	}
	*used = at;
	return true;
}
