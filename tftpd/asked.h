/*
 * asked - one request on its way to a transfer: what it says, who asks, and what was made of
 * its name. Lives while request_take() runs.
 */
#ifndef ROUSE_TFTPD_ASKED_H
#define ROUSE_TFTPD_ASKED_H

#include "core/arch.h"
#include "core/mac.h"
#include "core/path.h"
#include "io/udp.h"
#include "tftpd/packet.h"
#include "tftpd/resolve.h"
#include "tftpd/server.h"

struct asked {
	struct server *server;
	const struct udp_datagram *datagram;
	struct packet_request request;
	struct resolved resolved;
	struct mac mac;
	bool has_mac;
	struct arch arch;
	bool has_arch;	   /* looked for only where there are views */
	unsigned repaired; /* what had to be mended in the name, a set of 1 << enum repair */
	char mapped[PATH_SIZE]; /* the name by the site's rules */
	char served[PATH_SIZE]; /* the file's own name, when it is another than was asked */
	bool is_read; /* its file was read just now: if it is not in memory, it never will be */
	bool is_loop; /* iPXE asked for its own binary: it gets its script */
	const char *stage;
};

/* The client's MAC for a message, "unknown" without one; `text` has MAC_TEXT_SIZE octets. */
const char *asked_mac(const struct asked *asked, char *text);

/* Answers with an ERROR, and tells of it. It comes from a transfer socket, as RFC 1350 wants,
 * and costs no transfer. */
void asked_refuse(const struct asked *asked, enum packet_code code, const char *reason);
/* Who asks, as resolve wants it; points into `asked`. */
struct resolve_client asked_client(const struct asked *asked);

#endif
