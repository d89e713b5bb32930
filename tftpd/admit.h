/*
 * admit - who gets a transfer when there are many: no address takes all, and nobody who has not
 * shown that he hears us takes a place from one who has.
 */
#ifndef ROUSE_TFTPD_ADMIT_H
#define ROUSE_TFTPD_ADMIT_H

#include "tftpd/server.h"

enum admit_verdict {
	ADMIT_YES,
	ADMIT_TOO_MANY, /* from this address: to be refused */
	ADMIT_FULL, /* silence: firmware asks again in a second, an ERROR would end its boot */
};

/* Makes room for one more transfer of that address, if it may have it. */
enum admit_verdict admit_request(struct server *server, const struct ip *address);

#endif
