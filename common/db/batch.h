/*
 * batch - group commit: rows that arrive while a statement is in flight form the next
 * statement.
 *
 * No timer: the first row leaves at once, and under load the batches grow by themselves, up to
 * `most` rows. (Rows that nobody waits for may be told to wait for company instead.) Full
 * statements may follow each other without waiting for answers, so that the database has the
 * next one at hand, and many answers do not come in one burst. A key that is already waiting
 * is replaced (newest wins), since one statement may not touch a row twice; one that is in
 * flight holds back the next row of its key. A statement whose connection was lost is sent
 * again, without the rows whose key has a newer one by then; one that the database refuses
 * because of its data (SQLSTATE class 22 or 23) is split in halves until the culprit is alone,
 * and that row alone fails. Any other refusal is told, and tried again at the next
 * batch_retry().
 *
 *	struct batch_options options = {.most = 256, .row_size = sizeof(struct grant), ...};
 *
 * Rows are fixed-size structs copied in.
 */
#ifndef ROUSE_DB_BATCH_H
#define ROUSE_DB_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "db/conn.h"
#include "io/loop.h"

#define BATCH_STATEMENTS_MAX 4

struct batch;
struct batch_statement;

struct batch_options {
	struct loop *loop;    /* for messages; NULL: none are written */
	const char *name;     /* of what the statement calls, in messages */
	size_t most;	      /* rows in one statement */
	size_t queue_max;     /* rows waiting at most; a row more is ERR_SPACE */
	size_t in_flight_max; /* statements at once, up to BATCH_STATEMENTS_MAX; 0: one */
	size_t row_size;
	/* Have they one key? NULL: no two rows have. Rows of one key have one mark, too. */
	bool (*same)(const void *row, const void *other);
	uint32_t (*mark)(const void *row);
	bool is_patient; /* fewer than `most` rows wait for batch_retry() */
	/* Sends `count` rows as one statement, whose answer goes to
	 * batch_on_answer(statement). */
	enum err (*send)(void *data, const void *rows, size_t count,
			 struct batch_statement *statement);
	/* The statement's answer: called with the rows of that statement when it committed. */
	void (*on_done)(void *data, const void *rows, size_t count,
			const struct db_rows *answer);
	/* This row alone was refused by the database, with its message. */
	void (*on_refused)(void *data, const void *row, const struct db_answer *answer);
	void *data;
};

MUST_CHECK enum err batch_open(const struct batch_options *options, struct batch **ret_batch);
MUST_CHECK enum err batch_add(struct batch *batch, const void *row);
/* To be given to db_query by `send`. */
void batch_on_answer(void *statement, const struct db_answer *answer);
/* The connection is up again (or a deadline passed): send what waits. */
void batch_retry(struct batch *batch);
size_t batch_waiting(const struct batch *batch);
uint64_t batch_statements(const struct batch *batch);
void batch_close(struct batch *batch);

#endif
