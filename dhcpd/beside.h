/*
 * beside - living with other DHCP servers: what is heard of them, and whether we may serve.
 *
 * In mode server a tap hears other servers' broadcast answers, and a probe asks before we
 * serve; while a stranger answers, we only listen. One who comes later is told of, and the
 * setting dhcp_step_back says whether we make way for it. In mode proxy the boot answers are
 * added to another server's addresses; in mode observe nobody is answered. Neither of these
 * two binds port 67.
 */
#ifndef ROUSE_DHCPD_BESIDE_H
#define ROUSE_DHCPD_BESIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/backend.h"
#include "dhcpd/foreign.h"
#include "dhcpd/link.h"
#include "dhcpd/packet.h"
#include "dhcpd/settings.h"
#include "io/loop.h"

struct beside;

struct beside_options {
	struct loop *loop;
	const struct settings *settings;
	struct backend *const *backend; /* there from the first packet on */
};

MUST_CHECK enum err beside_open(const struct beside_options *options,
				struct beside **ret_beside);
/* One more interface, in the caller's order. A message is written when it fails. */
MUST_CHECK enum err beside_add(struct beside *beside, struct link *link);
/* The interface was made anew: its sockets go there. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err beside_follow(struct beside *beside, size_t interface);
/* May requests of this interface be answered with addresses? */
bool beside_is_serving(const struct beside *beside, size_t interface);
/* A client's packet that is not answered here: for its trace. */
void beside_hear_request(struct beside *beside, size_t interface, const struct packet *packet);
/* A client of this interface's own segment took the offer of a server that is not us. */
void beside_hear_choice(struct beside *beside, size_t interface, uint32_t server);
/* For struct foreign_options. */
struct foreign_self beside_self(const struct beside *beside);
/* One line for people: the mode, and who is in the way. */
void beside_status(const struct beside *beside, char *buffer, size_t size);
/* Accepts NULL. */
void beside_close(struct beside *beside);

#endif
