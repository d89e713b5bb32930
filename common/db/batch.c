#include "db/batch.h"

#include <stdlib.h>
#include <string.h>

/*
 * Rows wait in one array, oldest first. The first `in_flight` of them are in the statement that
 * was sent; `limit` is how many the next one may hold, halved while a culprit is looked for.
 */
struct batch {
	struct batch_options options;
	uint8_t *rows;
	size_t count;
	size_t in_flight;
	size_t limit;
	size_t suspects; /* rows at the front among which one is known to be refused */
	uint64_t statements;
};

static void *row_at(const struct batch *batch, size_t position)
{
	return batch->rows + position * batch->options.row_size;
}

enum err batch_open(const struct batch_options *options, struct batch **ret_batch)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return ERR_MEMORY;
	batch->options = *options;
	batch->limit = options->most;
	batch->rows = calloc(options->queue_max, options->row_size);
	if (!batch->rows) {
		free(batch);
		return ERR_MEMORY;
	}
	*ret_batch = batch;
	return ERR_OK;
}

static void send_next(struct batch *batch)
{
	size_t count = batch->count < batch->limit ? batch->count : batch->limit;

	if (batch->in_flight > 0 || count == 0)
		return;
	/* when it cannot be sent now, batch_retry comes with the connection */
	if (batch->options.send(batch->options.data, batch->rows, count, batch) != ERR_OK)
		return;
	batch->in_flight = count;
	batch->statements++;
}

enum err batch_add(struct batch *batch, const void *row)
{
	for (size_t i = batch->in_flight; batch->options.same && i < batch->count; i++) {
		if (batch->options.same(row_at(batch, i), row)) {
			memcpy(row_at(batch, i), row, batch->options.row_size);
			return ERR_OK;
		}
	}
	if (batch->count == batch->options.queue_max)
		return ERR_SPACE;
	memcpy(row_at(batch, batch->count), row, batch->options.row_size);
	batch->count++;
	send_next(batch);
	return ERR_OK;
}

static void drop_front(struct batch *batch, size_t count)
{
	batch->count -= count;
	memmove(batch->rows, row_at(batch, count), batch->count * batch->options.row_size);
}

/* Data errors and broken constraints: the same rows would be refused again. */
static bool is_the_rows_fault(const struct db_answer *answer)
{
	return answer->outcome == DB_ERROR && (strncmp(answer->sqlstate, "22", 2) == 0 ||
					       strncmp(answer->sqlstate, "23", 2) == 0);
}

/* While a callback runs, its rows count as in flight: one that it adds is another one. */
static void refuse(struct batch *batch, size_t sent, const struct db_answer *answer)
{
	if (sent > 1) {
		batch->suspects = sent;
		batch->limit = sent / 2;
		return;
	}
	batch->options.on_refused(batch->options.data, row_at(batch, 0), answer);
	drop_front(batch, 1);
	batch->limit = batch->options.most;
	batch->suspects = 0;
}

static void accept_rows(struct batch *batch, size_t sent, const struct db_answer *answer)
{
	batch->options.on_done(batch->options.data, batch->rows, sent, answer->rows);
	drop_front(batch, sent);
	batch->suspects = batch->suspects > sent ? batch->suspects - sent : 0;
	if (batch->suspects == 0)
		batch->limit = batch->options.most;
	else
		batch->limit = batch->suspects > 1 ? batch->suspects / 2 : 1;
}

void batch_on_answer(void *data, const struct db_answer *answer)
{
	struct batch *batch = data;
	bool is_lost_race =
		answer->outcome == DB_ERROR && strncmp(answer->sqlstate, "40", 2) == 0;
	bool goes_on = answer->outcome == DB_OK || is_lost_race || is_the_rows_fault(answer);

	if (answer->outcome == DB_OK)
		accept_rows(batch, batch->in_flight, answer);
	else if (is_the_rows_fault(answer))
		refuse(batch, batch->in_flight, answer);
	batch->in_flight = 0;
	/* whatever else ails the database needs time: the rows wait for batch_retry */
	if (goes_on)
		send_next(batch);
}

void batch_retry(struct batch *batch)
{
	send_next(batch);
}

size_t batch_waiting(const struct batch *batch)
{
	return batch->count;
}

uint64_t batch_statements(const struct batch *batch)
{
	return batch->statements;
}

void batch_close(struct batch *batch)
{
	if (!batch)
		return;
	free(batch->rows);
	free(batch);
}
