#include "dhcpd/reassert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/rows.h"
#include "dhcpd/clienttext.h"
#include "io/log.h"

#define ROWS_MOST 256
#define DEADLINE_MS 10000
#define TIMELINE_SIZE 24

struct reassert {
	struct reassert_options options;
	const struct lease_table *table;
	uint32_t *asserted; /* addresses; the first `next` are done */
	size_t count, next, in_flight;
	size_t conflicts;
	char timeline[TIMELINE_SIZE];
	char addresses[ROWS_MOST * (IP4_TEXT_SIZE + 1) + 3];
	char clients[ROWS_MOST * CLIENTTEXT_ELEMENT + 3];
	char macs[ROWS_MOST * (MAC_TEXT_SIZE + 1) + 3];
	char seconds[ROWS_MOST * 12 + 3];
};

static void say_conflict(struct reassert *reassert, uint32_t asserted)
{
	const struct lease *lease = lease_at(reassert->table, asserted);
	char address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE] = "-";

	ip4_format(asserted, address);
	if (lease && lease->has_mac)
		mac_format(&lease->mac, mac);
	reassert->conflicts++;
	log_error("lease_conflict", "address=%s mac=%s reason=%s remedy=%s", address, mac,
		  log_text("after the failover another client was granted this address too"),
		  log_text("the address is declined until both leases are over; restart the "
			   "network of both machines, and replicate synchronously"));
}

static void send_slice(struct reassert *reassert);

static void on_slice(void *data, const struct db_answer *answer)
{
	struct reassert *reassert = data;

	if (reassert->in_flight == 0)
		return; /* stopped */
	if (answer->outcome != DB_OK) {
		reassert_stop(reassert);
		reassert->options.on_done(reassert->options.data, answer);
		return;
	}
	for (size_t i = 0; i < rows_count(answer->rows) && i < reassert->in_flight; i++) {
		struct row row = rows_row(answer->rows, i);

		if (!row_truth(&row, "kept"))
			say_conflict(reassert, reassert->asserted[reassert->next + i]);
	}
	reassert->next += reassert->in_flight;
	reassert->in_flight = 0;
	send_slice(reassert);
}

static void put_lease(struct text columns[4], const struct lease *lease, uint64_t now_ms,
		      const char *comma)
{
	char address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE] = "NULL";
	struct lease_client client;

	ip4_format(lease->address, address);
	lease_key_copy(&lease->client, &client);
	if (lease->has_mac)
		mac_format(&lease->mac, mac);
	for (int i = 0; i < 4; i++)
		text_put(&columns[i], comma);
	text_put(&columns[0], address);
	clienttext_put_element(&columns[1], &client);
	text_put(&columns[2], mac);
	/* rounded up: the client was promised this much */
	text_printf(&columns[3], "%u", lease_seconds_left(lease, now_ms) + 1);
}

static bool send_rows(struct reassert *reassert, const uint32_t *asserted, size_t count)
{
	const char *params[] = {reassert->options.instance, reassert->addresses,
				reassert->clients, reassert->macs, reassert->seconds};
	struct text columns[4] = {
		text_into(reassert->addresses, sizeof(reassert->addresses)),
		text_into(reassert->clients, sizeof(reassert->clients)),
		text_into(reassert->macs, sizeof(reassert->macs)),
		text_into(reassert->seconds, sizeof(reassert->seconds)),
	};

	for (size_t i = 0; i < count; i++) {
		const struct lease *lease = lease_at(reassert->table, asserted[i]);

		if (!lease)
			return false;
		put_lease(columns, lease, loop_now_ms(reassert->options.loop),
			  i == 0 ? "{" : ",");
	}
	for (int i = 0; i < 4; i++)
		text_put(&columns[i], "}");
	return db_query(reassert->options.conn,
			"select kept from rouse_daemon.lease_reassert($1, $2::inet[], "
			"$3::bytea[], $4::macaddr[], $5::int[])",
			params, 5, DEADLINE_MS, on_slice, reassert) == ERR_OK;
}

static void send_slice(struct reassert *reassert)
{
	static const struct db_answer away = {.outcome = DB_LOST,
					      .sqlstate = "",
					      .message = "the database is away",
					      .hint = ""};
	size_t left = reassert->count - reassert->next;

	if (left == 0) {
		log_info("leases_reasserted", "count=%zu conflicts=%zu", reassert->count,
			 reassert->conflicts);
		reassert_stop(reassert);
		reassert->options.on_done(reassert->options.data, NULL);
		return;
	}
	reassert->in_flight = left < ROWS_MOST ? left : ROWS_MOST;
	if (send_rows(reassert, reassert->asserted + reassert->next, reassert->in_flight))
		return;
	reassert_stop(reassert);
	reassert->options.on_done(reassert->options.data, &away);
}

static bool is_to_be_asserted(const struct lease *lease, uint64_t newest_ms, uint64_t now_ms)
{
	return lease_may_be_lost(lease, newest_ms) && lease_is_bound(lease, now_ms);
}

void reassert_begin(struct reassert *reassert, const struct lease_table *leases,
		    const char *timeline)
{
	static const struct db_answer no_memory = {
		.outcome = DB_ERROR, .sqlstate = "", .message = "no memory", .hint = ""};
	uint64_t now_ms = loop_now_ms(reassert->options.loop);
	uint64_t newest_ms = lease_newest_grant(leases);
	size_t count = 0;

	reassert_stop(reassert);
	(void)snprintf(reassert->timeline, sizeof(reassert->timeline), "%s", timeline);
	for (size_t i = 0; i < leases->count; i++)
		count += is_to_be_asserted(&leases->leases[i], newest_ms, now_ms);
	reassert->table = leases;
	reassert->asserted = calloc(count + 1, sizeof(*reassert->asserted));
	if (!reassert->asserted) {
		reassert->options.on_done(reassert->options.data, &no_memory);
		return;
	}
	for (size_t i = 0; i < leases->count; i++) {
		if (is_to_be_asserted(&leases->leases[i], newest_ms, now_ms))
			reassert->asserted[reassert->count++] = leases->leases[i].address;
	}
	send_slice(reassert);
}

void reassert_timeline(const struct reassert *reassert, char *timeline, size_t size)
{
	(void)snprintf(timeline, size, "%s", reassert->timeline);
}

void reassert_stop(struct reassert *reassert)
{
	free(reassert->asserted);
	reassert->asserted = NULL;
	reassert->count = 0;
	reassert->next = 0;
	reassert->in_flight = 0;
	reassert->conflicts = 0;
}

enum err reassert_open(const struct reassert_options *options, struct reassert **ret_reassert)
{
	struct reassert *reassert = calloc(1, sizeof(*reassert));

	if (!reassert)
		return ERR_MEMORY;
	reassert->options = *options;
	*ret_reassert = reassert;
	return ERR_OK;
}

void reassert_close(struct reassert *reassert)
{
	if (!reassert)
		return;
	reassert_stop(reassert);
	free(reassert);
}
