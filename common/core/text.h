/*
 * text - builds text in the caller's buffer, and escapes what came from outside.
 *
 * The writer is sticky like bytes_writer: what does not fit sets `failed`, and the text stays
 * NUL-terminated. Escapers never let a foreign byte begin a new command, parameter or line.
 *
 *	char buffer[4096];
 *	struct text out = text_into(buffer, sizeof(buffer));
 *	text_put(&out, "chain ");
 *	text_put_url(&out, host->name);
 *	if (out.failed)
 *		return ERR_SPACE;
 */
#ifndef ROUSE_CORE_TEXT_H
#define ROUSE_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct text {
	char *start;   /* always NUL-terminated */
	size_t length; /* without the NUL */
	size_t size;   /* of the buffer, at least 1 */
	bool failed;
};

struct text text_into(char *buffer, size_t size);
void text_put(struct text *out, const char *string);
void text_put_bytes(struct text *out, const char *bytes, size_t length);
/* Two lower-case digits for each octet. */
void text_put_hex(struct text *out, const uint8_t *octets, size_t length);
void text_printf(struct text *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A value for a URL's query or path segment: everything but RFC 3986's unreserved characters is
 * percent-encoded.
 */
void text_put_url(struct text *out, const char *string);
/* As text_put_url, but keeps "/": for a path of several segments. */
void text_put_url_path(struct text *out, const char *path);
/*
 * Free text at the end of an iPXE line (an echo, an item's label). iPXE has no quoting: control
 * bytes become spaces, "${" is broken, words that end or begin a command ("||", "&&", ";",
 * "#...") lose their meaning, and a final backslash is dropped.
 */
void text_put_ipxe(struct text *out, const char *string);
/*
 * Words for an iPXE command line that an operator wrote (kernel arguments): as text_put_ipxe,
 * but
 * ${...} settings stay, since that is what operators write them for.
 */
void text_put_ipxe_operator(struct text *out, const char *string);
/* The inside of a JSON string (RFC 8259 section 7). */
void text_put_json(struct text *out, const char *string);
/* One logfmt value: quoted when it holds anything but printable characters without blanks. */
void text_put_logfmt(struct text *out, const char *string);

/*
 * Decodes one application/x-www-form-urlencoded value in place ("+" is a blank) and gives its
 * new length. ERR_FORMAT for a broken escape or a NUL byte.
 */
MUST_CHECK enum err text_decode_form(char *string, size_t length, size_t *ret_length);

#endif
