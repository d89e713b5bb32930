/* One upload, step by step: what is kept, stored, acknowledged, and when it ends. */
#include "unit.h"

#include "tftpd/receive.h"

#define BLKSIZE 512
#define LIMIT 10000

struct lab {
	struct receive receive;
	uint64_t now;
};

static struct session_step step(struct lab *lab, enum session_event_kind kind)
{
	struct session_event event = {.kind = kind, .message = ""};

	return receive_step(&lab->receive, &event, lab->now);
}

static struct session_step data(struct lab *lab, uint16_t number, size_t length)
{
	static const char octets[2 * BLKSIZE];
	struct session_event event = {.kind = SESSION_DATA,
				      .number = number,
				      .message = octets,
				      .message_length = length};

	return receive_step(&lab->receive, &event, lab->now);
}

static void expect_ack(struct session_step step, uint16_t number)
{
	assert_int_equal(step.send, SESSION_SEND_ACK);
	assert_int_equal(step.first, number);
	assert_int_equal(step.outcome, SESSION_OPEN);
	assert_false(step.keep || step.store);
}

static void expect_silence(struct session_step step)
{
	assert_int_equal(step.send, SESSION_SEND_NOTHING);
	assert_int_equal(step.outcome, SESSION_OPEN);
	assert_false(step.keep || step.store);
}

static void expect_kept(struct session_step step, bool is_stored)
{
	assert_int_equal(step.send, SESSION_SEND_NOTHING);
	assert_int_equal(step.outcome, SESSION_OPEN);
	assert_true(step.keep);
	assert_int_equal(step.store, is_stored);
}

static void expect_error(struct session_step step, enum packet_code code)
{
	assert_int_equal(step.send, SESSION_SEND_ERROR);
	assert_int_equal(step.code, code);
	assert_int_equal(step.outcome, SESSION_ABORTED);
	assert_true(step.reason[0] != '\0');
}

static void begin(struct lab *lab, uint16_t windowsize, bool has_oack)
{
	struct session_terms terms = {
		.blksize = BLKSIZE, .windowsize = windowsize, .has_oack = has_oack};
	struct session_step first;

	lab->now = 1000;
	receive_begin(&lab->receive, &terms, LIMIT, lab->now);
	first = step(lab, SESSION_START);
	assert_int_equal(first.send, has_oack ? SESSION_SEND_OACK : SESSION_SEND_ACK);
	assert_int_equal(first.first, 0);
	lab->now += 100;
}

static void test_plain(void **state)
{
	struct lab lab;
	struct session_step last;

	(void)state;
	begin(&lab, 1, false);
	expect_kept(data(&lab, 1, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 1);
	expect_kept(data(&lab, 2, 0), true);
	last = step(&lab, SESSION_STORED);
	assert_int_equal(last.send, SESSION_SEND_ACK);
	assert_int_equal(last.first, 2);
	assert_int_equal(last.outcome, SESSION_RECEIVED);
	assert_int_equal(lab.receive.octets, BLKSIZE);
	assert_true(receive_is_last(&lab.receive, 2));
	assert_false(receive_is_last(&lab.receive, 1));
}

/* Nothing is acknowledged before it is stored, whatever the client repeats. */
static void test_no_ack_before_the_disk(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 1, false);
	expect_kept(data(&lab, 1, BLKSIZE), true);
	lab.now += 2000;
	expect_silence(data(&lab, 1, BLKSIZE));
	expect_silence(step(&lab, SESSION_TIMER));
	expect_silence(step(&lab, SESSION_UNREACHABLE));
	expect_ack(step(&lab, SESSION_STORED), 1);
}

static void test_a_disk_that_hangs(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 1, false);
	expect_kept(data(&lab, 1, BLKSIZE), true);
	lab.now += SESSION_SILENCE_MS;
	expect_error(step(&lab, SESSION_TIMER), PACKET_UNDEFINED);
}

static void test_repeated_blocks(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 1, false);
	expect_silence(data(&lab, 0, BLKSIZE)); /* there is no block 0 */
	expect_kept(data(&lab, 1, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 1);
	expect_silence(data(&lab, 1, BLKSIZE)); /* an echo: our ACK is on its way */
	lab.now += 500;
	expect_ack(data(&lab, 1, BLKSIZE), 1); /* our ACK was lost */
	expect_kept(data(&lab, 2, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 2);
	lab.now += 500;
	expect_silence(data(&lab, 1, BLKSIZE)); /* an old one */
	assert_int_equal(lab.receive.octets, 2 * BLKSIZE);
}

static void test_window(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 4, true);
	for (uint16_t block = 1; block <= 3; block++)
		expect_kept(data(&lab, block, BLKSIZE), false);
	expect_kept(data(&lab, 4, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 4);
	/* the last window is a short one */
	expect_kept(data(&lab, 5, BLKSIZE), false);
	expect_kept(data(&lab, 6, 100), true);
	assert_int_equal(step(&lab, SESSION_STORED).outcome, SESSION_RECEIVED);
}

/* RFC 7440 section 4: the last block before the gap, once, and the window begins anew there. */
static void test_gap(void **state)
{
	struct lab lab;
	struct session_step gap;

	(void)state;
	begin(&lab, 4, true);
	expect_kept(data(&lab, 1, BLKSIZE), false);
	gap = data(&lab, 3, BLKSIZE);
	assert_true(gap.store && !gap.keep && gap.send == SESSION_SEND_NOTHING);
	expect_ack(step(&lab, SESSION_STORED), 1);
	expect_silence(data(&lab, 4, BLKSIZE));
	for (uint16_t block = 2; block <= 4; block++)
		expect_kept(data(&lab, block, BLKSIZE), false);
	expect_kept(data(&lab, 5, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 5);
	/* the first of a window is missing: nothing is to be stored */
	expect_ack(data(&lab, 7, BLKSIZE), 5);
	expect_silence(data(&lab, 8, BLKSIZE));
	/* further than any window: none of this transfer's */
	expect_silence(data(&lab, 50, BLKSIZE));
}

/* The end of a window was lost: what came is acknowledged by the timer. */
static void test_timer_closes_a_window(void **state)
{
	struct lab lab;
	struct session_step late;

	(void)state;
	begin(&lab, 4, true);
	expect_kept(data(&lab, 1, BLKSIZE), false);
	lab.now = lab.receive.wait_until_ms;
	late = step(&lab, SESSION_TIMER);
	assert_true(late.store && !late.keep);
	expect_ack(step(&lab, SESSION_STORED), 1);
	lab.now = lab.receive.wait_until_ms;
	expect_ack(step(&lab, SESSION_TIMER), 1);
}

static void test_silence_ends(void **state)
{
	struct lab lab;
	unsigned answers = 1;
	uint64_t began;

	(void)state;
	begin(&lab, 1, true);
	for (;; answers++) {
		struct session_step now;

		lab.now = lab.receive.wait_until_ms;
		now = step(&lab, SESSION_TIMER);
		if (now.outcome != SESSION_OPEN) {
			/* nobody may be there: he gets no ERROR */
			assert_int_equal(now.send, SESSION_SEND_NOTHING);
			assert_int_equal(now.outcome, SESSION_TIMEOUT);
			break;
		}
		assert_int_equal(now.send, SESSION_SEND_OACK);
	}
	assert_int_equal(answers, SESSION_TRIES_UNHEARD);

	begin(&lab, 1, true);
	expect_kept(data(&lab, 1, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 1);
	began = lab.now;
	for (uint64_t last = began;; last = lab.now) {
		struct session_step now;

		lab.now = lab.receive.wait_until_ms;
		now = step(&lab, SESSION_TIMER);
		if (now.outcome != SESSION_OPEN) {
			assert_int_equal(now.send, SESSION_SEND_ERROR);
			assert_int_equal(now.outcome, SESSION_TIMEOUT);
			break;
		}
		expect_ack(now, 1);
		/* once soon; then the client's own timer has its turn */
		assert_true(last == began ? lab.now - last == SESSION_FIRST_WAIT_MS
					  : lab.now - last > 5000);
	}
	assert_int_equal(lab.now - began, SESSION_SILENCE_MS);
}

static void test_size_limit(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 1, false);
	for (uint16_t block = 1; block <= LIMIT / BLKSIZE; block++) {
		expect_kept(data(&lab, block, BLKSIZE), true);
		expect_ack(step(&lab, SESSION_STORED), block);
	}
	expect_error(data(&lab, LIMIT / BLKSIZE + 1, BLKSIZE), PACKET_DISK_FULL);
	begin(&lab, 1, false);
	for (uint16_t block = 1; block <= LIMIT / BLKSIZE; block++) {
		expect_kept(data(&lab, block, BLKSIZE), true);
		expect_ack(step(&lab, SESSION_STORED), block);
	}
	expect_kept(data(&lab, LIMIT / BLKSIZE + 1, LIMIT % BLKSIZE), true); /* just as large */
}

static void test_refusals(void **state)
{
	struct lab lab;
	struct session_event full = {
		.kind = SESSION_NOT_STORED, .number = PACKET_DISK_FULL, .message = "full"};

	(void)state;
	begin(&lab, 1, false);
	expect_error(data(&lab, 1, BLKSIZE + 1), PACKET_ILLEGAL);
	begin(&lab, 1, false);
	expect_kept(data(&lab, 1, BLKSIZE), true);
	expect_error(receive_step(&lab.receive, &full, lab.now), PACKET_DISK_FULL);
	begin(&lab, 1, false);
	expect_error(step(&lab, SESSION_STOPPING), PACKET_UNDEFINED);
	begin(&lab, 1, false);
	assert_int_equal(step(&lab, SESSION_ERROR).outcome, SESSION_ABORTED);
	assert_int_equal(step(&lab, SESSION_REPLACED).send, SESSION_SEND_NOTHING);
}

static void test_asked_again(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 1, true);
	assert_true(receive_may_be_asked_again(&lab.receive, lab.now));
	assert_int_equal(step(&lab, SESSION_ASKED_AGAIN).send, SESSION_SEND_OACK);
	expect_kept(data(&lab, 1, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 1);
	expect_silence(step(&lab, SESSION_ASKED_AGAIN)); /* a straggler */
	assert_false(receive_may_be_asked_again(&lab.receive, lab.now + 5000));
}

static void test_unreachable(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 1, false);
	expect_silence(step(&lab, SESSION_UNREACHABLE));
	lab.now += SESSION_GAP_MS;
	assert_int_equal(step(&lab, SESSION_TIMER).outcome, SESSION_ABORTED);
	/* unless it goes on after all */
	begin(&lab, 1, false);
	expect_silence(step(&lab, SESSION_UNREACHABLE));
	expect_kept(data(&lab, 1, BLKSIZE), true);
	expect_ack(step(&lab, SESSION_STORED), 1);
	lab.now += SESSION_GAP_MS;
	expect_silence(step(&lab, SESSION_TIMER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_no_ack_before_the_disk),
		cmocka_unit_test(test_a_disk_that_hangs),
		cmocka_unit_test(test_repeated_blocks),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_timer_closes_a_window),
		cmocka_unit_test(test_silence_ends),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
