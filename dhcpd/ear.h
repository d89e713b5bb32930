/*
 * ear - a packet socket that hears one protocol on one interface, through a filter.
 *
 * It needs CAP_NET_RAW only to be opened. An interface that goes down and comes back is heard
 * again; one that was made anew under its old name has another number, where ear_move() goes.
 *
 *	err = ear_open(loop, &(struct ear_options){.interface = index, .protocol = ETH_P_ARP,
 *						   .filter = filter, .on_frame = on_frame,
 *						   .data = self}, &ear);
 */
#ifndef ROUSE_DHCPD_EAR_H
#define ROUSE_DHCPD_EAR_H

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "io/loop.h"

#define EAR_FRAME_MAX 2176 /* of a longer one this much is heard */

struct ear;

struct ear_options {
	unsigned interface;
	uint16_t protocol;	  /* ETH_P_... */
	struct sock_fprog filter; /* copied by the kernel */
	int receive_bytes;	  /* buffer wanted; 0: the system's */
	/* A packet without the Ethernet header; valid during the call only. */
	void (*on_frame)(void *data, const struct sockaddr_ll *from, const uint8_t *packet,
			 size_t length);
	void *data;
};

/* ERR_SYSTEM: errno says why. */
MUST_CHECK enum err ear_open(struct loop *loop, const struct ear_options *options,
			     struct ear **ret_ear);
/* Frames for this card or group (PACKET_MR_UNICAST, PACKET_MR_MULTICAST), too. As above. */
MUST_CHECK enum err ear_join(struct ear *ear, unsigned short type, const struct mac *mac);
/* The socket, for sending. */
int ear_socket(const struct ear *ear);
/* On that interface from now on, with all that was joined. As above. */
MUST_CHECK enum err ear_move(struct ear *ear, unsigned interface);
/* Frees it when libuv has let go of it. Accepts NULL. */
void ear_close(struct ear *ear);

#endif
