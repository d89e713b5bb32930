/*
 * generate - makes a loader's configuration (core/search.h) for the machine that asks: its
 * live job, or the menu. The boot rules decide as they do for menud; only a live job needs the
 * database, and the request is then parked (tftpd/parked.h).
 *
 *	switch (generate_config(server, &ask, &source, &reason)) {
 *	case ERR_OK:		serve the source
 *	case ERR_AWAY:		nothing now: the request comes back by itself
 *	case ERR_ABSENT:	there is nothing to make
 *	case ERR_REFUSED:	answer with the reason
 */
#ifndef ROUSE_TFTPD_GENERATE_H
#define ROUSE_TFTPD_GENERATE_H

#include "core/err.h"
#include "core/search.h"
#include "tftpd/resolve.h"
#include "tftpd/server.h"
#include "tftpd/source.h"

struct generate_ask {
	const struct udp_datagram *datagram;
	const char *name; /* as it was asked, cleaned */
	struct search search;
	struct resolve_client client; /* its mac: by neighbour table or lease, or NULL */
};

/* Further errors than the above: ERR_MEMORY, ERR_SPACE (the menu does not fit), ERR_RANGE (no
 * menud's URL). *ret_reason is static, or the site's. */
MUST_CHECK enum err generate_config(struct server *server, const struct generate_ask *ask,
				    struct source *ret_source, const char **ret_reason);

#endif
