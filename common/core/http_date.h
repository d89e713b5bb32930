/*
 * http_date - HTTP's way to write a time (RFC 9110 section 5.6.7), and the two obsolete ways
 * that must still be read. Times are seconds since 1970, in UTC.
 *
 *	char text[HTTP_DATE_SIZE];
 *	http_date_format(784111777, text);    "Sun, 06 Nov 1994 08:49:37 GMT"
 */
#ifndef ROUSE_CORE_HTTP_DATE_H
#define ROUSE_CORE_HTTP_DATE_H

#include <stdint.h>

#include "core/err.h"

#define HTTP_DATE_SIZE 32

/* ERR_RANGE, and an empty text: before 1970 or after 9999. */
enum err http_date_format(int64_t seconds, char text[HTTP_DATE_SIZE]);
/*
 * ERR_FORMAT: in none of the three forms, before 1970, or no such day or hour. A year of two
 * digits is one from 1969 to 2068, as POSIX has it.
 */
MUST_CHECK enum err http_date_parse(const char *text, int64_t *ret_seconds);

#endif
