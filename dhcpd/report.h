/*
 * report - what dhcpd tells about a packet: events for rouse.events, and a line in the log.
 */
#ifndef ROUSE_DHCPD_REPORT_H
#define ROUSE_DHCPD_REPORT_H

#include "db/events.h"
#include "dhcpd/decide.h"
#include "dhcpd/packet.h"

/* The packet as it came. */
void report_request(struct events *events, const char *interface, const struct packet *packet,
		    const struct decide_verdict *verdict);
/* What became of it; `sent` are the octets of the answer, 0 for none. */
void report_verdict(struct events *events, const char *interface, const struct packet *packet,
		    const struct decide_verdict *verdict, size_t sent);

/* An address that was to be offered is in use. */
struct report_conflict {
	uint32_t address;
	enum inuse_way way;
	const struct mac *by; /* who answered; NULL: not known */
};
void report_conflict(struct events *events, const char *interface, const struct packet *packet,
		     const struct report_conflict *conflict);

#endif
