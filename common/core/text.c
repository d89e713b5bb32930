#include "core/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"

struct text text_into(char *buffer, size_t size)
{
	buffer[0] = '\0';
	return (struct text){.start = buffer, .size = size};
}

void text_put_bytes(struct text *out, const char *bytes, size_t length)
{
	if (out->failed || length >= out->size - out->length) {
		out->failed = true;
		return;
	}
	memcpy(out->start + out->length, bytes, length);
	out->length += length;
	out->start[out->length] = '\0';
}

void text_put_hex(struct text *out, const uint8_t *octets, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	char *at = out->start + out->length;

	if (out->failed || length >= (out->size - out->length + 1) / 2) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		*at++ = digits[octets[i] >> 4];
		*at++ = digits[octets[i] & 15];
	}
	*at = '\0';
	out->length += 2 * length;
}

void text_put(struct text *out, const char *string)
{
	text_put_bytes(out, string, strlen(string));
}

void text_printf(struct text *out, const char *format, ...)
{
	size_t room = out->size - out->length;
	va_list arguments;
	int length;

	if (out->failed)
		return;
	va_start(arguments, format);
	length = vsnprintf(out->start + out->length, room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= room) {
		out->start[out->length] = '\0';
		out->failed = true;
		return;
	}
	out->length += (size_t)length;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void put_url(struct text *out, const char *string, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *string; string++) {
		uint8_t c = (uint8_t)*string;
		char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (is_unreserved(*string) || (keep_slash && c == '/'))
			text_put_bytes(out, string, 1);
		else
			text_put_bytes(out, escape, sizeof(escape));
	}
}

void text_put_url(struct text *out, const char *string)
{
	put_url(out, string, false);
}

void text_put_url_path(struct text *out, const char *path)
{
	put_url(out, path, true);
}

/* Is this word, to iPXE's parser, more than text: a separator, a comment, an option? */
static bool is_ipxe_magic(const char *word, size_t length)
{
	if (length == 2 && (memcmp(word, "||", 2) == 0 || memcmp(word, "&&", 2) == 0))
		return true;
	/* ";" ends a command since iPXE of 2023 or so */
	return (length == 1 && word[0] == ';') ||
	       (length > 0 && (word[0] == '#' || word[0] == ':'));
}

static void put_ipxe_word(struct text *out, const char *word, size_t length, bool settings)
{
	if (is_ipxe_magic(word, length))
		text_put(out, "'");
	for (size_t i = 0; i < length; i++) {
		if (!settings && word[i] == '$' && i + 1 < length && word[i + 1] == '{')
			text_put(out, "$ ");
		else
			text_put_bytes(out, &word[i], 1);
	}
	if (length > 0 && word[length - 1] == '\\')
		text_put(out, "'");
}

static bool is_blank(char c)
{
	return (uint8_t)c <= ' ' || c == 0x7f;
}

static void put_ipxe(struct text *out, const char *string, bool settings)
{
	bool first = true;

	while (*string) {
		size_t length = 0;

		while (*string && is_blank(*string))
			string++;
		while (string[length] && !is_blank(string[length]))
			length++;
		if (length == 0)
			break;
		if (!first)
			text_put(out, " ");
		put_ipxe_word(out, string, length, settings);
		string += length;
		first = false;
	}
}

void text_put_ipxe(struct text *out, const char *string)
{
	put_ipxe(out, string, false);
}

void text_put_ipxe_operator(struct text *out, const char *string)
{
	put_ipxe(out, string, true);
}

/* The length of the UTF-8 character here (RFC 3629 section 4), 0 when the octets are none. */
static size_t utf8_length(const char *at)
{
	uint8_t first = (uint8_t)at[0];
	uint8_t second = first ? (uint8_t)at[1] : 0;
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
				       : 4;

	if (first > 0xf4 || (first == 0xe0 && second < 0xa0) ||
	    (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
	    (first == 0xf4 && second > 0x8f))
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((uint8_t)at[i] & 0xc0) != 0x80) /* a NUL is none either */
			return 0;
	}
	return length;
}

void text_put_json(struct text *out, const char *string)
{
	while (*string) {
		uint8_t c = (uint8_t)*string;
		size_t length = utf8_length(string);

		if (length == 0)
			text_put(out, "\\ufffd");
		else if (c == '"' || c == '\\')
			text_printf(out, "\\%c", c);
		else if (c < 0x20)
			text_printf(out, "\\u%04x", c);
		else
			text_put_bytes(out, string, length);
		string += length > 0 ? length : 1;
	}
}

void text_put_logfmt(struct text *out, const char *string)
{
	bool plain = *string != '\0';

	for (const char *at = string; *at; at++)
		plain = plain && (uint8_t)*at > ' ' && (uint8_t)*at < 0x7f && *at != '"' &&
			*at != '\\' && *at != '=';
	if (plain) {
		text_put(out, string);
		return;
	}
	text_put(out, "\"");
	for (; *string; string++) {
		uint8_t c = (uint8_t)*string;

		if (c == '"' || c == '\\')
			text_printf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			text_printf(out, "\\x%02x", c);
		else
			text_put_bytes(out, string, 1);
	}
	text_put(out, "\"");
}

enum err text_decode_form(char *string, size_t length, size_t *ret_length)
{
	size_t to = 0;

	for (size_t from = 0; from < length; from++) {
		char c = string[from];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = from + 2 < length ? hex_value(string[from + 1]) : -1;
			int low = from + 2 < length ? hex_value(string[from + 2]) : -1;

			if (high < 0 || low < 0)
				return ERR_FORMAT;
			c = (char)(high << 4 | low);
			from += 2;
		}
		if (c == '\0')
			return ERR_FORMAT;
		string[to++] = c;
	}
	*ret_length = to;
	return ERR_OK;
}
