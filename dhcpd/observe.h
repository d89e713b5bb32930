/*
 * observe - what a listener can tell of a client that another server gives its address to.
 *
 * Requests and broadcast answers are heard; an answer to one card alone is not. That it came is
 * inferred: the client named server and address in its REQUEST (options 54 and 50), and its
 * next packet shows that it has the address, or that it has gone one step on in its boot.
 *
 *	if (observe_request(&memory, &mac, class, &packet, now_ms, &inference))
 *		... tell of an ACK, marked as inferred ...
 *	class = observe_reply(&memory, &mac, &packet);
 */
#ifndef ROUSE_DHCPD_OBSERVE_H
#define ROUSE_DHCPD_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mac.h"
#include "dhcpd/packet.h"
#include "dhcpd/pxe.h"

#define OBSERVE_CLIENTS 512    /* remembered at once; the oldest is forgotten */
#define OBSERVE_WAIT_MS 600000 /* how late a next packet still tells something */
#define OBSERVE_FILE_SIZE 256

struct observe_memory {
	struct observe_client {
		struct mac mac;
		enum pxe_class class;
		bool is_waiting; /* for an ACK that was not heard yet */
		uint32_t address, server, xid;
		uint64_t at_ms;
	} clients[OBSERVE_CLIENTS];
	size_t next;
};

/* An ACK that nobody heard: of the client as it was then. */
struct observe_inference {
	enum pxe_class class;
	uint32_t address, server;
};

/* What a server or a proxy says of itself in its OFFER or ACK. */
struct observe_answer {
	uint32_t server; /* option 54, or where it came from */
	bool is_proxy;	 /* a boot answer without an address */
	bool says_pxe;	 /* option 60: firmware may ask it on port 4011 */
	uint32_t router, next_server;
	char boot_file[OBSERVE_FILE_SIZE];
};

/* Notes the packet of a client; true when it shows that an ACK came before it. */
bool observe_request(struct observe_memory *memory, const struct mac *mac, enum pxe_class class,
		     const struct packet *packet, uint64_t now_ms,
		     struct observe_inference *ret_inference);
/* Notes an answer that was heard; what the client was when it asked (an answer does not tell).
 */
enum pxe_class observe_reply(struct observe_memory *memory, const struct mac *mac,
			     const struct packet *packet);
/*
 * Reads an OFFER or ACK; `octets` are the packet's own, `source` the address that it came from.
 * false for any other message.
 */
bool observe_read_answer(const struct packet *packet, const uint8_t *octets, size_t length,
			 uint32_t source, struct observe_answer *ret_answer);
/* Where a client that takes this answer asks for its file: siaddr, else the server itself. */
uint32_t observe_boot_server(const struct observe_answer *answer);

#endif
