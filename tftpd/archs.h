/*
 * archs - what kind of machine a client is, for its view by-arch/: a TFTP request does not say
 * it.
 *
 * The machine has said it by DHCP (option 93) to dhcpd, or iPXE to menud, just before or at its
 * last boot, and both have recorded it: the database is asked (tftpd/inquiry.h). When it has
 * never heard of the machine the kind is not known, and none is guessed: a request's options
 * tell one loader from another, but no processor.
 */
#ifndef ROUSE_TFTPD_ARCHS_H
#define ROUSE_TFTPD_ARCHS_H

#include "tftpd/inquiry.h"

extern const struct inquiry_kind archs_kind; /* of server.archs */

/* As inquiry_find(). */
MUST_CHECK enum err archs_find(struct server *server, const struct udp_datagram *datagram,
			       const struct mac *mac, struct arch *ret_arch);

#endif
