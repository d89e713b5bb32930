/*
 * frame - a UDP datagram with its IPv4 header, made by hand: a client that is just being given
 * its address answers no ARP for it, so the kernel's own sockets cannot reach it.
 *
 *	err = frame_encode(&(struct frame){...}, buffer, sizeof(buffer), &length);
 */
#ifndef ROUSE_DHCPD_FRAME_H
#define ROUSE_DHCPD_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define FRAME_HEADERS_SIZE 28

struct frame {
	uint32_t source, destination; /* addresses */
	uint16_t source_port, destination_port;
	const uint8_t *payload;
	size_t payload_length;
};

/* What an IPv4 packet carries: a view into it. */
struct frame_ip {
	uint32_t source, destination;
	const uint8_t *payload;
	size_t payload_length;
};

/* ERR_SPACE: the buffer is too small; ERR_RANGE: no datagram can be so long. */
MUST_CHECK enum err frame_encode(const struct frame *frame, uint8_t *buffer, size_t size,
				 size_t *ret_length);
/* ERR_FORMAT: no whole, unfragmented IPv4 packet of this protocol. */
MUST_CHECK enum err frame_parse_ip(const uint8_t *packet, size_t length, uint8_t protocol,
				   struct frame_ip *ret_ip);
/*
 * Reads an IPv4 packet; the payload is a view into it. Checksums are not looked at: what was
 * made on this machine has none yet. ERR_FORMAT: no whole, unfragmented UDP datagram.
 */
MUST_CHECK enum err frame_parse(const uint8_t *packet, size_t length, struct frame *ret_frame);

#endif
