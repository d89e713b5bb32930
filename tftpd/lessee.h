/*
 * lessee - which machine has leased an address: the way to name clients behind a router, whom
 * the kernel's neighbour table does not know.
 *
 * Leases are many and change all the time, so tftpd has no copy of them: the database is asked
 * when such a client first asks for something, and its answer is kept for a while. Meanwhile
 * the request is parked, LESSEE_PARKED_MS at most. Without a database, or when it does not
 * answer, the client is an unknown machine, and is served as one; so is one behind a router of
 * IPv6, whose addresses nobody leases here.
 *
 *	switch (lessee_find(server, datagram, &mac)) {
 *	case ERR_OK:		it is known
 *	case ERR_ABSENT:	it is not
 *	case ERR_AWAY:		nothing now: the request comes back by itself
 */
#ifndef ROUSE_TFTPD_LESSEE_H
#define ROUSE_TFTPD_LESSEE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "core/mac.h"
#include "io/log.h"
#include "io/udp.h"

#define LESSEE_SLOTS 1024      /* addresses that are remembered */
#define LESSEE_KEPT_MS 30000   /* what the database said */
#define LESSEE_UNKNOWN_MS 5000 /* that it said nothing, or knew nobody */
#define LESSEE_PARKED_MS 1000
#define LESSEE_ASKED_MAX 64 /* questions at once; who comes then is served as unknown */

struct server;

/* An address's place is given by its value: another one with the same place takes it over. */
struct lessees {
	struct lessee {
		uint32_t address;
		bool has_mac;
		struct mac mac;
		uint64_t until_ms; /* 0: never asked */
	} slots[LESSEE_SLOTS];
	unsigned asked;
	struct log_repeat failed_told;
};

MUST_CHECK enum err lessee_find(struct server *server, const struct udp_datagram *datagram,
				struct mac *ret_mac);
/* What is remembered of it, without asking. ERR_ABSENT, as of every address of IPv6. */
MUST_CHECK enum err lessee_recall(const struct server *server, const struct ip *address,
				  struct mac *ret_mac);

#endif
