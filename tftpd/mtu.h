/*
 * mtu - what an interface carries in one piece, looked up once a second at most: four system
 * calls are much for a file of a few octets, but an MTU can be changed.
 */
#ifndef ROUSE_TFTPD_MTU_H
#define ROUSE_TFTPD_MTU_H

#include <stdint.h>

#include "core/ip.h"

/* The interface that was asked about last. Zeroed memory knows none. */
struct mtu {
	unsigned interface;
	int octets;
	uint64_t until_ms; /* looked at anew from then on */
};

/* The largest block that the interface carries to that client in one piece (RFC 2348). */
uint16_t mtu_blksize(struct mtu *known, unsigned interface, const struct ip *client,
		     uint64_t now_ms);

#endif
