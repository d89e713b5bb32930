/*
 * store - leases between this process and the database: the table in memory, the grants that
 * wait to be committed with the packets that asked for them, and the questions about unknown
 * clients.
 *
 * The server is called back with the parked packet once the database has answered; it decides
 * it again. While the database is away, slow or not yet read, store_is_up() is false and the
 * outage rule holds: nothing is granted, what is recorded is honoured.
 */
#ifndef ROUSE_DHCPD_STORE_H
#define ROUSE_DHCPD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/site.h"
#include "db/conn.h"
#include "dhcpd/grants.h"
#include "dhcpd/lease_table.h"
#include "dhcpd/parking.h"
#include "io/loop.h"

struct store;

struct store_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	const char *saved_file; /* "": none */
	/* What operators configured, now. */
	const struct site *(*site)(void *data);
	/*
	 * The database has answered for this packet; the table holds the answer. `seconds` is
	 * what it has recorded for parked->address, 0 when it recorded nothing.
	 */
	void (*on_answer)(void *data, const struct parked *parked, uint32_t seconds);
	void *data;
};

struct store_counts {
	uint64_t granted, lost_races, refused, expired, full, statements;
};

/* Reads the saved file, if there is one. */
MUST_CHECK enum err store_open(const struct store_options *options, struct store **ret_store);
const struct lease_table *store_leases(const struct store *store);
/* Are grants being recorded? Otherwise the outage rule. */
bool store_is_up(const struct store *store);
struct store_counts store_counts(const struct store *store);

/* From the connection's callbacks. */
void store_on_up(struct store *store);
void store_on_down(struct store *store);

/* Ask the database about the client of this packet. false: too many wait; counted. */
bool store_ask(struct store *store, const struct parked *parked);
/* Record a lease for this packet. false: too many wait; counted. */
bool store_grant(struct store *store, const struct parked *parked, const struct grant *grant);
void store_hold(struct store *store, const struct lease_holder *holder, uint64_t until_ms);
void store_forget(struct store *store, const struct lease_client *client,
		  const struct ip4_net *net);
void store_release(struct store *store, const struct lease_client *client, uint32_t address);
/* The client found that somebody else uses what it has, or was offered: quarantined, and the
 * database is told as soon as it can be. */
void store_decline(struct store *store, const struct lease_client *client, uint32_t address);
/* This user, who has no lease, has an address that was to be offered: as after a decline. */
void store_quarantine(struct store *store, const struct lease_holder *holder);

/* Writes the saved file and stops; after db_close(). */
void store_close(struct store *store);

#endif
