#include "db/batch.h"

#include <stdlib.h>
#include <string.h>

#include "io/log.h"

#define WAITS 0
#define TOLD_EVERY_MS 10000

/* A statement on its way; its rows stand side by side, each with its number. */
struct batch_statement {
	struct batch *batch;
	uint8_t number; /* from 1 */
	size_t count;	/* of its rows; 0: it is not on its way */
	bool is_search; /* sent to find a culprit */
};

/*
 * Rows stand in one array, the oldest first. `limit` is how many the next statement may hold,
 * halved while a culprit is looked for.
 */
struct batch {
	struct batch_options options;
	uint8_t *rows;
	uint32_t *marks;  /* of each row, close together: a key that waits is found fast */
	uint8_t *sent_by; /* the statement of each row, or WAITS */
	size_t count, waiting;
	struct batch_statement statements[BATCH_STATEMENTS_MAX];
	size_t in_flight; /* statements */
	size_t limit;
	size_t suspects; /* rows among which one is known to be refused */
	uint64_t sent;
	struct log_repeat refused_log;
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
	for (size_t i = 0; i < BATCH_STATEMENTS_MAX; i++)
		batch->statements[i] =
			(struct batch_statement){batch, (uint8_t)(i + 1), 0, false};
	batch->rows = calloc(options->queue_max, options->row_size);
	batch->marks = calloc(options->queue_max, sizeof(*batch->marks));
	batch->sent_by = calloc(options->queue_max, sizeof(*batch->sent_by));
	if (!batch->rows || !batch->marks || !batch->sent_by) {
		batch_close(batch);
		return ERR_MEMORY;
	}
	*ret_batch = batch;
	return ERR_OK;
}

/* --- sending --- */

static bool is_same(const struct batch *batch, size_t position, const void *row, uint32_t mark)
{
	return batch->marks[position] == mark &&
	       batch->options.same(row_at(batch, position), row);
}

/* A later row of a key must not overtake the one before it, should that one be sent again. */
static bool is_key_in_flight(const struct batch *batch, size_t position)
{
	for (size_t i = 0; batch->options.same && i < batch->count; i++) {
		if (batch->sent_by[i] != WAITS &&
		    is_same(batch, i, row_at(batch, position), batch->marks[position]))
			return true;
	}
	return false;
}

/* The first rows that wait, side by side, as many as one statement may hold. */
static size_t next_rows(const struct batch *batch, size_t *first)
{
	const uint8_t *waiting =
		batch->count > 0 ? memchr(batch->sent_by, WAITS, batch->count) : NULL;
	size_t count = 0;

	if (!waiting)
		return 0;
	*first = (size_t)(waiting - batch->sent_by);
	while (count < batch->limit && *first + count < batch->count &&
	       batch->sent_by[*first + count] == WAITS &&
	       (batch->in_flight == 0 || !is_key_in_flight(batch, *first + count)))
		count++;
	return count;
}

static struct batch_statement *free_statement(struct batch *batch)
{
	size_t most = batch->options.in_flight_max > 0 ? batch->options.in_flight_max : 1;

	for (size_t i = 0; i < most; i++) {
		if (batch->statements[i].count == 0)
			return &batch->statements[i];
	}
	return NULL;
}

static void take_back(struct batch *batch, size_t first, size_t count)
{
	memset(batch->sent_by + first, WAITS, count);
	batch->waiting += count;
}

/* false: nothing more can be sent now. */
static bool send_one(struct batch *batch)
{
	struct batch_statement *statement = free_statement(batch);
	/* beside another one only a full statement: few rows soon have company */
	size_t least = batch->in_flight > 0 ? batch->options.most : 1;
	size_t first = 0, count;

	if (!statement || batch->waiting < least)
		return false;
	count = next_rows(batch, &first);
	if (count < least)
		return false;
	/* before it is sent: the answer may come from within, when the connection is lost */
	statement->count = count;
	statement->is_search = batch->suspects > 0;
	memset(batch->sent_by + first, statement->number, count);
	batch->waiting -= count;
	batch->in_flight++;
	if (batch->options.send(batch->options.data, row_at(batch, first), count, statement) ==
	    ERR_OK) {
		batch->sent++;
		return true;
	}
	/* when it cannot be sent now, batch_retry comes with the connection */
	statement->count = 0;
	take_back(batch, first, count);
	batch->in_flight--;
	return false;
}

static void send_waiting(struct batch *batch)
{
	while (send_one(batch))
		;
}

static void send_next(struct batch *batch)
{
	if (!batch->options.is_patient || batch->waiting >= batch->options.most)
		send_waiting(batch);
}

/* The row of the same key that waits, or NULL. */
static void *find_waiting(const struct batch *batch, const void *row, uint32_t mark)
{
	for (size_t i = 0; batch->options.same && i < batch->count; i++) {
		if (batch->sent_by[i] == WAITS && is_same(batch, i, row, mark))
			return row_at(batch, i);
	}
	return NULL;
}

enum err batch_add(struct batch *batch, const void *row)
{
	uint32_t mark = batch->options.mark ? batch->options.mark(row) : 0;
	void *waiting = find_waiting(batch, row, mark);

	if (waiting) {
		memcpy(waiting, row, batch->options.row_size);
		return ERR_OK;
	}
	if (batch->count == batch->options.queue_max)
		return ERR_SPACE;
	memcpy(row_at(batch, batch->count), row, batch->options.row_size);
	batch->marks[batch->count] = mark;
	batch->sent_by[batch->count] = WAITS;
	batch->count++;
	batch->waiting++;
	send_next(batch);
	return ERR_OK;
}

/* --- answers --- */

static void drop(struct batch *batch, size_t first, size_t count)
{
	size_t behind = batch->count - first - count;

	memmove(row_at(batch, first), row_at(batch, first + count),
		behind * batch->options.row_size);
	memmove(batch->marks + first, batch->marks + first + count,
		behind * sizeof(*batch->marks));
	memmove(batch->sent_by + first, batch->sent_by + first + count, behind);
	batch->count -= count;
}

/* Is there a newer row of its key, which waits? One that is in flight is never newer. */
static bool is_outdated(const struct batch *batch, size_t position)
{
	for (size_t i = position + 1; batch->options.same && i < batch->count; i++) {
		if (batch->sent_by[i] == WAITS &&
		    is_same(batch, i, row_at(batch, position), batch->marks[position]))
			return true;
	}
	return false;
}

/* As if they had not been sent: the newest of a key stays. Says how many wait again. */
static size_t wait_again(struct batch *batch, size_t first, size_t count)
{
	size_t kept = count;

	take_back(batch, first, count);
	for (size_t i = first + count; i-- > first;) {
		if (!is_outdated(batch, i))
			continue;
		drop(batch, i, 1);
		batch->waiting--;
		kept--;
	}
	return kept;
}

/* Data errors and broken constraints: the same rows would be refused again. */
static bool is_the_rows_fault(const struct db_answer *answer)
{
	return answer->outcome == DB_ERROR && (strncmp(answer->sqlstate, "22", 2) == 0 ||
					       strncmp(answer->sqlstate, "23", 2) == 0);
}

/* While a callback runs, its rows count as in flight: one that it adds is another one. */
static void refuse(struct batch *batch, size_t first, size_t count,
		   const struct db_answer *answer)
{
	if (count > 1) {
		batch->suspects = wait_again(batch, first, count);
		batch->limit = count / 2;
		return;
	}
	batch->options.on_refused(batch->options.data, row_at(batch, first), answer);
	drop(batch, first, 1);
	batch->limit = batch->options.most;
	batch->suspects = 0;
}

static void accept_rows(struct batch *batch, const struct batch_statement *statement,
			size_t first, const struct db_answer *answer)
{
	size_t count = statement->count;

	batch->options.on_done(batch->options.data, row_at(batch, first), count, answer->rows);
	drop(batch, first, count);
	/* what was under way before says nothing of the suspects */
	if (batch->suspects > 0 && !statement->is_search)
		return;
	batch->suspects = batch->suspects > count ? batch->suspects - count : 0;
	if (batch->suspects == 0)
		batch->limit = batch->options.most;
	else
		batch->limit = batch->suspects > 1 ? batch->suspects / 2 : 1;
}

/* Not the rows' fault, nor a race: somebody has to mend something. */
static void say_refused(struct batch *batch, const struct db_answer *answer)
{
	unsigned long left_out;

	if (!db_is_refusal(answer) || !batch->options.loop ||
	    !log_repeat_due(&batch->refused_log, loop_now_ms(batch->options.loop),
			    TOLD_EVERY_MS, &left_out))
		return;
	log_error("statement_refused",
		  "function=%s sqlstate=%s reason=%s left_out=%lu remedy=%s",
		  batch->options.name, answer->sqlstate, log_text(answer->message), left_out,
		  log_text(answer->hint[0] ? answer->hint
					   : "run `rouse-db verify` on this database"));
}

void batch_on_answer(void *data, const struct db_answer *answer)
{
	struct batch_statement *statement = data;
	struct batch *batch = statement->batch;
	size_t count = statement->count;
	const uint8_t *rows = memchr(batch->sent_by, statement->number, batch->count);
	size_t first = (size_t)(rows - batch->sent_by);
	bool is_lost_race =
		answer->outcome == DB_ERROR && strncmp(answer->sqlstate, "40", 2) == 0;
	bool goes_on = answer->outcome == DB_OK || is_lost_race || is_the_rows_fault(answer);

	if (answer->outcome == DB_OK)
		accept_rows(batch, statement, first, answer);
	else if (is_the_rows_fault(answer))
		refuse(batch, first, count, answer);
	else
		(void)wait_again(batch, first, count);
	statement->count = 0;
	batch->in_flight--;
	/* whatever else ails the database needs time: the rows wait for batch_retry */
	if (goes_on)
		send_next(batch);
	else
		say_refused(batch, answer);
}

void batch_retry(struct batch *batch)
{
	send_waiting(batch);
}

size_t batch_waiting(const struct batch *batch)
{
	return batch->count;
}

uint64_t batch_statements(const struct batch *batch)
{
	return batch->sent;
}

void batch_close(struct batch *batch)
{
	if (!batch)
		return;
	free(batch->rows);
	free(batch->marks);
	free(batch->sent_by);
	free(batch);
}
