/*
 * proxy - the boot answer alone, beside a server that gives the addresses (PXE 2.1 section 2.2,
 * "proxyDHCP").
 *
 * A booting client's DISCOVER gets an offer without an address. A BIOS ROM, iPXE and HTTP boot
 * find their file in it; UEFI firmware asks for its file on port 4011, which is the only way
 * that all of it understands. Who should not boot, and who shows no sign of booting, is met
 * with silence: its address is the other server's business.
 *
 *	struct proxy_verdict verdict;
 *	proxy_decide(&(struct proxy_question){.site = site, .packet = &packet, ...}, &verdict);
 *	if (verdict.message != 0 &&
 *	    proxy_encode(&packet, &verdict, buffer, &length) == ERR_OK)
 */
#ifndef ROUSE_DHCPD_PROXY_H
#define ROUSE_DHCPD_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/site.h"
#include "dhcpd/bootfile.h"
#include "dhcpd/packet.h"
#include "dhcpd/pxe.h"

#define PROXY_PORT 4011

struct proxy_question {
	const struct site *site;
	const struct packet *packet;
	uint32_t server;    /* our address on the interface; 0: it has none */
	bool is_proxy_port; /* it came to port 4011, not 67 */
};

struct proxy_verdict {
	enum packet_message message; /* PACKET_OFFER or PACKET_ACK; 0: silence */
	const char *reason;	     /* in words; never NULL, as long as the verdict */
	bool has_mac;
	struct mac mac;
	struct pxe_client pxe;
	uint32_t server;
	/* The offer promises a file and does not name it: it will be asked for on port 4011. */
	bool is_promise;
	struct bootfile boot;
};

void proxy_decide(const struct proxy_question *question, struct proxy_verdict *ret_verdict);
/* `buffer` has PACKET_SIZE_REPLY_MAX octets. ERR_SPACE: the client takes no reply so long. */
MUST_CHECK enum err proxy_encode(const struct packet *request,
				 const struct proxy_verdict *verdict, uint8_t *buffer,
				 size_t *ret_length);

#endif
