/*
 * space - where the options of a reply go: the options field, and if that is full and option 52
 * can say so, the fields `file` and `sname` (RFC 2131 section 4.1, RFC 2132 section 9.3).
 *
 *	struct space space = space_over(buffer, most, tail, overload);
 *	packet_put_header(&space.options, &header);
 *	space_put(&space, OPTION_DNS, octets, length);
 *	space_open_tail(&space, tail);
 */
#ifndef ROUSE_DHCPD_SPACE_H
#define ROUSE_DHCPD_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"

#define SPACE_OVERLOAD_FILE 1 /* the values of option 52 */
#define SPACE_OVERLOAD_SNAME 2

struct space {
	struct bytes_writer options; /* header and options field */
	struct bytes_writer file, sname;
	unsigned left_out; /* options that did not fit */
};

/*
 * `buffer` takes `size` octets, the last `tail` of which are kept free until
 * space_open_tail(). `overload`: which fields may be used.
 */
struct space space_over(uint8_t *buffer, size_t size, size_t tail, uint8_t overload);
/* Whole into one field: true; or false, and counted as left out. */
bool space_put(struct space *space, uint8_t code, const void *octets, size_t length);
/* Octets that option 52 needs in the tail. */
size_t space_overload_size(uint8_t overload);
/* Ends the other fields, with option 52 if they are in use; from now on the tail is written. */
void space_open_tail(struct space *space, size_t tail);

#endif
