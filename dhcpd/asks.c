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
	struct batch_statement *statement;
	struct log_repeat refused_log;
	char clients[ROWS_MOST * CLIENTTEXT_ELEMENT + 3];
};

static void on_answer(void *data, const struct db_answer *answer)
{
	struct asks *asks = data;
	unsigned long left_out;

	if (answer->outcome == DB_ERROR &&
	    log_repeat_due(&asks->refused_log, loop_now_ms(asks->options.loop), 10000,
			   &left_out))
		log_error("lease_find_refused", "sqlstate=%s reason=%s left_out=%lu remedy=%s",
			  answer->sqlstate, log_text(answer->message), left_out,
			  log_text("run `rouse-db verify` on this database"));
	batch_on_answer(asks->statement, answer);
}

static enum err send_clients(void *data, const void *rows, size_t count,
			     struct batch_statement *statement)
{
	struct asks *asks = data;
	const struct lease_client *list = rows;
	const char *params[] = {asks->clients};
	struct text out = text_into(asks->clients, sizeof(asks->clients));

	asks->statement =
		statement; /* on_answer() hands the answer on: there is one at a time */
	for (size_t i = 0; i < count; i++) {
		text_put(&out, i == 0 ? "{" : ",");
		clienttext_put_element(&out, &list[i]);
	}
	text_put(&out, "}");
	if (out.failed)
		return ERR_SPACE;
	return db_query(asks->options.conn,
			"select * from rouse_daemon.lease_find($1::bytea[])", params, 1,
			DEADLINE_MS, on_answer, asks);
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

/* It is asked again when it comes again; on_answer() has written why. */
static void on_refused(void *data, const void *row, const struct db_answer *answer)
{
	(void)data;
	(void)row;
	(void)answer;
}

enum err asks_open(const struct asks_options *options, struct asks **ret_asks)
{
	struct asks *asks = calloc(1, sizeof(*asks));
	/* twice the same question gets the same answer twice: no `same` */
	struct batch_options batch = {
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
