/*
 * leftovers - what is left of an upload when tftpd is killed between giving a file the name by
 * which it takes another one's place (upload.h) and that last step: a name that nobody is
 * served, and that nobody would ever remove.
 *
 * Whoever makes such a name holds a lock on the file as long as he lives (flock(2)). So a name
 * without one is a dead process's, and those of other tftpd processes are left alone.
 */
#ifndef ROUSE_TFTPD_LEFTOVERS_H
#define ROUSE_TFTPD_LEFTOVERS_H

#include "core/err.h"
#include "io/loop.h"

/*
 * Removes them beneath the folder, in libuv's pool: at the start, when nothing waits for it.
 * Tells in the log what it removed, or could not. `root` must live as long as the loop.
 * ERR_MEMORY.
 */
MUST_CHECK enum err leftovers_collect(struct loop *loop, const char *root);
/* A file is to get such a name: until it is closed it is nobody's leftover. Best effort. */
void leftovers_claim(int file);

#endif
