#include "unit.h"

#include "tftpd/session.h"

static const struct session_limits wide = {.blksize = PACKET_BLKSIZE_MAX, .windowsize = 64};

static struct session session_of(uint64_t size, uint16_t blksize, uint16_t windowsize,
				 bool oack)
{
	struct session_terms terms = {
		.size = size, .blksize = blksize, .windowsize = windowsize, .has_oack = oack};
	struct session session;

	session_begin(&session, &terms, 0);
	return session;
}

static struct session_step start(struct session *session, uint64_t now)
{
	return session_step(session, &(struct session_event){.kind = SESSION_START}, now);
}

static struct session_step ack(struct session *session, uint16_t block, uint64_t now)
{
	struct session_event event = {.kind = SESSION_ACK, .number = block};

	return session_step(session, &event, now);
}

static struct session_step timer(struct session *session, uint64_t now)
{
	return session_step(session, &(struct session_event){.kind = SESSION_TIMER}, now);
}

static struct session_step error(struct session *session, uint16_t code, const char *message)
{
	struct session_event event = {SESSION_ERROR, code, message, strlen(message)};

	return session_step(session, &event, 1);
}

static void assert_data(struct session_step step, uint64_t first, unsigned count)
{
	assert_int_equal(step.outcome, SESSION_OPEN);
	assert_int_equal(step.send, SESSION_SEND_DATA);
	assert_int_equal(step.first, first);
	assert_int_equal(step.count, count);
}

static void assert_silent(struct session_step step)
{
	assert_int_equal(step.outcome, SESSION_OPEN);
	assert_int_equal(step.send, SESSION_SEND_NOTHING);
}

static void test_sizes(void **state)
{
	static const struct {
		uint64_t size, blocks, last_length;
	} cases[] = {{0, 1, 0}, {511, 1, 511}, {512, 2, 0}, {513, 2, 1}, {1048576, 2049, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session session = session_of(cases[i].size, 512, 1, false);
		struct session_step step = start(&session, 0);

		for (uint64_t block = 1; block <= cases[i].blocks; block++) {
			assert_data(step, block, 1);
			step = ack(&session, (uint16_t)block, block);
		}
		assert_int_equal(step.outcome, SESSION_SENT);
		assert_int_equal(session_block_length(&session, cases[i].blocks),
				 cases[i].last_length);
		assert_int_equal(session_octets_acked(&session), cases[i].size);
		assert_int_equal(session.retransmits, 0);
	}
}

static void test_block_numbers_wrap(void **state)
{
	struct session session = session_of(70000ULL * 512, 512, 16, false);
	struct session_step step = start(&session, 0);

	(void)state;
	for (uint64_t acked = 16; acked < 70000; acked += 16) {
		step = ack(&session, (uint16_t)acked, acked);
		assert_int_equal(step.send, SESSION_SEND_DATA);
		assert_int_equal(step.first, acked + 1);
	}
	assert_int_equal(session_block_offset(&session, step.first), 69984ULL * 512 + 0);
	/* an ACK of the same 16 bits, one wrap ago or ahead, means nothing */
	assert_silent(ack(&session, (uint16_t)(69984 - 1), 70001));
	assert_silent(ack(&session, (uint16_t)(69984 + 18), 70001));
}

static void test_terms(void **state)
{
	struct packet_options asked = {
		.option = {[PACKET_BLKSIZE] = {true, 1468, "blksize"},
			   [PACKET_TSIZE] = {true, 0, "TSize"},
			   [PACKET_WINDOWSIZE] = {true, 65535, "windowsize"}}};
	static const uint8_t expected[] = "\0\6blksize\0001024\0TSize\00099\0windowsize\00016";
	struct session_limits tight = {.blksize = 1024, .windowsize = 16};
	struct session_terms terms = session_agree(&asked, &tight, 99);
	uint8_t buffer[PACKET_ANSWER_SIZE];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	(void)state;
	assert_true(terms.has_oack);
	assert_int_equal(terms.blksize, 1024);
	assert_int_equal(terms.windowsize, 16);
	session_write_oack(&out, &asked, &terms);
	assert_int_equal(out.length, sizeof(expected));
	assert_memory_equal(buffer, expected, sizeof(expected));
	/* never more than asked */
	terms = session_agree(&asked, &wide, 99);
	assert_int_equal(terms.blksize, 1468);
	/* nothing asked: nothing granted, RFC 1350's own values */
	memset(&asked, 0, sizeof(asked));
	terms = session_agree(&asked, &wide, 99);
	assert_false(terms.has_oack);
	assert_int_equal(terms.blksize, 512);
	assert_int_equal(terms.windowsize, 1);
}

static void test_agreement_comes_first(void **state)
{
	struct session session = session_of(100, 512, 1, true);

	(void)state;
	assert_int_equal(start(&session, 0).send, SESSION_SEND_OACK);
	assert_silent(ack(&session, 1, 1));
	assert_int_equal(timer(&session, 1000).send, SESSION_SEND_OACK);
	assert_int_equal(session.retransmits, 1);
	assert_data(ack(&session, 0, 1001), 1, 1);
	/* the answer to the second OACK: no second DATA, and never an OACK again */
	assert_silent(ack(&session, 0, 1002));
	assert_silent(session_step(&session,
				   &(struct session_event){.kind = SESSION_ASKED_AGAIN}, 1003));
	assert_int_equal(ack(&session, 1, 1004).outcome, SESSION_SENT);
}

static void test_request_repeated_before_the_agreement(void **state)
{
	struct session session = session_of(100, 512, 1, true);
	struct session_event again = {.kind = SESSION_ASKED_AGAIN};

	(void)state;
	(void)start(&session, 0);
	assert_int_equal(session_step(&session, &again, 250).send, SESSION_SEND_OACK);
}

static void test_no_sorcerers_apprentice(void **state)
{
	struct session session = session_of(5ULL * 512, 512, 1, false);

	(void)state;
	(void)start(&session, 0);
	assert_data(ack(&session, 1, 1), 2, 1);
	for (int i = 0; i < 100; i++)
		assert_silent(ack(&session, 1, 2));
	assert_silent(timer(&session, 500));
	assert_data(ack(&session, 2, 600), 3, 1);
	assert_int_equal(session.retransmits, 0);
}

static void test_back_off_and_end(void **state)
{
	static const uint64_t repeats[] = {1000, 3000, 7000, 15000, 31000};
	struct session session = session_of(1000, 512, 1, false);
	struct session_step step;

	(void)state;
	assert_data(start(&session, 0), 1, 1);
	step = ack(&session, 1, 0);
	for (size_t i = 0; i < sizeof(repeats) / sizeof(repeats[0]); i++) {
		assert_int_equal(step.wait_until_ms, repeats[i]);
		assert_silent(timer(&session, repeats[i] - 1));
		step = timer(&session, repeats[i]);
		assert_data(step, 2, 1);
	}
	assert_int_equal(step.wait_until_ms, SESSION_SILENCE_MS);
	step = timer(&session, step.wait_until_ms);
	assert_int_equal(step.outcome, SESSION_TIMEOUT);
	assert_int_equal(step.send, SESSION_SEND_ERROR);
	assert_int_equal(session.retransmits, 5);
}

/* Whoever forges an address makes us send one block and three repetitions, and no ERROR. */
static void test_never_heard(void **state)
{
	struct session session = session_of(1000, 512, 1, false);
	struct session_step step = start(&session, 0);
	unsigned blocks = 0;

	(void)state;
	while (step.outcome == SESSION_OPEN) {
		assert_data(step, 1, 1);
		blocks++;
		step = timer(&session, step.wait_until_ms);
	}
	assert_int_equal(blocks, SESSION_TRIES_UNHEARD);
	assert_int_equal(step.outcome, SESSION_TIMEOUT);
	assert_int_equal(step.send, SESSION_SEND_NOTHING);
}

static void test_crowded_out(void **state)
{
	struct session session = session_of(1000, 512, 1, false);
	struct session_event event = {.kind = SESSION_CROWDED};
	struct session_step step;

	(void)state;
	(void)start(&session, 0);
	step = session_step(&session, &event, 5);
	assert_int_equal(step.outcome, SESSION_TIMEOUT);
	assert_int_equal(step.send, SESSION_SEND_NOTHING);
}

static void test_progress_renews_patience(void **state)
{
	struct session session = session_of(1000, 512, 1, false);

	(void)state;
	(void)start(&session, 0);
	assert_data(timer(&session, 1000), 1, 1);
	assert_data(timer(&session, 3000), 1, 1);
	assert_int_equal(ack(&session, 1, 59000).wait_until_ms, 60000);
}

static void test_timeout_option(void **state)
{
	struct session_terms terms = {.size = 9,
				      .blksize = 512,
				      .windowsize = 1,
				      .timeout_ms = 5000,
				      .has_oack = true};
	struct session session;
	uint64_t now = 0;

	(void)state;
	session_begin(&session, &terms, 0);
	assert_int_equal(start(&session, 0).wait_until_ms, 5000);
	for (int i = 1; i < SESSION_TRIES_UNHEARD; i++) {
		now = session.wait_until_ms;
		assert_int_equal(timer(&session, now).wait_until_ms, now + 5000);
	}
	assert_int_equal(timer(&session, now + 5000).outcome, SESSION_TIMEOUT);
	/* 255 s is longer than our own patience, and yet it is repeated */
	terms.timeout_ms = 255000;
	session_begin(&session, &terms, 0);
	(void)start(&session, 0);
	assert_int_equal(timer(&session, 255000).send, SESSION_SEND_OACK);
}

static void test_utimeout_option(void **state)
{
	struct packet_options asked = {
		.option = {[PACKET_TIMEOUT] = {true, 5, "timeout"},
			   [PACKET_UTIMEOUT] = {true, 250000, "utimeout"}}};
	struct session_limits limits = {1468, 4};
	struct session_terms terms = session_agree(&asked, &limits, 9);
	uint8_t room[PACKET_ANSWER_SIZE];
	struct bytes_writer out = bytes_writer(room, sizeof(room));
	static const char expected[] = "\0\6timeout\0005\0utimeout\000250000";

	(void)state;
	assert_int_equal(terms.timeout_ms, 250);
	session_write_oack(&out, &asked, &terms);
	assert_int_equal(out.length, sizeof(expected));
	assert_memory_equal(room, expected, sizeof(expected));
}

/* Behind 65535 comes 1 for a client that asked so, and every ACK is understood. */
static void test_rollover_to_one(void **state)
{
	struct session_terms terms = {.size = 8ULL * 140000,
				      .blksize = 8,
				      .windowsize = 3,
				      .rollover = 1,
				      .has_oack = true};
	struct session session;
	struct session_step step;
	uint64_t block = 0;

	(void)state;
	session_begin(&session, &terms, 0);
	(void)start(&session, 0);
	step = ack(&session, 0, 1);
	while (step.outcome == SESSION_OPEN) {
		assert_int_equal(step.first, block + 1);
		block += step.count;
		/* an old one, and 0, which is no number here, move nothing */
		assert_int_equal(ack(&session, 0, 2).send, SESSION_SEND_NOTHING);
		step = ack(&session, (uint16_t)((block - 1) % 65535 + 1), 3);
	}
	assert_int_equal(step.outcome, SESSION_SENT);
	assert_int_equal(block, 140001);
	assert_int_equal(session_block_number(&session, 65535), 65535);
	assert_int_equal(session_block_number(&session, 65536), 1);
	assert_int_equal(session_block_number(&session, 131070), 65535);
	assert_int_equal(session_block_number(&session, 131071), 1);
}

static void test_window(void **state)
{
	struct session session = session_of(10ULL * 512, 512, 4, false);

	(void)state;
	assert_data(start(&session, 0), 1, 4);
	assert_data(ack(&session, 4, 1), 5, 4);
	assert_silent(ack(&session, 3, 2)); /* overtaken */
	assert_data(ack(&session, 8, 3), 9, 3);
	assert_int_equal(ack(&session, 11, 4).outcome, SESSION_SENT);
	assert_int_equal(session.retransmits, 0);
}

static void test_gap_is_repeated_once(void **state)
{
	struct session session = session_of(100ULL * 512, 512, 4, false);
	struct session_step step;

	(void)state;
	(void)start(&session, 0);
	/* 3 was lost: the client acknowledges 2, and again for whatever follows */
	step = ack(&session, 2, 10);
	assert_silent(step);
	assert_int_equal(step.wait_until_ms, 10 + SESSION_GAP_MS);
	assert_silent(ack(&session, 2, 11));
	assert_data(timer(&session, 20), 3, 4);
	assert_int_equal(session.retransmits, 2);
	/* a late echo of the same gap does nothing before the timer */
	step = ack(&session, 2, 21);
	assert_silent(step);
	assert_int_equal(step.wait_until_ms, 1020);
	assert_data(ack(&session, 6, 22), 7, 4);
}

static void test_overtaken_window_is_not_repeated(void **state)
{
	struct session session = session_of(100ULL * 512, 512, 4, false);

	(void)state;
	(void)start(&session, 0);
	assert_silent(ack(&session, 2, 10));
	assert_data(ack(&session, 4, 11), 5, 4);
	assert_int_equal(session.retransmits, 0);
}

static void test_lost_first_block_of_a_window(void **state)
{
	struct session session = session_of(100ULL * 512, 512, 4, false);

	(void)state;
	(void)start(&session, 0);
	assert_data(ack(&session, 4, 10), 5, 4);
	assert_silent(ack(&session, 4, 12));
	assert_data(timer(&session, 12 + SESSION_GAP_MS), 5, 4);
}

/* Windows of 4, of which `count` have been answered after so long each; the time now. */
static uint64_t answer_windows(struct session *session, unsigned count, uint64_t each_ms)
{
	uint64_t now = 0;

	(void)start(session, 0);
	for (unsigned i = 1; i <= count; i++) {
		now += each_ms;
		assert_data(ack(session, (uint16_t)(4 * i), now), 4 * i + 1, 4);
	}
	return now;
}

static void test_waits_as_long_as_it_takes(void **state)
{
	struct session session = session_of(99000, 512, 4, false);
	uint64_t now = answer_windows(&session, 20, 2);

	(void)state;
	/* a tenth of a second at least, then doubled */
	assert_int_equal(session.wait_until_ms, now + SESSION_LEAST_WAIT_MS);
	assert_silent(timer(&session, now + 99));
	assert_data(timer(&session, now + 100), 81, 4);
	assert_data(timer(&session, now + 300), 81, 4);
	assert_data(timer(&session, now + 700), 81, 4);
	/* what was repeated says nothing about time; the wait is the old one again */
	assert_data(ack(&session, 84, now + 5000), 85, 4);
	assert_int_equal(session.wait_until_ms, now + 5100);

	/* a slow client is not hurried */
	session = session_of(99000, 512, 4, false);
	now = answer_windows(&session, 20, 600);
	assert_in_range(session.wait_until_ms - now, 601, 1200);
	session = session_of(99000, 512, 4, false);
	now = answer_windows(&session, 20, 9000);
	assert_int_equal(session.wait_until_ms - now, SESSION_MOST_WAIT_MS);
}

/* The sooner repetitions are more, not instead. */
static void test_patience_is_the_same_for_windows(void **state)
{
	struct session session = session_of(99000, 512, 4, false);
	uint64_t now = answer_windows(&session, 20, 2), began = now;
	struct session_step step;
	unsigned sendings = 0;

	(void)state;
	while ((step = timer(&session, session.wait_until_ms)).outcome == SESSION_OPEN) {
		assert_true(session.wait_until_ms > now);
		now = session.wait_until_ms;
		sendings++;
	}
	assert_int_equal(step.outcome, SESSION_TIMEOUT);
	assert_in_range(now - began, 30000, SESSION_SILENCE_MS);
	assert_in_range(sendings, SESSION_TRIES, SESSION_TRIES + 4);
}

static void test_lock_step_and_timeout_option_are_not_hurried(void **state)
{
	struct session session = session_of(99000, 512, 1, false);
	uint64_t now;

	(void)state;
	(void)start(&session, 0);
	for (uint16_t block = 1; block < 20; block++)
		(void)ack(&session, block, block);
	assert_int_equal(session.wait_until_ms, 19 + SESSION_FIRST_WAIT_MS);
	session = session_of(99000, 512, 4, false);
	session.terms.timeout_ms = 3000;
	now = answer_windows(&session, 20, 2);
	assert_int_equal(session.wait_until_ms, now + 3000);
}

static void test_full_socket(void **state)
{
	struct session session = session_of(100ULL * 512, 512, 8, false);

	(void)state;
	assert_data(start(&session, 0), 1, 8);
	session_hold(&session, 5, 0); /* 1 to 3 went out */
	assert_silent(timer(&session, 1));
	assert_data(timer(&session, SESSION_HOLD_MS), 4, 5);
	assert_int_equal(session.retransmits, 0);
	session_hold(&session, 5, 6);
	assert_data(ack(&session, 3, 7), 4, 8);
	assert_int_equal(session.retransmits, 0);
	/* nothing went out at all, for ever: it still ends */
	for (uint64_t now = 8;; now = session.wait_until_ms) {
		struct session_step step = timer(&session, now);

		if (step.outcome == SESSION_TIMEOUT)
			break;
		assert_true(now < 2 * SESSION_SILENCE_MS);
		if (step.send == SESSION_SEND_DATA)
			session_hold(&session, step.count, now);
	}
}

static void test_how_clients_end_it(void **state)
{
	static const struct {
		bool is_agreeing;
		uint16_t code;
		const char *message;
		enum session_outcome outcome;
	} cases[] = {
		{true, 8, "User aborted the transfer", SESSION_PROBE}, /* EDK2 */
		{true, 0, "", SESSION_PROBE},
		{true, 3, "disk full", SESSION_ABORTED},
		{false, 0, "closed", SESSION_CLOSED},	       /* GRUB */
		{false, 0, "Early terminate", SESSION_CLOSED}, /* Raspberry Pi */
		{false, 0, "", SESSION_ABORTED},
		{false, 8, "no", SESSION_ABORTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session session = session_of(9999, 512, 1, true);
		struct session_step step;

		(void)start(&session, 0);
		if (!cases[i].is_agreeing)
			(void)ack(&session, 0, 0);
		step = error(&session, cases[i].code, cases[i].message);
		assert_int_equal(step.outcome, cases[i].outcome);
		/* an ERROR is never answered */
		assert_int_equal(step.send, SESSION_SEND_NOTHING);
	}
}

static void test_port_used_again(void **state)
{
	struct session_event replaced = {.kind = SESSION_REPLACED};
	struct session session = session_of(600, 512, 1, true);

	(void)state;
	(void)start(&session, 0);
	assert_int_equal(session_step(&session, &replaced, 1).outcome, SESSION_PROBE);
	(void)ack(&session, 0, 1);
	assert_int_equal(session_step(&session, &replaced, 1).outcome, SESSION_ABORTED);
	(void)ack(&session, 1, 1);
	assert_int_equal(session_step(&session, &replaced, 1).outcome, SESSION_SENT);
}

static void test_what_is_a_repeated_request(void **state)
{
	struct session plain = session_of(600, 512, 1, false);
	struct session agreed = session_of(600, 512, 1, true);

	(void)state;
	(void)start(&plain, 0);
	assert_true(session_may_be_asked_again(&plain, 30000));
	(void)ack(&plain, 1, 30000);
	assert_true(session_may_be_asked_again(&plain, 30999));
	assert_false(session_may_be_asked_again(&plain, 31000));
	(void)start(&agreed, 0);
	assert_true(session_may_be_asked_again(&agreed, 30000));
	(void)ack(&agreed, 0, 30000);
	assert_false(session_may_be_asked_again(&agreed, 31000));
}

static void test_unreachable_client(void **state)
{
	struct session_event bounce = {.kind = SESSION_UNREACHABLE};
	struct session session = session_of(6000, 512, 4, false);
	struct session_step step;

	(void)state;
	(void)start(&session, 0);
	step = session_step(&session, &bounce, 5);
	assert_silent(step);
	step = timer(&session, step.wait_until_ms);
	assert_int_equal(step.outcome, SESSION_ABORTED);
	assert_int_equal(step.send, SESSION_SEND_NOTHING);
	/* the client's own word, right behind, says more */
	session = session_of(6000, 512, 4, false);
	(void)start(&session, 0);
	(void)session_step(&session, &bounce, 5);
	assert_int_equal(error(&session, 0, "closed").outcome, SESSION_CLOSED);
	/* and one that goes on was never gone */
	session = session_of(6000, 512, 4, false);
	(void)start(&session, 0);
	(void)session_step(&session, &bounce, 5);
	assert_data(ack(&session, 4, 6), 5, 4);
	assert_silent(timer(&session, 100));
}

static void test_our_own_ends(void **state)
{
	struct session session = session_of(600, 512, 1, false);

	(void)state;
	(void)start(&session, 0);
	assert_int_equal(
		session_step(&session, &(struct session_event){.kind = SESSION_UNREADABLE}, 1)
			.send,
		SESSION_SEND_ERROR);
	assert_int_equal(
		session_step(&session, &(struct session_event){.kind = SESSION_STOPPING}, 1)
			.send,
		SESSION_SEND_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_block_numbers_wrap),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_agreement_comes_first),
		cmocka_unit_test(test_request_repeated_before_the_agreement),
		cmocka_unit_test(test_no_sorcerers_apprentice),
		cmocka_unit_test(test_back_off_and_end),
		cmocka_unit_test(test_never_heard),
		cmocka_unit_test(test_crowded_out),
		cmocka_unit_test(test_progress_renews_patience),
		cmocka_unit_test(test_timeout_option),
		cmocka_unit_test(test_utimeout_option),
		cmocka_unit_test(test_rollover_to_one),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_gap_is_repeated_once),
		cmocka_unit_test(test_overtaken_window_is_not_repeated),
		cmocka_unit_test(test_lost_first_block_of_a_window),
		cmocka_unit_test(test_waits_as_long_as_it_takes),
		cmocka_unit_test(test_patience_is_the_same_for_windows),
		cmocka_unit_test(test_lock_step_and_timeout_option_are_not_hurried),
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_how_clients_end_it),
		cmocka_unit_test(test_port_used_again),
		cmocka_unit_test(test_what_is_a_repeated_request),
		cmocka_unit_test(test_unreachable_client),
		cmocka_unit_test(test_our_own_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
