/*
 * lessee - which machine has leased an address: the way to name clients behind a router, whom
 * the kernel's neighbour table does not know.
 *
 * Leases are many and change all the time, so tftpd has no copy of them: the database is asked
 * when such a client first asks for something (tftpd/inquiry.h). A client that it does not know
 * is an unknown machine, and is served as one; so is one behind a router of IPv6, whose
 * addresses nobody leases here: of those nothing is asked.
 */
#ifndef ROUSE_TFTPD_LESSEE_H
#define ROUSE_TFTPD_LESSEE_H

#include "tftpd/inquiry.h"

extern const struct inquiry_kind lessee_kind; /* of server.lessees */

/* As inquiry_find(). */
MUST_CHECK enum err lessee_find(struct server *server, const struct udp_datagram *datagram,
				struct mac *ret_mac);
/* What is remembered of it, without asking. ERR_ABSENT, ERR_AWAY: nothing. */
MUST_CHECK enum err lessee_recall(const struct server *server, const struct ip *address,
				  struct mac *ret_mac);

#endif
