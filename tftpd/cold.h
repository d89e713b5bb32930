/*
 * cold - a file that must be read whole before its first block can leave, and does not lie in
 * memory: mode netascii, where only the reading tells how long the text is.
 *
 * It is read in libuv's pool, so that nobody else waits for its disk. The request is parked
 * meanwhile and goes its way again when that is done; one that repeats it joins it.
 */
#ifndef ROUSE_TFTPD_COLD_H
#define ROUSE_TFTPD_COLD_H

#include "core/err.h"
#include "io/udp.h"
#include "tftpd/source.h"

struct server;

/*
 * Parks the request until the source's file has been read; the source stays the caller's.
 * ERR_SPACE: too many wait. ERR_MEMORY, ERR_SYSTEM.
 */
MUST_CHECK enum err cold_wait(struct server *server, const struct udp_datagram *datagram,
			      const struct source *source);

#endif
