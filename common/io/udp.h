/*
 * udp - datagrams on the loop, IPv4's and IPv6's: received in batches (recvmmsg) with the
 * interface and the local address they came to (IP_PKTINFO, IPV6_PKTINFO), sent in batches
 * (sendmmsg) from that address.
 *
 *	struct udp *socket;
 *	udp_open(loop, &(struct udp_options){.port = 69, .on_batch = on_batch, .data = server},
 * &socket);
 */
#ifndef ROUSE_IO_UDP_H
#define ROUSE_IO_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "io/loop.h"

#define UDP_BATCH 64
#define UDP_SEGMENTS 64	      /* what every kernel since 4.18 cuts in one go */
#define UDP_PAYLOAD_MAX 65507 /* of one datagram on IPv4; IPv6 has room for more */
/* One datagram on Ethernet's jumbo frames; larger ones are no TFTP request and no DHCP. */
#define UDP_DATAGRAM_SIZE 9216

struct udp;

struct udp_peer {
	struct ip address;
	unsigned scope; /* of a link-local address: its interface's index; else 0 */
	uint16_t port;	/* host order */
};

struct udp_datagram {
	const uint8_t *data;
	size_t length;
	struct udp_peer peer; /* who sent it, or is to get it */
	struct ip
		local; /* the address it came to; for sending: from; none: the kernel chooses */
	struct ip destination; /* what it was addressed to: `local`, a broadcast or a multicast
				  address; not used for sending */
	unsigned interface; /* index; for sending: 0 is the kernel's choice, which a link-local
			       `local` does not allow */
	/*
	 * For sending: data is many datagrams of so many octets each, one after the other, the
	 * last maybe shorter; at most UDP_SEGMENTS of them and UDP_PAYLOAD_MAX octets. 0: one.
	 */
	size_t segment;
};

struct udp_options {
	struct ip address; /* to bind; none: any of IPv4's */
	unsigned scope;	   /* of a link-local address: its interface's index */
	bool both;     /* with no address: any of IPv6's and of IPv4's, by one socket; of IPv4's
			  alone where the kernel knows no other */
	uint16_t port; /* host order; 0: any free one */
	const char *device;  /* SO_BINDTODEVICE, or NULL */
	bool broadcast;	     /* may send to 255.255.255.255 */
	bool reuse_port;     /* SO_REUSEPORT, for several processes */
	int activated;	     /* a bound descriptor given by systemd, or 0 to bind one */
	int receive_bytes;   /* SO_RCVBUF wanted (SO_RCVBUFFORCE where allowed); 0: 4 MiB */
	size_t datagram_max; /* octets of the longest one that is taken; 0: UDP_DATAGRAM_SIZE */
	/* One call per batch; the datagrams are valid during the call only. */
	void (*on_batch)(void *data, const struct udp_datagram *datagrams, size_t count);
	/* An ICMP error for something sent to `peer` (error is an errno); may be NULL. */
	void (*on_error)(void *data, const struct udp_peer *peer, int error);
	void *data;
};

/* ERR_SYSTEM: errno says why (EADDRINUSE, EACCES): the caller names address, port and remedy.
 */
MUST_CHECK enum err udp_open(struct loop *loop, const struct udp_options *options,
			     struct udp **ret_socket);
/* From now on it is of this device, which may be a new one of the name. As above. */
MUST_CHECK enum err udp_set_device(struct udp *socket, const char *name);
/* An empty one back to the sender, from the address that he asked. */
struct udp_datagram udp_reply_to(const struct udp_datagram *received);
bool udp_peer_equal(const struct udp_peer *a, const struct udp_peer *b);
/*
 * Sends as many as the kernel takes at once and returns that number; the rest is the caller's
 * to retry or drop (and count). A datagram that cannot be sent at all (no route, too long)
 * counts as taken, its error is counted in udp_send_errors(). Segments are cut by the kernel
 * (UDP_SEGMENT), or here where it cannot: by an old kernel, a device without checksums, a path
 * that is too narrow for them. Segments of which it took some only count as not taken.
 */
size_t udp_send(struct udp *socket, const struct udp_datagram *datagrams, size_t count);
/* Reads now what lies there, instead of in its turn: calls on_batch(), maybe. Not from its own.
 */
void udp_receive(struct udp *socket);
/* What comes is left in the socket meanwhile, which does not keep the loop alive then. */
void udp_pause(struct udp *socket, bool is_paused);
uint64_t udp_send_errors(const struct udp *socket);
uint16_t udp_port(const struct udp *socket);
/* Frees it when libuv has let go of it. Accepts NULL. */
void udp_close(struct udp *socket);

#endif
