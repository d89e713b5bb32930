/*
 * warm - reads a part of a file in libuv's pool, so that the page cache has it.
 *
 * The loop itself reads only what lies in memory already (window.h). What does not is read here
 * meanwhile, and then read again by the loop. Each owner has one at a time:
 *
 *	warm_start(loop, file, offset, &warm);
 *	if (warm_is_done(warm)) ...
 *	warm_release(warm);
 */
#ifndef ROUSE_TFTPD_WARM_H
#define ROUSE_TFTPD_WARM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "io/loop.h"

#define WARM_BYTES ((size_t)1024 * 1024)

struct warm;

/* Of WARM_BYTES from `offset` on. ERR_MEMORY, ERR_SYSTEM. */
MUST_CHECK enum err warm_start(struct loop *loop, int file, uint64_t offset,
			       struct warm **ret_warm);
bool warm_is_done(const struct warm *warm);
/* Does that part hold the octet? */
bool warm_holds(const struct warm *warm, uint64_t offset);
/* It ends by itself when it still runs. Accepts NULL. */
void warm_release(struct warm *warm);

#endif
