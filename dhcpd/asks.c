#include "dhcpd/asks.h"

#include <stdlib.h>

#include "db/batch.h"
#include "dhcpd/clienttext.h"
#include "io/log.h"

#define ROWS_MOST 256
#define QUEUE_MAX 2048
#define DEADLINE_MS 2000

struct asks {
	struct asks_options options;
	struct batch *batch;
	char clients[ROWS_MOST * CLIENTTEXT_ELEMENT + 3];
};

static enum err send_clients(void *data, const void *rows, size_t count,
			     struct batch_statement *statement)
{
	struct asks *asks = data;
	const struct lease_client *list = rows;
	const char *params[] = {asks->clients};
	struct text out = text_into(asks->clients, sizeof(asks->clients));

	for (size_t i = 0; i < count; i++) {
		text_put(&out, i == 0 ? "{" : ",");
		clienttext_put_element(&out, &list[i]);
	}
	text_put(&out, "}");
	if (out.failed)
		return ERR_SPACE;
	return db_query(asks->options.conn,
			"select * from rouse_daemon.lease_find($1::bytea[])", params, 1,
			DEADLINE_MS, batch_on_answer, statement);
}

static void on_done(void *data, const void *rows, size_t count, const struct db_rows *answer)
{
	struct asks *asks = data;
	const struct lease_client *list = rows;

	for (size_t i = 0; i < rows_count(answer); i++)
		asks->options.on_lease(asks->options.data, answer, i);
	for (size_t i = 0; i < count; i++)
		asks->options.on_answer(asks->options.data, &list[i]);
}

/* The client is looked for again when it comes again. */
static void on_refused(void *data, const void *row, const struct db_answer *answer)
{
	(void)data;
	(void)row;
	log_warning("lease_find_refused", "sqlstate=%s reason=%s", answer->sqlstate,
		    log_text(answer->message));
}

enum err asks_open(const struct asks_options *options, struct asks **ret_asks)
{
	struct asks *asks = calloc(1, sizeof(*asks));
	/* twice the same question gets the same answer twice: no `same` */
	struct batch_options batch = {
		.loop = options->loop,
		.name = "lease_find",
		.most = ROWS_MOST,
		.queue_max = QUEUE_MAX,
		.row_size = sizeof(struct lease_client),
		.send = send_clients,
		.on_done = on_done,
		.on_refused = on_refused,
		.data = asks,
	};

	if (!asks)
		return ERR_MEMORY;
	asks->options = *options;
	if (batch_open(&batch, &asks->batch) != ERR_OK) {
		free(asks);
		return ERR_MEMORY;
	}
	*ret_asks = asks;
	return ERR_OK;
}

enum err asks_add(struct asks *asks, const struct lease_client *client)
{
	return batch_add(asks->batch, client);
}

void asks_retry(struct asks *asks)
{
	batch_retry(asks->batch);
}

void asks_close(struct asks *asks)
{
	if (!asks)
		return;
	batch_close(asks->batch);
	free(asks);
}
