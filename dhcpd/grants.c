#include "dhcpd/grants.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/batch.h"
#include "db/rows.h"
#include "dhcpd/clienttext.h"
#include "io/log.h"

#define ROWS_MOST 128
#define STATEMENTS_MOST 4
#define QUEUE_MAX 4096
#define DEADLINE_MS 5000

/* The widest element of each array, with its quotes and comma. */
#define ADDRESS_WIDTH (IP4_TEXT_SIZE + 1)
#define MAC_WIDTH (MAC_TEXT_SIZE + 1)
#define NUMBER_WIDTH 12
#define TEXT_WIDTH (2 * GRANTS_TEXT_SIZE + 3)

struct grants {
	struct grants_options options;
	struct batch *batch;
	/* the statement's parameters, as PostgreSQL's array literals */
	char addresses[ROWS_MOST * ADDRESS_WIDTH + 3];
	char clients[ROWS_MOST * CLIENTTEXT_ELEMENT + 3];
	char macs[ROWS_MOST * MAC_WIDTH + 3];
	char seconds[ROWS_MOST * NUMBER_WIDTH + 3];
	char host_names[ROWS_MOST * TEXT_WIDTH + 3];
	char classes[ROWS_MOST * TEXT_WIDTH + 3];
};

static bool is_same_client(const void *row, const void *other)
{
	const struct grant *a = row, *b = other;

	return lease_client_equal(&a->client, &b->client);
}

static uint32_t mark_of(const void *row)
{
	const struct grant *grant = row;
	uint32_t mark = grant->client.length;

	for (size_t i = 0; i < grant->client.length; i++)
		mark = mark * 31 + grant->client.octets[i];
	return mark;
}

/* What a client says of itself: printable ASCII stays, anything else becomes a question mark.
 */
static void put_foreign(struct text *out, const char *value)
{
	if (!*value) {
		text_put(out, "NULL");
		return;
	}
	text_put(out, "\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			text_put(out, "\\");
		text_put_bytes(out, *value >= ' ' && *value <= '~' ? value : "?", 1);
	}
	text_put(out, "\"");
}

static void put_element(struct text columns[6], const struct grant *grant, const char *comma)
{
	char address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE] = "NULL";

	ip4_format(grant->address, address);
	if (grant->has_mac)
		mac_format(&grant->mac, mac);
	for (int i = 0; i < 6; i++)
		text_put(&columns[i], comma);
	text_put(&columns[0], address);
	clienttext_put_element(&columns[1], &grant->client);
	text_put(&columns[2], mac);
	text_printf(&columns[3], "%u", grant->seconds);
	put_foreign(&columns[4], grant->host_name);
	put_foreign(&columns[5], grant->class);
}

static enum err send_rows(void *data, const void *rows, size_t count,
			  struct batch_statement *statement)
{
	struct grants *grants = data;
	const struct grant *list = rows;
	const char *params[] = {
		grants->options.instance, grants->addresses,  grants->clients, grants->macs,
		grants->seconds,	  grants->host_names, grants->classes};
	struct text columns[6] = {
		text_into(grants->addresses, sizeof(grants->addresses)),
		text_into(grants->clients, sizeof(grants->clients)),
		text_into(grants->macs, sizeof(grants->macs)),
		text_into(grants->seconds, sizeof(grants->seconds)),
		text_into(grants->host_names, sizeof(grants->host_names)),
		text_into(grants->classes, sizeof(grants->classes)),
	};

	for (size_t i = 0; i < count; i++)
		put_element(columns, &list[i], i == 0 ? "{" : ",");
	for (int i = 0; i < 6; i++) {
		text_put(&columns[i], "}");
		if (columns[i].failed)
			return ERR_SPACE;
	}
	return db_query(grants->options.conn,
			"select * from rouse_daemon.lease_grant($1, $2::inet[], $3::bytea[], "
			"$4::macaddr[], $5::int[], $6::text[], $7::text[])",
			params, 7, DEADLINE_MS, batch_on_answer, statement);
}

static void read_answer(const struct db_rows *rows, size_t position, const struct grant *grant,
			struct grants *grants)
{
	struct row row = rows_row(rows, position);
	struct grant_answer answer = {
		.is_granted = row_truth(&row, "granted"),
		.seconds_left = row_number(&row, "seconds_left"),
	};
	uint32_t address = row_ip4(&row, "address");

	answer.owner.length = (uint16_t)row_bytes(&row, "client", answer.owner.octets,
						  sizeof(answer.owner.octets));
	if (row.bad || address != grant->address) {
		log_error("lease_answer_unreadable", "column=%s remedy=%s",
			  row.bad ? row.bad : "address",
			  log_text("run `rouse-db verify`: the database's functions are not "
				   "those of this dhcpd"));
		return;
	}
	grants->options.on_answer(grants->options.data, grant, &answer);
}

static void on_done(void *data, const void *rows, size_t count, const struct db_rows *answer)
{
	struct grants *grants = data;
	const struct grant *list = rows;

	for (size_t i = 0; i < count && i < rows_count(answer); i++)
		read_answer(answer, i, &list[i], grants);
}

static void on_refused(void *data, const void *row, const struct db_answer *answer)
{
	struct grants *grants = data;
	const struct grant *grant = row;
	char address[IP4_TEXT_SIZE];

	ip4_format(grant->address, address);
	log_error("lease_refused_by_database", "address=%s sqlstate=%s reason=%s", address,
		  answer->sqlstate, log_text(answer->message));
	grants->options.on_refused(grants->options.data, grant);
}

enum err grants_open(const struct grants_options *options, struct grants **ret_grants)
{
	struct grants *grants = calloc(1, sizeof(*grants));
	struct batch_options batch = {
		.loop = options->loop,
		.name = "lease_grant",
		.most = ROWS_MOST,
		.queue_max = QUEUE_MAX,
		.in_flight_max = STATEMENTS_MOST,
		.row_size = sizeof(struct grant),
		.same = is_same_client,
		.mark = mark_of,
		.send = send_rows,
		.on_done = on_done,
		.on_refused = on_refused,
		.data = grants,
	};

	if (!grants)
		return ERR_MEMORY;
	grants->options = *options;
	if (batch_open(&batch, &grants->batch) != ERR_OK) {
		free(grants);
		return ERR_MEMORY;
	}
	*ret_grants = grants;
	return ERR_OK;
}

enum err grants_add(struct grants *grants, const struct grant *grant)
{
	return batch_add(grants->batch, grant);
}

void grants_retry(struct grants *grants)
{
	batch_retry(grants->batch);
}

size_t grants_waiting(const struct grants *grants)
{
	return batch_waiting(grants->batch);
}

uint64_t grants_statements(const struct grants *grants)
{
	return batch_statements(grants->batch);
}

void grants_close(struct grants *grants)
{
	if (!grants)
		return;
	batch_close(grants->batch);
	free(grants);
}
