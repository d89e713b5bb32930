#include "core/path.h"

#include <stdint.h>
#include <string.h>

/* The length without what broken DHCP options leave behind a name. */
static size_t trimmed_length(const char *request, size_t length)
{
	while (length > 0) {
		uint8_t last = (uint8_t)request[length - 1];

		if (last != 0xff && last != '\0' && last != ' ')
			break;
		length--;
	}
	return length;
}

/* Appends one segment of the request; "." and "" vanish, ".." is refused. */
static enum err add_segment(const char *segment, size_t length, struct path *path, size_t *at)
{
	if (length == 0 || (length == 1 && segment[0] == '.'))
		return ERR_OK;
	if (length == 2 && segment[0] == '.' && segment[1] == '.')
		return ERR_REFUSED;
	if (*at + length + 2 > sizeof(path->name))
		return ERR_SPACE;
	if (*at > 0)
		path->name[(*at)++] = '/';
	memcpy(path->name + *at, segment, length);
	*at += length;
	return ERR_OK;
}

enum err path_clean(const char *request, size_t length, struct path *ret_path)
{
	struct path path = {.mended = 0};
	size_t kept = trimmed_length(request, length);
	size_t start = 0;
	size_t at = 0;

	if (kept != length)
		path.mended |= PATH_TRAILING;
	if (length > 0 && request[0] == '/')
		path.mended |= PATH_SLASH;
	for (size_t i = 0; i <= kept; i++) {
		char c = '/'; /* the end ends a segment, too */
		enum err err;

		if (i < kept)
			c = request[i];
		if ((uint8_t)c < 0x20 || c == 0x7f)
			return ERR_FORMAT;
		if (c == '\\')
			path.mended |= PATH_BACKSLASH;
		if (c != '/' && c != '\\')
			continue;
		err = add_segment(request + start, i - start, &path, &at);
		if (err != ERR_OK)
			return err;
		start = i + 1;
	}
	if (at == 0)
		return ERR_FORMAT;
	path.name[at] = '\0';
	*ret_path = path;
	return ERR_OK;
}
