/*
 * ports - the key `transfer_ports`: which UDP ports transfers run on.
 *
 *	any		what the kernel gives, as RFC 1350 section 4 has it
 *	50000-50015	these, for a firewall
 *	same		the port of requests, for NAT and containers that forward one port
 */
#ifndef ROUSE_TFTPD_PORTS_H
#define ROUSE_TFTPD_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct ports {
	uint16_t first, last; /* both 0: any */
	bool is_same;
};

/* ERR_FORMAT: none of the three. ERR_RANGE: ports are 1 to 65535, the lesser first. */
MUST_CHECK enum err ports_parse(const char *text, struct ports *ret_ports);

#endif
