/*
 * advert - ends iPXE's wait for an IPv6 router.
 *
 * iPXE asks for routers (RFC 4861 section 4.1) before it boots and stands still for 15 s where
 * none answers. One advertisement of router lifetime 0 ("I am no default router", section 4.2)
 * ends the wait and changes no host's routing. It goes only to cards that have just sent a PXE
 * or iPXE DISCOVER, and only where no router was heard.
 *
 *	advert_note_client(&memory, &mac, now_ms);		on each such DISCOVER
 *	if (advert_read(&memory, &frame, now_ms) && advert_is_due(&memory, &frame.mac, now_ms))
 *		length = advert_encode(&our_mac, frame.source, buffer);
 */
#ifndef ROUSE_DHCPD_ADVERT_H
#define ROUSE_DHCPD_ADVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mac.h"

#define ADVERT_CLIENTS 256	  /* remembered at once; the oldest is forgotten */
#define ADVERT_CLIENT_MS 120000	  /* how long a DISCOVER counts */
#define ADVERT_SIZE (40 + 16 + 8) /* IPv6 header, advertisement, our hardware address */

struct advert_memory {
	struct {
		struct mac mac;
		uint64_t at_ms;
	} clients[ADVERT_CLIENTS];
	size_t next;
	uint64_t router_until_ms; /* a router's own lifetime, from its last advertisement */
};

void advert_note_client(struct advert_memory *memory, const struct mac *mac, uint64_t now_ms);
/* Is this card booting, and is there no router that would answer it? */
bool advert_is_due(const struct advert_memory *memory, const struct mac *mac, uint64_t now_ms);
/*
 * Looks at an IPv6 packet. A router's advertisement is noted. For a valid solicitation: true,
 * and the address it came from.
 */
bool advert_read(struct advert_memory *memory, const uint8_t *packet, size_t length,
		 uint64_t now_ms, uint8_t ret_source[16]);
/* The IPv6 packet that answers, from the link-local address of our card. */
void advert_encode(const struct mac *our_mac, const uint8_t destination[16],
		   uint8_t ret_packet[ADVERT_SIZE]);

#endif
