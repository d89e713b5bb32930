/*
 * solicit - a machine that boots asks for an address by IPv6: its DHCPv6 SOLICIT (RFC 8415
 * section 16.2, RFC 5970), which dhcpd hears and does not answer. Firmware that tries IPv6
 * first costs its user a minute or two, and one that knows nothing else is not heard by IPv4.
 *
 *	if (solicit_read(packet, length, &solicit) && solicit_is_new(&memory, &mac, now_ms))
 *		... tell of it ...
 */
#ifndef ROUSE_DHCPD_SOLICIT_H
#define ROUSE_DHCPD_SOLICIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mac.h"
#include "dhcpd/pxe.h"

#define SOLICIT_CLIENTS 64     /* remembered at once; the oldest is forgotten */
#define SOLICIT_AGAIN_MS 30000 /* a client that repeats itself is told of so often */

struct solicit {
	enum pxe_class class;
	bool has_arch;
	uint16_t arch_code;
};

struct solicit_memory {
	struct {
		struct mac mac;
		uint64_t until_ms; /* 0: a free place */
	} clients[SOLICIT_CLIENTS];
	size_t next;
};

/*
 * Reads an IPv6 packet, maybe cut off at its end. true: a SOLICIT of firmware or of iPXE, as
 * its vendor class, user class or architecture shows. What an operating system asks is none.
 */
bool solicit_read(const uint8_t *packet, size_t length, struct solicit *ret_solicit);
/* Has this card not been told of a moment ago? Then it is noted. */
bool solicit_is_new(struct solicit_memory *memory, const struct mac *mac, uint64_t now_ms);

#endif
