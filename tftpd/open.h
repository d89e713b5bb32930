/*
 * open - finds what a request to read is to get: the client's own version of a file, the file
 * of a root, the same under a mended name, a script or a configuration that is made for it.
 */
#ifndef ROUSE_TFTPD_OPEN_H
#define ROUSE_TFTPD_OPEN_H

#include "core/err.h"
#include "tftpd/asked.h"
#include "tftpd/source.h"

/*
 * Opens it; notes in `asked` what had to be mended. Any error has been answered already, but
 * for ERR_AWAY: the database is asked, and the request comes back by itself.
 */
MUST_CHECK enum err open_asked(struct asked *asked, struct source *ret_source);

#endif
