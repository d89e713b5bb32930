/*
 * tap - hears DHCP on one interface without binding its ports: a packet socket with a filter.
 * So it shares a wire, and even a host, with any other server, and takes nothing from it: the
 * kernel gives a tap copies.
 *
 * The socket needs CAP_NET_RAW only to be opened.
 *
 *	err = tap_open(&(struct tap_options){.link = link, .what = TAP_EVERYTHING,
 *						   .on_heard = on_heard, .data = self}, &tap);
 */
#ifndef ROUSE_DHCPD_TAP_H
#define ROUSE_DHCPD_TAP_H

#include <stdbool.h>

#include "core/err.h"
#include "core/mac.h"
#include "dhcpd/frame.h"
#include "dhcpd/link.h"

struct tap;

enum tap_what {
	TAP_REPLIES,	/* to port 68, as they come from the wire */
	TAP_EVERYTHING, /* to port 67 or 68, also what this host itself sends */
};

struct tap_heard {
	struct mac mac; /* the card that sent the frame */
	bool is_own;	/* sent by this host: by us, or by a server beside us */
	bool is_others; /* the frame is for another card: a switch floods it, or it is `also` */
	struct frame frame;
};

struct tap_options {
	struct link *link;
	enum tap_what what;
	struct mac also; /* frames for this card are let in, too; zero: none */
	/* The payload is valid during the call only. */
	void (*on_heard)(void *data, const struct tap_heard *heard);
	void *data;
};

/* A message is written: ERR_SYSTEM. */
MUST_CHECK enum err tap_open(const struct tap_options *options, struct tap **ret_tap);
/* After link_close(), with which it hears no more. Accepts NULL. */
void tap_close(struct tap *tap);

#endif
