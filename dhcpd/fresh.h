/*
 * fresh - what holds for an address that a client never had: is the client within the limits of
 * its port, and is somebody asked first whether the address is in use?
 *
 *	if (fresh_limit(question, verdict))
 *		... no fresh address, and why
 *	verdict->probe = fresh_probe(question, verdict, address);
 */
#ifndef ROUSE_DHCPD_FRESH_H
#define ROUSE_DHCPD_FRESH_H

#include "dhcpd/decide.h"

/* NULL: the client may have one; otherwise the reason why not, in words. */
const char *fresh_limit(const struct decide_question *question,
			const struct decide_verdict *verdict);
/*
 * How to ask for the address, if the subnet says so: INUSE_NOT_ASKED for one that the client
 * holds, held or was offered, for it may answer itself; and for one that was just asked for.
 */
enum inuse_way fresh_probe(const struct decide_question *question,
			   const struct decide_verdict *verdict, uint32_t address);

#endif
