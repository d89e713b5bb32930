/* udp_internal - what udp.c, udp_send.c and udp_error.c share. */
#ifndef ROUSE_IO_UDP_INTERNAL_H
#define ROUSE_IO_UDP_INTERNAL_H

#include <stdbool.h>

#include "io/udp.h"

/* One datagram on Ethernet's jumbo frames; larger ones are no TFTP request and no DHCP. */
#define UDP_DATAGRAM_SIZE 9216
/* Room for IP_PKTINFO and UDP_SEGMENT, aligned as cmsg(3) wants. */
#define UDP_CONTROL_SIZE (CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)))

struct udp {
	uv_poll_t poll;
	int socket;
	bool is_closing;
	bool cannot_segment; /* the kernel said so once */
	struct udp_options options;
	uint64_t send_errors;
	struct mmsghdr headers[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	struct sockaddr_in peers[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][UDP_CONTROL_SIZE];
	size_t datagram_max;
	uint8_t buffers[]; /* UDP_BATCH of datagram_max */
};

/* Empties the socket's error queue into on_error. */
void udp_drain_errors(struct udp *socket);

#endif
