/* udp_internal - what udp.c, udp_send.c and udp_error.c share. */
#ifndef ROUSE_IO_UDP_INTERNAL_H
#define ROUSE_IO_UDP_INTERNAL_H

#include <stdbool.h>

#include "io/socket.h"
#include "io/udp.h"

/* Room for what comes with a datagram: a socket of both kinds tells of IPv4's in both ways. */
#define UDP_CONTROL_SIZE                                                                       \
	(CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)))

struct udp {
	uv_poll_t poll;
	int socket;
	bool is_ip6; /* and maybe IPv4 as well */
	bool is_closing;
	bool cannot_segment; /* the kernel said so once */
	struct udp_options options;
	uint64_t send_errors;
	struct mmsghdr headers[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	union socket_address peers[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][UDP_CONTROL_SIZE];
	size_t datagram_max;
	uint8_t buffers[]; /* UDP_BATCH of datagram_max */
};

struct udp_peer udp_read_sockaddr(const union socket_address *address);
/* A bound descriptor with all options set, or -1 with errno. */
int udp_open_socket(const struct udp_options *options, bool *ret_is_ip6);
/* Empties the socket's error queue into on_error. */
void udp_drain_errors(struct udp *socket);

#endif
