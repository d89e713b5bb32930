/*
 * fresh - what holds for an address that a client never had: is the client within the limits of
 * its port, of its MAC's prefix and of its own declines, and is somebody asked first whether
 * the address is in use?
 *
 *	if (fresh_limit(question, verdict))
 *		... no fresh address, and why
 *	verdict->probe = fresh_probe(question, verdict, address);
 */
#ifndef ROUSE_DHCPD_FRESH_H
#define ROUSE_DHCPD_FRESH_H

#include "dhcpd/decide.h"

#define FRESH_DECLINES_MAX 8 /* of one client, at the same time */

/* NULL: the client may have one; otherwise the reason why not, in words. */
const char *fresh_limit(const struct decide_question *question,
			const struct decide_verdict *verdict);
/*
 * Counts what was offered or acknowledged, for the limits that are set. A host that operators
 * know, and an address that they reserved, are under no limit by prefix and do not count.
 */
void fresh_note(struct quotas *quotas, const struct decide_question *question,
		const struct decide_verdict *verdict);
/* The address turned out to be in use by somebody else: whom it was for has not taken it. */
void fresh_forget(struct quotas *quotas, const struct decide_question *question,
		  uint32_t address);
/*
 * How to ask for the address, if the subnet says so: INUSE_NOT_ASKED for one that the client
 * holds, held or was offered, for it may answer itself; and for one that was just asked for.
 */
enum inuse_way fresh_probe(const struct decide_question *question,
			   const struct decide_verdict *verdict, uint32_t address);

#endif
