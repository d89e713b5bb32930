/*
 * proxy_server - proxyDHCP on the wire: what proxy.h decides, sent. Offers go as frames, since
 * port 67 may be another server's on this very host; port 4011 is an ordinary socket on each
 * interface. An offer may be held back a moment, for ROMs that look at the first ones only.
 */
#ifndef ROUSE_DHCPD_PROXY_SERVER_H
#define ROUSE_DHCPD_PROXY_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/backend.h"
#include "dhcpd/link.h"
#include "dhcpd/packet.h"
#include "io/loop.h"

struct proxy_server;

struct proxy_server_options {
	struct loop *loop;
	unsigned delay_ms;		/* before an offer leaves */
	struct backend *const *backend; /* there from the first packet on */
};

struct proxy_server_counts {
	uint64_t offers, answers; /* by port 67 and by 4011 */
	uint64_t left_out;	  /* too many held back at once, or too long for the client */
};

MUST_CHECK enum err proxy_server_open(const struct proxy_server_options *options,
				      struct proxy_server **ret_server);
/* One more interface: its port 4011. A message is written: ERR_SYSTEM. */
MUST_CHECK enum err proxy_server_add(struct proxy_server *server, struct link *link);
/* The interface was made anew: its port 4011 is there. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err proxy_server_follow(struct proxy_server *server, size_t position);
/* A client's packet that came to port 67. */
void proxy_server_hear(struct proxy_server *server, struct link *link,
		       const struct packet *packet);
struct proxy_server_counts proxy_server_counts(const struct proxy_server *server);
/* Accepts NULL. */
void proxy_server_close(struct proxy_server *server);

#endif
