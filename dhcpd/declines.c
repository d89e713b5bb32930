#include "dhcpd/declines.h"

#include <stdlib.h>

#include "db/batch.h"
#include "dhcpd/clienttext.h"
#include "io/log.h"

#define QUEUE_MAX 256
#define DEADLINE_MS 2000

/* $1 instance, $2 address, $3 client, $4 card; `case` keeps the order. */
#define END "rouse_daemon.lease_end($1, array[$2::inet], array[$3::bytea], array['declined'])"
#define IN_USE "rouse_daemon.lease_in_use($1, $2::inet, $3::bytea, $4::macaddr)"

static const char *const statements[] = {
	[DECLINE_LEASED] = "select " END ", $4::macaddr",
	[DECLINE_OFFERED] = "select case when " END " > 0 then true else " IN_USE " end",
	[DECLINE_IN_USE] = "select " IN_USE,
};

struct declines {
	struct declines_options options;
	struct batch *batch;
};

static bool is_same_address(const void *row, const void *other)
{
	const struct decline *a = row, *b = other;

	return a->address == b->address;
}

static uint32_t mark_of(const void *row)
{
	const struct decline *decline = row;

	return decline->address;
}

/* They are rare: a statement has one of them. */
static enum err send_row(void *data, const void *rows, size_t count,
			 struct batch_statement *statement)
{
	struct declines *declines = data;
	const struct decline *decline = rows;
	char client[CLIENTTEXT_SIZE], address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	const char *params[] = {declines->options.instance, address, client,
				decline->has_mac ? mac : NULL};
	struct text out = text_into(client, sizeof(client));

	(void)count;
	clienttext_put(&out, &decline->client);
	ip4_format(decline->address, address);
	if (decline->has_mac)
		mac_format(&decline->mac, mac);
	return db_query(declines->options.conn, statements[decline->kind], params, 4,
			DEADLINE_MS, batch_on_answer, statement);
}

static void on_done(void *data, const void *rows, size_t count, const struct db_rows *answer)
{
	struct declines *declines = data;
	const struct decline *list = rows;

	(void)answer;
	for (size_t i = 0; i < count; i++)
		declines->options.on_recorded(declines->options.data, &list[i]);
}

static void on_refused(void *data, const void *row, const struct db_answer *answer)
{
	const struct decline *decline = row;
	char address[IP4_TEXT_SIZE];

	(void)data;
	ip4_format(decline->address, address);
	log_warning("lease_end_not_recorded", "address=%s state=declined sqlstate=%s reason=%s",
		    address, answer->sqlstate, log_text(answer->message));
}

enum err declines_open(const struct declines_options *options, struct declines **ret_declines)
{
	struct declines *declines = calloc(1, sizeof(*declines));
	struct batch_options batch = {
		.loop = options->loop,
		.name = "lease_in_use",
		.most = 1,
		.queue_max = QUEUE_MAX,
		.row_size = sizeof(struct decline),
		.same = is_same_address,
		.mark = mark_of,
		.send = send_row,
		.on_done = on_done,
		.on_refused = on_refused,
		.data = declines,
	};

	if (!declines)
		return ERR_MEMORY;
	declines->options = *options;
	if (batch_open(&batch, &declines->batch) != ERR_OK) {
		free(declines);
		return ERR_MEMORY;
	}
	*ret_declines = declines;
	return ERR_OK;
}

enum err declines_add(struct declines *declines, const struct decline *decline)
{
	return batch_add(declines->batch, decline);
}

void declines_retry(struct declines *declines)
{
	batch_retry(declines->batch);
}

void declines_close(struct declines *declines)
{
	if (!declines)
		return;
	batch_close(declines->batch);
	free(declines);
}
