/*
 * wrq - a request to write, judged: refused, or an upload that can begin.
 */
#ifndef ROUSE_TFTPD_WRQ_H
#define ROUSE_TFTPD_WRQ_H

#include "core/err.h"
#include "tftpd/asked.h"
#include "tftpd/session.h"
#include "tftpd/upload.h"

/* What an upload is granted at most: a block fits our buffers, a window our memory. */
struct session_limits wrq_limits(const struct packet_options *asked, uint16_t blksize_max);
/* The largest file, in octets. */
uint64_t wrq_octets_max(const struct settings *settings);
/* Any error has been answered already. */
MUST_CHECK enum err wrq_open(const struct asked *asked, const struct session_terms *terms,
			     struct upload **ret_upload);

#endif
