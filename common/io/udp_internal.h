/* udp_internal - what udp.c, udp_send.c and udp_error.c share. */
#ifndef ROUSE_IO_UDP_INTERNAL_H
#define ROUSE_IO_UDP_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "io/udp.h"

/* Room for what comes with a datagram: a socket of both kinds tells of IPv4's in both ways. */
#define UDP_CONTROL_SIZE                                                                       \
	(CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)))

/* An address as the kernel has it. */
union udp_sockaddr {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

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
	union udp_sockaddr peers[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][UDP_CONTROL_SIZE];
	size_t datagram_max;
	uint8_t buffers[]; /* UDP_BATCH of datagram_max */
};

/* Writes the address as a socket of that kind wants it; its length. */
socklen_t udp_write_sockaddr(bool is_ip6, const struct udp_peer *peer,
			     union udp_sockaddr *ret_address);
struct udp_peer udp_read_sockaddr(const union udp_sockaddr *address);
/* A bound descriptor with all options set, or -1 with errno. */
int udp_open_socket(const struct udp_options *options, bool *ret_is_ip6);
/* Empties the socket's error queue into on_error. */
void udp_drain_errors(struct udp *socket);

#endif
