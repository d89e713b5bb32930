#include "dhcpd/origins.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/batch.h"
#include "dhcpd/relay.h"
#include "io/log.h"

#define ROWS_MOST 64
#define QUEUE_MAX 1024
#define DEADLINE_MS 10000
#define SEND_MS 250 /* nobody waits for it: many go in one statement */
#define ID_MAX 255
#define COLUMNS 5
#define COLUMN_SIZE (ROWS_MOST * (2 * (LEASE_CLIENT_MAX + 1) + 8) + 3)

struct origin {
	uint32_t address, relay;
	struct lease_client client;
	uint8_t circuit_id[ID_MAX], remote_id[ID_MAX];
	size_t circuit_length, remote_length;
	bool has_circuit, has_remote;
};

struct origins {
	struct db_conn *conn;
	struct loop_timer timer;
	struct batch *batch;
	uint64_t dropped;
	char columns[COLUMNS][COLUMN_SIZE]; /* PostgreSQL's array literals */
};

static bool is_same_address(const void *row, const void *other)
{
	const struct origin *a = row, *b = other;

	return a->address == b->address;
}

static uint32_t mark_of(const void *row)
{
	return ((const struct origin *)row)->address;
}

static void put_octets(struct text *out, const uint8_t *octets, size_t length)
{
	text_put(out, "\"\\\\x");
	text_put_hex(out, octets, length);
	text_put(out, "\"");
}

static void put_id(struct text *out, bool is_there, const uint8_t *octets, size_t length)
{
	if (is_there)
		put_octets(out, octets, length);
	else
		text_put(out, "NULL");
}

static void put_row(struct text columns[COLUMNS], const struct origin *origin,
		    const char *before)
{
	char address[IP4_TEXT_SIZE], relay[IP4_TEXT_SIZE];

	ip4_format(origin->address, address);
	ip4_format(origin->relay, relay);
	for (int i = 0; i < COLUMNS; i++)
		text_put(&columns[i], before);
	text_put(&columns[0], address);
	put_octets(&columns[1], origin->client.octets, origin->client.length);
	text_put(&columns[2], relay);
	put_id(&columns[3], origin->has_circuit, origin->circuit_id, origin->circuit_length);
	put_id(&columns[4], origin->has_remote, origin->remote_id, origin->remote_length);
}

static enum err send_rows(void *data, const void *rows, size_t count,
			  struct batch_statement *statement)
{
	struct origins *origins = data;
	const struct origin *list = rows;
	struct text columns[COLUMNS];
	const char *params[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		columns[i] = text_into(origins->columns[i], sizeof(origins->columns[i]));
	for (size_t i = 0; i < count; i++)
		put_row(columns, &list[i], i == 0 ? "{" : ",");
	for (int i = 0; i < COLUMNS; i++) {
		text_put(&columns[i], "}");
		if (columns[i].failed)
			return ERR_SPACE;
		params[i] = origins->columns[i];
	}
	return db_query(origins->conn,
			"select rouse_daemon.lease_origin($1::inet[], $2::bytea[], $3::inet[], "
			"$4::bytea[], $5::bytea[])",
			params, COLUMNS, DEADLINE_MS, batch_on_answer, statement);
}

static void on_done(void *data, const void *rows, size_t count, const struct db_rows *answer)
{
	/* written down: that is all */
	(void)data;
	(void)rows;
	(void)count;
	(void)answer;
}

static void on_refused(void *data, const void *row, const struct db_answer *answer)
{
	struct origins *origins = data;

	(void)row;
	origins->dropped++;
	log_warning("origin_refused_by_database", "sqlstate=%s reason=%s", answer->sqlstate,
		    log_text(answer->message));
}

static void on_time(void *data)
{
	struct origins *origins = data;

	batch_retry(origins->batch);
}

enum err origins_open(struct loop *loop, struct db_conn *conn, struct origins **ret_origins)
{
	struct origins *origins = calloc(1, sizeof(*origins));
	struct batch_options batch = {
		.loop = loop,
		.name = "lease_origin",
		.most = ROWS_MOST,
		.queue_max = QUEUE_MAX,
		.row_size = sizeof(struct origin),
		.same = is_same_address,
		.mark = mark_of,
		.is_patient = true,
		.send = send_rows,
		.on_done = on_done,
		.on_refused = on_refused,
		.data = origins,
	};

	if (!origins)
		return ERR_MEMORY;
	origins->conn = conn;
	if (batch_open(&batch, &origins->batch) != ERR_OK) {
		free(origins);
		return ERR_MEMORY;
	}
	loop_timer_open(loop, &origins->timer, on_time, origins);
	loop_timer_start(&origins->timer, SEND_MS, SEND_MS);
	*ret_origins = origins;
	return ERR_OK;
}

static size_t copy_id(const uint8_t *octets, size_t length, uint8_t copy[ID_MAX])
{
	if (!octets || length == 0)
		return 0;
	/* a sub-option's length is one octet, so it always fits */
	memcpy(copy, octets, length);
	return length;
}

void origins_note(struct origins *origins, const struct packet *packet,
		  const struct lease_client *client, uint32_t address)
{
	struct relay_info relay = relay_read(packet);
	struct origin origin = {
		.address = address,
		.relay = packet->giaddr,
		.client = *client,
		.has_circuit = relay.circuit_id != NULL,
		.has_remote = relay.remote_id != NULL,
	};

	if (packet->giaddr == 0)
		return;
	origin.circuit_length =
		copy_id(relay.circuit_id, relay.circuit_length, origin.circuit_id);
	origin.remote_length = copy_id(relay.remote_id, relay.remote_length, origin.remote_id);
	if (batch_add(origins->batch, &origin) != ERR_OK)
		origins->dropped++;
}

uint64_t origins_dropped(const struct origins *origins)
{
	return origins->dropped;
}

static void free_origins(void *data)
{
	struct origins *origins = data;

	batch_close(origins->batch);
	free(origins);
}

void origins_close(struct origins *origins)
{
	if (!origins)
		return;
	batch_retry(origins->batch);
	loop_timer_close_then(&origins->timer, free_origins);
}
