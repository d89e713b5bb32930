/*
 * declines - addresses that are in use without a lease, or that their client found in use: the
 * database is told, also when it is away for a while. What waits is sent again until it has
 * been recorded, since nobody else knows of it.
 *
 *	declines_add(declines, &decline);	on_recorded() when the database has it
 */
#ifndef ROUSE_DHCPD_DECLINES_H
#define ROUSE_DHCPD_DECLINES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "db/conn.h"
#include "dhcpd/lease.h"
#include "io/loop.h"

struct declines;

enum decline_kind {
	DECLINE_LEASED,	 /* by the client that holds its lease */
	DECLINE_OFFERED, /* by the client that it was offered to */
	DECLINE_IN_USE,	 /* `client` was found to use it */
};

struct decline {
	uint32_t address;
	enum decline_kind kind;
	bool has_mac;
	struct mac mac;
	struct lease_client client;
};

struct declines_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	/* The database has quarantined it, unless somebody else has leased it. */
	void (*on_recorded)(void *data, const struct decline *decline);
	void *data;
};

MUST_CHECK enum err declines_open(const struct declines_options *options,
				  struct declines **ret_declines);
/* ERR_SPACE: too many wait. */
MUST_CHECK enum err declines_add(struct declines *declines, const struct decline *decline);
/* Sends what waits: after a reconnect, or now and then. */
void declines_retry(struct declines *declines);
/* After db_close(). Accepts NULL. */
void declines_close(struct declines *declines);

#endif
