/*
 * netascii - text as it travels (RFC 764): a line ends with CR LF, and a lone carriage return
 * is CR NUL. Read here as it comes, in pieces of any length.
 *
 *	struct netascii state = {0};
 *	length = netascii_decode(&state, block, block_length, out);	for each block
 *	length = netascii_end(&state, out);				and once more
 */
#ifndef ROUSE_TFTPD_NETASCII_H
#define ROUSE_TFTPD_NETASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory is a beginning. */
struct netascii {
	bool is_behind_cr; /* the last piece ended with a carriage return */
};

/*
 * Writes the text with our line ends; at most length + 1 octets, whose number it returns. A
 * carriage return before anything else stays, as does a lone line feed: senders forget both.
 */
size_t netascii_decode(struct netascii *state, const uint8_t *in, size_t length, uint8_t *out);
/* What was held back: nothing, or a carriage return. */
size_t netascii_end(struct netascii *state, uint8_t *out);

#endif
