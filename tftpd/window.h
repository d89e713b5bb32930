/*
 * window - blocks of a file as they go on the wire: header and data, one block after the other,
 * read by one system call.
 *
 *	length = window_length(&session, first, count);
 *	err = window_read(&source, &session, (struct window){first, count}, may_wait, room);
 */
#ifndef ROUSE_TFTPD_WINDOW_H
#define ROUSE_TFTPD_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "tftpd/session.h"
#include "tftpd/source.h"

struct window {
	uint64_t first; /* the first block's number */
	unsigned count; /* at most window_most() */
};

/* How many blocks of this size leave in one datagram that the kernel cuts. */
unsigned window_most(uint16_t blksize);
/* Octets of the whole, headers included. */
size_t window_length(const struct session *session, struct window window);
/*
 * Writes window_length() octets to `room`. ERR_AWAY: the disk would have to be waited for, and
 * `may_wait` is false. ERR_SHORT: the file was cut meanwhile. ERR_SYSTEM: errno says why.
 */
MUST_CHECK enum err window_read(const struct source *source, const struct session *session,
				struct window window, bool may_wait, uint8_t *room);

#endif
