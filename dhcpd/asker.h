/*
 * asker - who sent this packet, from which link, and to whom: what every decision begins with.
 *
 *	const char *reason = asker_identify(question, verdict, &is_renewal);
 *	if (reason)
 *		... silence, and why
 */
#ifndef ROUSE_DHCPD_ASKER_H
#define ROUSE_DHCPD_ASKER_H

#include <stdbool.h>

#include "dhcpd/decide.h"

/*
 * Fills in client, card, host, PXE, subnet and server of the verdict. NULL: it is known where
 * the client is; otherwise the reason, in words, why nobody can be answered, and the rest of
 * them may be missing. *ret_is_renewal: the client sent it to us alone, not to every server.
 */
const char *asker_identify(const struct decide_question *question,
			   struct decide_verdict *verdict, bool *ret_is_renewal);

#endif
