/* Group commit without a database: `send` is played by the test, which answers when it likes.
 */
#include "unit.h"

#include "db/batch.h"

struct grant {
	uint32_t address;
	int value;
};

struct play {
	struct grant sent[64];
	size_t sent_count;
	struct batch_statement *statements[32]; /* by the number of the sending */
	unsigned sends;
	enum err send_result;
	struct grant done[64];
	size_t done_count;
	struct grant refused[8];
	size_t refused_count;
	struct batch *again; /* done and refused add their rows anew, with the next value */
};

static bool same_address(const void *a, const void *b)
{
	return ((const struct grant *)a)->address == ((const struct grant *)b)->address;
}

/* Two addresses may share one. */
static uint32_t mark_of(const void *row)
{
	return ((const struct grant *)row)->address % 2;
}

static enum err play_send(void *data, const void *rows, size_t count,
			  struct batch_statement *statement)
{
	struct play *play = data;

	if (play->send_result != ERR_OK)
		return play->send_result;
	memcpy(play->sent, rows, count * sizeof(struct grant));
	play->sent_count = count;
	play->statements[play->sends++ % 32] = statement;
	return ERR_OK;
}

/* What a daemon does that renews what it has just been granted. */
static void play_again(struct play *play, const struct grant *grant)
{
	struct grant next = {grant->address, grant->value + 1};
	struct batch *batch = play->again;

	play->again = NULL; /* once */
	if (batch)
		assert_int_equal(batch_add(batch, &next), ERR_OK);
}

static void play_done(void *data, const void *rows, size_t count, const struct db_rows *answer)
{
	struct play *play = data;

	(void)answer;
	memcpy(play->done + play->done_count, rows, count * sizeof(struct grant));
	play->done_count += count;
	play_again(play, rows);
}

static void play_refused(void *data, const void *row, const struct db_answer *answer)
{
	struct play *play = data;

	(void)answer;
	memcpy(&play->refused[play->refused_count++], row, sizeof(struct grant));
	play_again(play, row);
}

static struct batch *open_batch_of(struct play *play, size_t most, size_t in_flight_max)
{
	struct batch_options options = {.most = most,
					.in_flight_max = in_flight_max,
					.queue_max = 16,
					.row_size = sizeof(struct grant),
					.same = same_address,
					.mark = mark_of,
					.send = play_send,
					.on_done = play_done,
					.on_refused = play_refused,
					.data = play};
	struct batch *batch;

	assert_int_equal(batch_open(&options, &batch), ERR_OK);
	return batch;
}

static struct batch *open_batch(struct play *play, size_t most)
{
	return open_batch_of(play, most, 1);
}

static void add(struct batch *batch, uint32_t address, int value)
{
	struct grant grant = {address, value};

	assert_int_equal(batch_add(batch, &grant), ERR_OK);
}

static const struct db_answer good = {
	.outcome = DB_OK, .sqlstate = "", .message = "", .hint = ""};
static const struct db_answer lost = {
	.outcome = DB_LOST, .sqlstate = "", .message = "", .hint = ""};
static const struct db_answer bad_row = {
	.outcome = DB_ERROR, .sqlstate = "23514", .message = "", .hint = ""};

/* The statement that was sent last. */
static void answer_last(struct play *play, const struct db_answer *answer)
{
	batch_on_answer(play->statements[(play->sends - 1) % 32], answer);
}

static void rows_that_arrive_meanwhile_form_one_statement(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch(&play, 8);

	(void)state;
	add(batch, 1, 1);
	assert_int_equal(play.sent_count, 1); /* the first leaves at once */
	add(batch, 2, 1);
	add(batch, 3, 1);
	add(batch, 2, 2); /* the same key: the newest wins */
	assert_int_equal(play.sends, 1);
	answer_last(&play, &good);
	assert_int_equal(play.sends, 2);
	assert_int_equal(play.sent_count, 2);
	assert_int_equal(play.sent[0].value, 2);
	answer_last(&play, &good);
	assert_int_equal(play.done_count, 3);
	assert_int_equal(batch_waiting(batch), 0);
	batch_close(batch);
}

static void a_row_in_flight_is_never_replaced(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch(&play, 8);

	(void)state;
	add(batch, 1, 1);
	add(batch, 1, 2);
	answer_last(&play, &good);
	assert_int_equal(play.done[0].value, 1);
	assert_int_equal(play.sent[0].value, 2);
	batch_close(batch);
}

static void a_lost_statement_goes_again(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch(&play, 8);

	(void)state;
	add(batch, 1, 1);
	play.send_result = ERR_AWAY;
	answer_last(&play, &lost);
	assert_int_equal(play.done_count, 0);
	assert_int_equal(batch_waiting(batch), 1);
	play.send_result = ERR_OK;
	batch_retry(batch);
	answer_last(&play, &good);
	assert_int_equal(play.done_count, 1);
	batch_close(batch);
}

static void a_deadlock_sends_the_same_rows_at_once(void **state)
{
	static const struct db_answer deadlock = {
		.outcome = DB_ERROR, .sqlstate = "40P01", .message = "", .hint = ""};
	static const struct db_answer cancelled = {
		.outcome = DB_ERROR, .sqlstate = "57014", .message = "", .hint = ""};
	struct play play = {0};
	struct batch *batch = open_batch(&play, 8);

	(void)state;
	add(batch, 1, 1);
	answer_last(&play, &deadlock);
	assert_int_equal(play.sends, 2);
	/* whatever else ails the database is given time: no hot loop */
	answer_last(&play, &cancelled);
	assert_int_equal(play.sends, 2);
	batch_retry(batch);
	answer_last(&play, &good);
	assert_int_equal(play.done_count, 1);
	batch_close(batch);
}

static void a_culprit_is_found_alone(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch(&play, 8);

	(void)state;
	add(batch, 100, 0);
	for (uint32_t i = 0; i < 8; i++)
		add(batch, i, 0);
	answer_last(&play, &good); /* 100 alone, then eight, of which number 5 is bad */
	for (int turn = 0; turn < 20 && batch_waiting(batch) > 0; turn++) {
		bool holds_culprit = false;

		for (size_t i = 0; i < play.sent_count; i++)
			holds_culprit = holds_culprit || play.sent[i].address == 5;
		answer_last(&play, holds_culprit ? &bad_row : &good);
	}
	assert_int_equal(batch_waiting(batch), 0);
	assert_int_equal(play.refused_count, 1);
	assert_int_equal(play.refused[0].address, 5);
	assert_int_equal(play.done_count, 8);
	batch_close(batch);
}

static void a_row_added_by_an_answer_is_sent(void **state)
{
	const struct db_answer *const answers[] = {&good, &bad_row};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct play play = {0};
		struct batch *batch = open_batch(&play, 8);

		add(batch, 1, 1);
		play.again = batch;
		answer_last(&play, answers[i]);
		assert_int_equal(play.sends, 2);
		assert_int_equal(play.sent_count, 1);
		assert_int_equal(play.sent[0].value, 2);
		assert_int_equal(batch_waiting(batch), 1);
		answer_last(&play, &good);
		assert_int_equal(play.done[play.done_count - 1].value, 2);
		assert_int_equal(batch_waiting(batch), 0);
		batch_close(batch);
	}
}

static void full_statements_follow_each_other(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch_of(&play, 2, 3);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		add(batch, i, 0);
	/* 0 alone; then 1 and 2 as a full one; 3 waits for company */
	assert_int_equal(play.sends, 2);
	assert_int_equal(play.sent[0].address, 1);
	add(batch, 4, 0);
	assert_int_equal(play.sends, 3);
	add(batch, 5, 0);
	add(batch, 6, 0);
	assert_int_equal(play.sends, 3); /* that many at once, and no more */
	/* what is lost in the middle waits again, before the others, which go on */
	batch_on_answer(play.statements[1], &lost);
	assert_int_equal(play.sends, 3);
	batch_on_answer(play.statements[0], &good);
	assert_int_equal(play.sends, 5);
	assert_int_equal(play.sent[0].address, 5);
	batch_on_answer(play.statements[2], &good);
	batch_on_answer(play.statements[3], &good);
	batch_on_answer(play.statements[4], &good);
	assert_int_equal(play.done_count, 7);
	assert_int_equal(play.done[3].address, 1);
	assert_int_equal(batch_waiting(batch), 0);
	batch_close(batch);
}

/* Sent again, the older grant must not undo the newer one. */
static void no_row_overtakes_one_of_its_key(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch_of(&play, 2, 3);

	(void)state;
	add(batch, 1, 1);
	add(batch, 3, 1);
	add(batch, 1, 2);
	assert_int_equal(play.sends, 1);
	/* also what could make a full statement without it stays behind it */
	add(batch, 5, 1);
	assert_int_equal(play.sends, 1);
	batch_on_answer(play.statements[0], &lost);
	/* nor may the newest take the place of the oldest, before the one between them */
	add(batch, 1, 3);
	batch_retry(batch);
	assert_int_equal(play.sent[0].address, 3);
	assert_int_equal(play.sent[1].value, 3);
	answer_last(&play, &good);
	assert_int_equal(play.sent_count, 1);
	assert_int_equal(play.sent[0].address, 5);
	answer_last(&play, &good);
	assert_int_equal(play.done_count, 3);
	assert_int_equal(batch_waiting(batch), 0);
	batch_close(batch);
}

/* What was lost waits beside what came meanwhile: still a key is once in a statement. */
static void a_statement_holds_a_key_once(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch_of(&play, 8, 1);

	(void)state;
	add(batch, 1, 1);
	add(batch, 2, 1);
	add(batch, 1, 2);
	batch_on_answer(play.statements[0], &lost);
	batch_retry(batch);
	assert_int_equal(play.sent_count, 2);
	assert_int_equal(play.sent[0].address, 2);
	assert_int_equal(play.sent[1].value, 2);
	answer_last(&play, &good);
	batch_close(batch);
}

/* What else is accepted meanwhile clears nobody: else the search would begin again for ever. */
static void a_culprit_is_found_beside_other_statements(void **state)
{
	struct play play = {0};
	struct batch *batch = open_batch_of(&play, 4, 2);

	(void)state;
	add(batch, 100, 0);
	for (uint32_t i = 5; i < 13; i++)
		add(batch, i, 0);
	/* 100 alone, then 5 to 8, of which 5 is bad; then 9 to 12 */
	batch_on_answer(play.statements[0], &good);
	assert_int_equal(play.sends, 3);
	for (uint32_t i = 13; i < 17; i++)
		add(batch, i, 0);
	batch_on_answer(play.statements[1], &bad_row);
	assert_int_equal(play.sends, 3);
	batch_on_answer(play.statements[2], &good);
	assert_int_equal(play.sends, 4);
	assert_int_equal(play.sent_count, 2);
	assert_int_equal(play.sent[0].address, 5);
	answer_last(&play, &bad_row);
	assert_int_equal(play.sent_count, 1);
	answer_last(&play, &bad_row);
	assert_int_equal(play.refused_count, 1);
	assert_int_equal(play.refused[0].address, 5);
	while (batch_waiting(batch) > 0)
		answer_last(&play, &good);
	assert_int_equal(play.done_count, 1 + 11);
	batch_close(batch);
}

static void the_queue_is_bounded(void **state)
{
	struct play play = {.send_result = ERR_AWAY};
	struct batch *batch = open_batch(&play, 8);
	struct grant grant = {99, 0};

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		add(batch, i, 0);
	assert_int_equal(batch_add(batch, &grant), ERR_SPACE);
	batch_close(batch);
}

static void the_patient_wait_for_company(void **state)
{
	struct play play = {.send_result = ERR_OK};
	struct batch_options options = {.most = 3,
					.queue_max = 16,
					.row_size = sizeof(struct grant),
					.is_patient = true,
					.send = play_send,
					.on_done = play_done,
					.on_refused = play_refused,
					.data = &play};
	struct batch *batch;

	(void)state;
	assert_int_equal(batch_open(&options, &batch), ERR_OK);
	add(batch, 1, 1);
	add(batch, 2, 1);
	assert_int_equal(play.sends, 0);
	add(batch, 3, 1);
	assert_int_equal(play.sends, 1);
	assert_int_equal(play.sent_count, 3);
	add(batch, 4, 1);
	answer_last(&play, &good);
	assert_int_equal(play.sends, 1);
	batch_retry(batch);
	assert_int_equal(play.sends, 2);
	assert_int_equal(play.sent_count, 1);
	answer_last(&play, &good);
	assert_int_equal(play.done_count, 4);
	batch_close(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_arrive_meanwhile_form_one_statement),
		cmocka_unit_test(a_row_in_flight_is_never_replaced),
		cmocka_unit_test(a_lost_statement_goes_again),
		cmocka_unit_test(a_deadlock_sends_the_same_rows_at_once),
		cmocka_unit_test(a_culprit_is_found_alone),
		cmocka_unit_test(a_row_added_by_an_answer_is_sent),
		cmocka_unit_test(full_statements_follow_each_other),
		cmocka_unit_test(no_row_overtakes_one_of_its_key),
		cmocka_unit_test(a_statement_holds_a_key_once),
		cmocka_unit_test(a_culprit_is_found_beside_other_statements),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(the_patient_wait_for_company),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
