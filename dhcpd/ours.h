/*
 * ours - the IPv4 addresses of this host, on whatever interface. By any of them a client may
 * mean this server (RFC 2131 section 4.1), and none of them is ever given away.
 *
 *	if (ours_hold(&ours, server))
 *		... the client means us
 */
#ifndef ROUSE_DHCPD_OURS_H
#define ROUSE_DHCPD_OURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OURS_MAX 128

struct ours {
	uint32_t addresses[OURS_MAX];
	size_t count;
};

/* false for NULL: nothing is known. */
bool ours_hold(const struct ours *ours, uint32_t address);

#endif
