/*
 * origins - through which relay and port leases were asked for, on its way into the database
 * (rouse_daemon.lease_origin). It is no promise: it goes beside the leases, never in their
 * statement, and what cannot wait any longer is dropped and counted.
 */
#ifndef ROUSE_DHCPD_ORIGINS_H
#define ROUSE_DHCPD_ORIGINS_H

#include <stdint.h>

#include "core/err.h"
#include "db/conn.h"
#include "dhcpd/lease.h"
#include "dhcpd/packet.h"
#include "io/loop.h"

struct origins;

MUST_CHECK enum err origins_open(struct loop *loop, struct db_conn *conn,
				 struct origins **ret_origins);
/* Notes a lease whose request came by a relay; any other packet is nothing to note. */
void origins_note(struct origins *origins, const struct packet *packet,
		  const struct lease_client *client, uint32_t address);
uint64_t origins_dropped(const struct origins *origins);
/* Sends what waits, and stops; before db_close(). Accepts NULL. */
void origins_close(struct origins *origins);

#endif
