/*
 * kept - configurations that were made for a client, kept for a while, so that a size probe, a
 * request that comes again and the fetch itself see the same octets; and requests that are
 * parked until the database has answered.
 *
 *	if (kept_find(&kept, peer, name, now))		serve its text
 *	else if (kept_is_parked(&kept, peer, name))	this one joins
 *	else						ask, and kept_park()
 */
#ifndef ROUSE_TFTPD_KEPT_H
#define ROUSE_TFTPD_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "core/path.h"
#include "io/udp.h"

#define KEPT_MS 30000
#define KEPT_TEXTS_MAX 512
#define KEPT_PARKED_MAX 512

struct server;

struct kept_text {
	struct ip peer;
	char name[PATH_SIZE];
	char *text;
	size_t length;
	uint64_t until_ms;
	struct kept_text *prev, *next;
};

/* One request that waits for the database, with its datagram's own copy. */
struct kept_request {
	struct server *server; /* NULL once the server has closed: only to be freed */
	struct udp_datagram datagram;
	char name[PATH_SIZE];
	struct kept_request *prev, *next;
	uint8_t octets[];
};

struct kept {
	struct kept_text *texts; /* the oldest first */
	struct kept_request *parked;
	size_t text_count, parked_count;
};

/* NULL: none is kept, or its time is over. */
const struct kept_text *kept_find(struct kept *kept, const struct ip *peer, const char *name,
				  uint64_t now_ms);
/* Copies the text, in place of an older one. ERR_MEMORY. */
MUST_CHECK enum err kept_add(struct kept *kept, const struct ip *peer, const char *name,
			     const char *text, size_t length, uint64_t until_ms);
/* ERR_MEMORY. ERR_SPACE: KEPT_PARKED_MAX wait already. */
MUST_CHECK enum err kept_park(struct kept *kept, struct server *server,
			      const struct udp_datagram *datagram, const char *name,
			      struct kept_request **ret_request);
bool kept_is_parked(const struct kept *kept, const struct udp_peer *peer, const char *name);
/* Takes it out of the list; the caller frees it. */
void kept_unpark(struct kept *kept, struct kept_request *request);
/* Parked ones are left to their answers, which free them. */
void kept_close(struct kept *kept);

#endif
