#include "head.h"

#include <string.h>
#include <strings.h>
#include <time.h>

size_t head_length(const char *bytes, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (bytes[i] != '\n')
			continue;
		if (bytes[i - 1] == '\n' || (i > 2 && memcmp(bytes + i - 3, "\r\n\r", 3) == 0))
			return i + 1;
	}
	return 0;
}

/* A decimal number at *at of at most 18 digits; -1 when there is none. Moves *at behind it. */
static int64_t parse_number(const char **at, const char *end)
{
	int64_t number = 0;
	const char *start = *at;

	while (*at < end && **at >= '0' && **at <= '9' && *at - start < 18)
		number = number * 10 + *(*at)++ - '0';
	if (*at == start || (*at < end && **at >= '0' && **at <= '9'))
		return -1;
	return number;
}

static bool parse_status(const char *line, const char *end, int *status)
{
	const char *at = line + strlen("HTTP/1.x ");
	int64_t number;

	if (end - line < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return false;
	number = parse_number(&at, end);
	if (number < 100 || number > 599)
		return false;
	*status = (int)number;
	return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form of a date that servers send (RFC 9110 section
 * 5.6.7), as seconds since 1970; -1 when it is none. */
static int64_t parse_date(const char *value, const char *end)
{
	char text[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
	struct tm date = {0};
	const char *rest;

	if ((size_t)(end - value) != sizeof(text) - 1)
		return -1;
	memcpy(text, value, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	rest = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date);
	return rest != NULL && *rest == '\0' ? timegm(&date) : -1;
}

static bool is_field(const char *line, size_t name_length, const char *name)
{
	return name_length == strlen(name) && strncasecmp(line, name, name_length) == 0;
}

static bool parse_field(const char *line, const char *end, struct head *head)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	const char *value;
	size_t name;
	int64_t number;

	if (colon == NULL)
		return false;
	name = (size_t)(colon - line);
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	if (is_field(line, name, "content-length")) {
		head->content_length = parse_number(&value, end);
		return head->content_length >= 0;
	}
	if (is_field(line, name, "content-range")) {
		if (end - value < 7 || strncasecmp(value, "bytes ", 6) != 0)
			return false;
		value += 6;
		head->range_start = parse_number(&value, end);
	} else if (is_field(line, name, "upload-offset")) {
		head->upload_offset = parse_number(&value, end);
	} else if (is_field(line, name, "retry-after")) {
		number = parse_number(&value, end);
		head->retry_after_seconds = number > 3600 ? 3600 : (int)number;
	} else if (is_field(line, name, "date")) {
		head->date_seconds = parse_date(value, end);
	} else if (is_field(line, name, "transfer-encoding")) {
		head->is_encoded = true;
	} else if (is_field(line, name, "etag") && (size_t)(end - value) < sizeof(head->etag)) {
		memcpy(head->etag, value, (size_t)(end - value));
		head->etag[end - value] = '\0';
	}
	return true;
}

bool head_parse(const char *bytes, size_t length, struct head *head)
{
	const char *line = bytes, *limit = bytes + length, *newline, *end;

	*head = (struct head){.content_length = -1,
			      .range_start = -1,
			      .upload_offset = -1,
			      .date_seconds = -1,
			      .retry_after_seconds = -1};
	while (line < limit && (newline = memchr(line, '\n', (size_t)(limit - line))) != NULL) {
		end = newline > line && newline[-1] == '\r' ? newline - 1 : newline;
		if (end == line)
			return head->status != 0;
		if (line == bytes ? !parse_status(line, end, &head->status)
				  : !parse_field(line, end, head))
			return false;
		line = newline + 1;
	}
	return false;
}
