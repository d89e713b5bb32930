/*
 * link - one network interface: its address, and frames to clients that have none yet (packet
 * sockets; the socket needs CAP_NET_RAW only to be opened). It also hears router solicitations
 * and answers those of booting clients (see advert.h), and what such clients ask by DHCPv6 (see
 * solicit.h).
 *
 *	struct link *link;
 *	link_open(loop, "eth1", &link);
 *	link_send(link, &mac, &frame);
 */
#ifndef ROUSE_DHCPD_LINK_H
#define ROUSE_DHCPD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "dhcpd/ear.h"
#include "dhcpd/frame.h"
#include "dhcpd/ours.h"
#include "io/loop.h"

struct link;
struct solicit;

/* A machine that boots has asked by IPv6; see solicit_is_new(). */
typedef void link_on_solicit(void *data, const struct mac *mac, const struct solicit *solicit);

enum link_change {
	LINK_THERE,
	LINK_GONE, /* told once */
	LINK_ANEW, /* there is another one of its name */
};

/* A message is written: ERR_ABSENT: no such interface; ERR_FORMAT: no Ethernet; ERR_SYSTEM. */
MUST_CHECK enum err link_open(struct loop *loop, const char *name, struct link **ret_link);
/*
 * One more ear of this interface (whose number it fills in); it is closed with the link.
 * ERR_SYSTEM: a message is written.
 */
MUST_CHECK enum err link_listen(struct link *link, const struct ear_options *options,
				struct ear **ret_ear);
/*
 * To be called now and then: VLANs and bridges come and go. LINK_ANEW: all ears have moved to
 * the new one; sockets that are bound to the device must still.
 */
enum link_change link_look(struct link *link);
const char *link_name(const struct link *link);
unsigned link_index(const struct link *link);
struct mac link_mac(const struct link *link);
/* Its first IPv4 address, as of now; 0 when it has none. */
uint32_t link_address(struct link *link);
/* The addresses of all interfaces of this host; those of before stay where that fails. */
void link_read_ours(const struct link *link, struct ours *ours);
/* The kernel may have taken the interface away: false, and counted. */
bool link_send(struct link *link, const struct mac *mac, const struct frame *frame);
/* An ARP packet for everybody on the wire. */
bool link_send_arp(struct link *link, const void *packet, size_t length);
/* This client is booting: its solicitations are answered for two minutes. */
void link_note_booting(struct link *link, const struct mac *mac);
/* The setting ipv6_router_advertisement. */
void link_set_adverts(struct link *link, bool is_on);
void link_hear_solicits(struct link *link, link_on_solicit *on_solicit, void *data);
uint64_t link_adverts_sent(const struct link *link);
/* From now on none of its ears calls anybody. Accepts NULL. */
void link_close(struct link *link);

#endif
