/*
 * report_heard - what dhcpd tells of packets that it does not answer as a server: what it hears
 * beside another server, and what it answers as a proxy. Events for rouse.events, lines in the
 * log.
 */
#ifndef ROUSE_DHCPD_REPORT_HEARD_H
#define ROUSE_DHCPD_REPORT_HEARD_H

#include "db/events.h"
#include "dhcpd/observe.h"
#include "dhcpd/packet.h"
#include "dhcpd/proxy.h"
#include "dhcpd/solicit.h"

/* A client's packet, as it came. */
void report_heard_request(struct events *events, const char *interface,
			  const struct packet *packet);
/* Another server's answer to a client of this class; NULL: it is neither OFFER nor ACK. */
void report_heard_reply(struct events *events, const char *interface,
			const struct packet *packet, enum pxe_class class,
			const struct observe_answer *answer);
/* An ACK that nobody heard. */
void report_heard_inference(struct events *events, const char *interface, const struct mac *mac,
			    const struct observe_inference *inference);
/* A machine that boots asks by IPv6. */
void report_heard_solicit(struct events *events, const char *interface, const struct mac *mac,
			  const struct solicit *solicit);
/* What the proxy answered, or why it kept silent to a machine that boots. */
void report_heard_proxy(struct events *events, const char *interface,
			const struct packet *packet, const struct proxy_verdict *verdict);

#endif
