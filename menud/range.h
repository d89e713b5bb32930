/*
 * range - RFC 9110 section 14: which octets of a file a client wants.
 *
 * Single ranges in bytes; anything else (several ranges, other units, nonsense) is answered
 * with the whole file, as the section allows.
 */
#ifndef ROUSE_MENUD_RANGE_H
#define ROUSE_MENUD_RANGE_H

#include <stdint.h>

enum range_result {
	RANGE_WHOLE,	     /* 200 */
	RANGE_PART,	     /* 206 */
	RANGE_UNSATISFIABLE, /* 416 */
};

/* `header` is the value of Range, or NULL; offset and length are set for WHOLE and PART. */
enum range_result range_parse(const char *header, uint64_t size, uint64_t *ret_offset,
			      uint64_t *ret_length);

#endif
