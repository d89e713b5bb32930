/*
 * upload - a file on its way in: it has no name until it is whole.
 *
 * Blocks are gathered in memory, a window at most, and written in libuv's pool: the loop waits
 * for no disk. The file is made with O_TMPFILE in the folder where it is to lie, found by
 * openat2(2) beneath the key `upload_root`; with the last block it is synced, gets its name by
 * linkat(2), and the folder is synced. So a reader sees the old file or the new one whole, and
 * of an upload that ends early, by the client, by us or by a power failure, nothing is left.
 *
 * A new file is linked under its name, which fails where there is one. To take the place of
 * another, it is linked under a name of its own first and renamed over it; such names, which
 * begin with RESOLVE_UNFINISHED, are served to nobody (resolve.c). What is left of one when the
 * process is killed just then goes at the next start (leftovers.h).
 *
 *	upload_open(&options, "sub/switch.cfg", &upload, &problem)
 *	upload_keep(upload, octets, length) ... upload_store(upload, is_last)
 *		... options.on_stored(data, owner, problem or NULL)
 *	upload_release(upload)
 */
#ifndef ROUSE_TFTPD_UPLOAD_H
#define ROUSE_TFTPD_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "io/loop.h"
#include "tftpd/packet.h"

/* Of a window at most: it lies in memory. One block may be more. */
#define UPLOAD_WINDOW_BYTES ((size_t)256 * 1024)

struct upload;

/* Why not: for the client and the log. */
struct upload_problem {
	enum packet_code code;
	const char *reason; /* static */
	int error;	    /* errno, 0 when the reason says all */
};

struct upload_options {
	struct loop *loop;
	const char *root;
	bool may_replace;
	bool is_netascii;
	size_t window_bytes; /* what is kept at most before it is stored */
	/* What was to be stored is (NULL), or is not. Not called once it is released. */
	void (*on_stored)(void *data, void *owner, const struct upload_problem *problem);
	void *data;
};

/*
 * Says in the log when the folder cannot take uploads: at the start, while somebody looks, and
 * as the user that the daemon stays.
 */
void upload_check_root(const char *root);
/*
 * `path` is clean (core/path). Looks whether the file may be made there, and makes nothing yet.
 * ERR_REFUSED: *ret_problem says why. ERR_MEMORY.
 */
MUST_CHECK enum err upload_open(const struct upload_options *options, const char *path,
				struct upload **ret_upload, struct upload_problem *ret_problem);
/* Who on_stored() is told of. */
void upload_set_owner(struct upload *upload, void *owner);
/* Copies a block to what is to be stored, netascii read. Not while it stores. */
void upload_keep(struct upload *upload, const void *octets, size_t length);
/* Begins to write what was kept; with the last block, to sync and name the file. ERR_SYSTEM. */
MUST_CHECK enum err upload_store(struct upload *upload, bool is_last);
/* What is not whole by then is gone. It ends by itself when the disk is at work. Accepts NULL.
 */
void upload_release(struct upload *upload);

#endif
