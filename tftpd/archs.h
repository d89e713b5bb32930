/*
 * archs - what kind of machine a client is, for its view by-arch/: a TFTP request does not say
 * it.
 *
 * The machine has said it by DHCP (option 93) to dhcpd, or iPXE to menud, just before or at its
 * last boot, and both have recorded it: so the database is asked, once for a machine, and its
 * answer is kept for a while. Meanwhile the request is parked, ARCHS_PARKED_MS at most. Without
 * a database, when it does not answer, or when it has never heard of the machine, the kind is
 * not known, and none is guessed: a request's options tell one loader from another, but no
 * processor.
 *
 *	switch (archs_find(server, datagram, &mac, &arch)) {
 *	case ERR_OK:		it is known
 *	case ERR_ABSENT:	it is not
 *	case ERR_AWAY:		nothing now: the request comes back by itself
 */
#ifndef ROUSE_TFTPD_ARCHS_H
#define ROUSE_TFTPD_ARCHS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arch.h"
#include "core/err.h"
#include "core/mac.h"
#include "io/log.h"
#include "io/udp.h"

#define ARCHS_SLOTS 1024      /* machines that are remembered */
#define ARCHS_KEPT_MS 30000   /* what the database said: until it may have booted another way */
#define ARCHS_UNKNOWN_MS 5000 /* that it said nothing, or knew nothing */
#define ARCHS_PARKED_MS 1000
#define ARCHS_ASKED_MAX 64 /* questions at once; who comes then is served as unknown */

struct server;

/* A machine's place is given by its MAC: another one with the same place takes it over. */
struct archs {
	struct archs_entry {
		struct mac mac;
		bool is_known;
		struct arch arch;
		uint64_t until_ms; /* 0: never asked */
	} slots[ARCHS_SLOTS];
	unsigned asked;
	struct log_repeat failed_told;
};

MUST_CHECK enum err archs_find(struct server *server, const struct udp_datagram *datagram,
			       const struct mac *mac, struct arch *ret_arch);

#endif
