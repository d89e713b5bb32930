/*
 * inuse - is an address in use? The packets that ask, and what answers say.
 *
 * On the wire of an interface by an ARP probe (RFC 5227 section 2.1.1: a request whose sender
 * has no address yet, so that nobody's cache learns a wrong one); behind a relay by an ICMP
 * echo request (RFC 792).
 *
 *	inuse_put_arp(&our_mac, address, packet);
 *	if (inuse_read_arp(packet, length, &answer) == ERR_OK)
 *		... answer.address is in use, by answer.mac
 */
#ifndef ROUSE_DHCPD_INUSE_H
#define ROUSE_DHCPD_INUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "dhcpd/lease.h"

#define INUSE_ARP_SIZE 28
#define INUSE_ECHO_SIZE 16

enum inuse_way {
	INUSE_NOT_ASKED,
	INUSE_ARP,
	INUSE_ICMP,
};

struct inuse_answer {
	uint32_t address; /* somebody uses it */
	bool has_mac;
	struct mac mac; /* of who uses it, where that is known */
};

/* "arp" or "icmp". */
const char *inuse_way_name(enum inuse_way way);
void inuse_put_arp(const struct mac *our_mac, uint32_t address, uint8_t packet[INUSE_ARP_SIZE]);
/*
 * Any ARP packet whose sender has an address shows it in use. One without (a probe) counts not,
 * other than RFC 5227 has it: it may be that of another dhcpd, which asks for the same client.
 * ERR_FORMAT: no such packet of IPv4 over Ethernet.
 */
MUST_CHECK enum err inuse_read_arp(const uint8_t *packet, size_t length,
				   struct inuse_answer *ret_answer);
/* An ICMP message; `token` comes back in its answer, and nobody else can know it. */
void inuse_put_echo(uint64_t token, uint8_t message[INUSE_ECHO_SIZE]);
/* An IPv4 packet. ERR_FORMAT: no whole answer to an echo request with this token. */
MUST_CHECK enum err inuse_read_echo(const uint8_t *packet, size_t length, uint64_t token,
				    struct inuse_answer *ret_answer);
/* The key under which its user has the address: its card, else only that somebody does. */
void inuse_client(const struct inuse_answer *answer, struct lease_client *ret_client);

#endif
