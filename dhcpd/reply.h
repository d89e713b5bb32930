/*
 * reply - a verdict as octets (RFC 2131 table 3, RFC 2132, RFC 4578).
 *
 * Options come from optionset, in the order that the client asks for; what no client can do
 * without comes first. What does not fit the client's maximum (option 57) goes into `file` and
 * `sname` (option 52), or is left out whole and counted. Option 67 stands last with a PAD
 * behind it, since old EDK2 writes a NUL behind its name; the relay agent's option 82 goes back
 * as it came, at the very end.
 *
 *	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
 *	struct reply reply;
 *	if (reply_encode(&packet, &verdict, buffer, &reply) == ERR_OK)
 *		... send reply.length octets by route_reply(&packet, reply.message,
 * reply.yiaddr)
 */
#ifndef ROUSE_DHCPD_REPLY_H
#define ROUSE_DHCPD_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/decide.h"
#include "dhcpd/packet.h"

struct reply {
	enum packet_message message; /* OFFER, ACK or NAK */
	uint32_t yiaddr;
	size_t length;
	unsigned left_out; /* options that did not fit */
};

/*
 * `buffer` has PACKET_SIZE_REPLY_MAX octets. ERR_ABSENT: the verdict sends nothing. ERR_SPACE:
 * what must be in it does not fit the client's maximum.
 */
MUST_CHECK enum err reply_encode(const struct packet *request,
				 const struct decide_verdict *verdict, uint8_t *buffer,
				 struct reply *ret_reply);

#endif
