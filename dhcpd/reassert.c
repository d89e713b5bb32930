#include "dhcpd/reassert.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/rows.h"
#include "dhcpd/clienttext.h"
#include "io/log.h"

#define ROWS_MOST 256	/* in one statement */
#define LOOK_MOST 20000 /* leases looked at in one turn of the loop: about a millisecond */
#define LOOK_MS 1
#define DEADLINE_MS 10000
#define TIMELINE_SIZE 24

/* One statement's rows, as PostgreSQL's array literals. */
struct statement {
	uint32_t asserted[ROWS_MOST]; /* their addresses */
	size_t count;
	struct text columns[4];
	char addresses[ROWS_MOST * (IP4_TEXT_SIZE + 1) + 3];
	char clients[ROWS_MOST * CLIENTTEXT_ELEMENT + 3];
	char macs[ROWS_MOST * (MAC_TEXT_SIZE + 1) + 3];
	char seconds[ROWS_MOST * 12 + 3];
};

struct reassert {
	struct reassert_options options;
	struct loop_timer look_timer;
	const struct lease_table *table;
	size_t at; /* how many of the table's entries are still to be looked at */
	uint64_t newest_ms;
	struct statement statement;
	bool is_asking; /* the statement is on its way */
	size_t count, conflicts;
	char timeline[TIMELINE_SIZE];
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

static void end(struct reassert *reassert, const struct db_answer *answer)
{
	reassert_stop(reassert);
	reassert->options.on_done(reassert->options.data, answer);
}

static void begin_statement(struct reassert *reassert)
{
	struct statement *statement = &reassert->statement;

	statement->count = 0;
	statement->columns[0] = text_into(statement->addresses, sizeof(statement->addresses));
	statement->columns[1] = text_into(statement->clients, sizeof(statement->clients));
	statement->columns[2] = text_into(statement->macs, sizeof(statement->macs));
	statement->columns[3] = text_into(statement->seconds, sizeof(statement->seconds));
	loop_timer_start(&reassert->look_timer, 0, LOOK_MS);
}

static void on_answer(void *data, const struct db_answer *answer)
{
	struct reassert *reassert = data;
	const struct statement *statement = &reassert->statement;

	if (!reassert->is_asking)
		return; /* stopped */
	reassert->is_asking = false;
	if (answer->outcome != DB_OK) {
		end(reassert, answer);
		return;
	}
	for (size_t i = 0; i < rows_count(answer->rows) && i < statement->count; i++) {
		struct row row = rows_row(answer->rows, i);

		if (!row_truth(&row, "kept"))
			say_conflict(reassert, statement->asserted[i]);
	}
	reassert->count += statement->count;
	begin_statement(reassert);
}

static void send_statement(struct reassert *reassert)
{
	static const struct db_answer away = {.outcome = DB_LOST,
					      .sqlstate = "",
					      .message = "the database is away",
					      .hint = ""};
	struct statement *statement = &reassert->statement;
	const char *params[] = {reassert->options.instance, statement->addresses,
				statement->clients, statement->macs, statement->seconds};

	for (int i = 0; i < 4; i++)
		text_put(&statement->columns[i], "}");
	loop_timer_stop(&reassert->look_timer);
	reassert->is_asking = true;
	if (db_query(reassert->options.conn,
		     "select kept from rouse_daemon.lease_reassert($1, $2::inet[], "
		     "$3::bytea[], $4::macaddr[], $5::int[])",
		     params, 5, DEADLINE_MS, on_answer, reassert) != ERR_OK)
		end(reassert, &away);
}

/* An offer was forgotten, and an entry that was looked at already took its place. */
static bool is_in_statement(const struct statement *statement, uint32_t address)
{
	for (size_t i = 0; i < statement->count; i++) {
		if (statement->asserted[i] == address)
			return true;
	}
	return false;
}

static void put_lease(struct statement *statement, const struct lease *lease, uint64_t now_ms)
{
	const char *comma = statement->count == 0 ? "{" : ",";
	struct text *columns = statement->columns;
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
	statement->asserted[statement->count++] = lease->address;
}

static void look_at(struct reassert *reassert, const struct lease *lease)
{
	uint64_t now_ms = loop_now_ms(reassert->options.loop);

	if (lease_may_be_lost(lease, reassert->newest_ms) && lease_is_bound(lease, now_ms) &&
	    !is_in_statement(&reassert->statement, lease->address))
		put_lease(&reassert->statement, lease, now_ms);
}

static void on_look(void *data)
{
	struct reassert *reassert = data;
	const struct lease_table *table = reassert->table;
	const struct statement *statement = &reassert->statement;

	/* from the end: what takes a removed entry's place was looked at before */
	if (reassert->at > table->count)
		reassert->at = table->count;
	for (size_t most = LOOK_MOST;
	     most > 0 && reassert->at > 0 && statement->count < ROWS_MOST; most--)
		look_at(reassert, &table->leases[--reassert->at]);
	if (statement->count == ROWS_MOST || (reassert->at == 0 && statement->count > 0)) {
		send_statement(reassert);
	} else if (reassert->at == 0) {
		log_info("leases_reasserted", "count=%zu conflicts=%zu", reassert->count,
			 reassert->conflicts);
		end(reassert, NULL);
	}
}

void reassert_begin(struct reassert *reassert, const struct lease_table *leases,
		    const char *timeline)
{
	reassert_stop(reassert);
	(void)snprintf(reassert->timeline, sizeof(reassert->timeline), "%s", timeline);
	reassert->table = leases;
	reassert->at = leases->count;
	reassert->newest_ms = lease_newest_grant(leases);
	reassert->count = 0;
	reassert->conflicts = 0;
	begin_statement(reassert);
}

void reassert_timeline(const struct reassert *reassert, char *timeline, size_t size)
{
	(void)snprintf(timeline, size, "%s", reassert->timeline);
}

void reassert_stop(struct reassert *reassert)
{
	loop_timer_stop(&reassert->look_timer);
	reassert->is_asking = false;
}

enum err reassert_open(const struct reassert_options *options, struct reassert **ret_reassert)
{
	struct reassert *reassert = calloc(1, sizeof(*reassert));

	if (!reassert)
		return ERR_MEMORY;
	reassert->options = *options;
	loop_timer_open(options->loop, &reassert->look_timer, on_look, reassert);
	*ret_reassert = reassert;
	return ERR_OK;
}

void reassert_close(struct reassert *reassert)
{
	if (reassert)
		loop_timer_close_then(&reassert->look_timer, free);
}
