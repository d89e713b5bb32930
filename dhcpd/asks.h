/*
 * asks - which leases has this client? Questions to the database, many in one statement: those
 * that come while one is under way form the next.
 *
 *	asks_add(asks, &client);	on_lease() for each lease found, then on_answer() once
 */
#ifndef ROUSE_DHCPD_ASKS_H
#define ROUSE_DHCPD_ASKS_H

#include <stddef.h>

#include "core/err.h"
#include "db/conn.h"
#include "db/rows.h"
#include "dhcpd/lease.h"
#include "io/loop.h"

struct asks;

struct asks_options {
	struct loop *loop;
	struct db_conn *conn;
	/* A row of lease_find(): a client's best lease comes last. */
	void (*on_lease)(void *data, const struct db_rows *rows, size_t position);
	/* All of this client's leases were told. */
	void (*on_answer)(void *data, const struct lease_client *client);
	void *data;
};

MUST_CHECK enum err asks_open(const struct asks_options *options, struct asks **ret_asks);
/* ERR_SPACE: too many wait. */
MUST_CHECK enum err asks_add(struct asks *asks, const struct lease_client *client);
/* Sends what waits, if nothing is under way: after a reconnect, or now and then. */
void asks_retry(struct asks *asks);
/* After db_close(). */
void asks_close(struct asks *asks);

#endif
