#include "test_dhcp_samples.h"

#include "dhcpd/probe.h"

#define OTHER IP(10, 77, 0, 9)

static struct probe probe;

/* Ticks from one time to another; how often the question was sent. */
static unsigned run(uint64_t from_ms, uint64_t to_ms, enum probe_verdict verdict)
{
	unsigned sent = 0;

	for (uint64_t now = from_ms; now < to_ms; now += PROBE_TICK_MS)
		sent += probe_tick(&probe, now, verdict);
	return sent;
}

static void hear(uint32_t xid)
{
	struct packet packet = {.xid = xid, .message = PACKET_OFFER, .yiaddr = 1};

	probe_heard(&probe, &packet, OTHER);
}

/* The start is over and nobody has answered. */
static uint64_t settle(void)
{
	const uint64_t over = PROBE_HOLD_MS + PROBE_LATE_MS + 1000;

	probe_begin(&probe, 7, 0);
	(void)run(0, over, PROBE_NOBODY);
	return over;
}

static void test_nobody_answers(void **state)
{
	(void)state;
	probe_begin(&probe, 7, 0);
	assert_int_equal(run(0, PROBE_HOLD_MS, PROBE_NOBODY), 2);
	assert_false(probe_permits(&probe, PROBE_AT_START));
	assert_false(probe_permits(&probe, PROBE_ALWAYS));
	assert_true(probe_permits(&probe, PROBE_NEVER));
	(void)run(PROBE_HOLD_MS, PROBE_HOLD_MS + 1, PROBE_NOBODY);
	assert_true(probe_permits(&probe, PROBE_AT_START));
	assert_true(probe_permits(&probe, PROBE_ALWAYS));
}

static void test_a_stranger_answers_and_goes(void **state)
{
	(void)state;
	probe_begin(&probe, 7, 0);
	(void)run(0, 500, PROBE_NOBODY);
	hear(7);
	assert_int_equal(probe.answer_count, 1);
	(void)run(500, 20000, PROBE_STRANGER);
	assert_int_equal(probe.state, PROBE_FOREIGN);
	assert_false(probe_permits(&probe, PROBE_AT_START));
	assert_true(probe_permits(&probe, PROBE_NEVER));
	/* 30 s later it is asked again, by another number, and is still there */
	assert_int_equal(run(20000, 31000, PROBE_STRANGER), 1);
	assert_int_equal(probe.state, PROBE_FOREIGN);
	assert_int_equal(probe.xid, 8);
	assert_int_equal(probe.answer_count, 0);
	hear(7); /* an answer to the first question is no answer to this one */
	assert_int_equal(probe.answer_count, 0);
	/* and then it is not */
	assert_int_equal(run(31000, 70000, PROBE_NOBODY), 2);
	assert_true(probe_permits(&probe, PROBE_AT_START));
}

static void test_an_answer_may_be_late(void **state)
{
	(void)state;
	probe_begin(&probe, 7, 0);
	(void)run(0, 3000, PROBE_NOBODY);
	assert_true(probe_permits(&probe, PROBE_AT_START));
	(void)run(3000, 4000, PROBE_STRANGER);
	assert_false(probe_permits(&probe, PROBE_AT_START));
}

static void test_without_the_database_nobody_is_a_stranger_yet(void **state)
{
	(void)state;
	probe_begin(&probe, 7, 0);
	/* nor is it worth while to ask */
	assert_int_equal(run(0, 2 * PROBE_WATCH_MS, PROBE_NOT_KNOWN), 2);
	assert_true(probe_permits(&probe, PROBE_AT_START));
	(void)run(2 * PROBE_WATCH_MS, 2 * PROBE_WATCH_MS + 1, PROBE_STRANGER);
	assert_false(probe_permits(&probe, PROBE_AT_START));
}

static void test_who_comes_later_is_found_and_silences_nobody(void **state)
{
	uint64_t now = settle();

	(void)state;
	/* nothing is asked for minutes, and then twice */
	assert_int_equal(run(now, PROBE_WATCH_MS, PROBE_NOBODY), 0);
	assert_int_equal(run(PROBE_WATCH_MS, PROBE_WATCH_MS + 2000, PROBE_NOBODY), 2);
	now = PROBE_WATCH_MS + 2000;
	hear(8);
	(void)run(now, now + 1, PROBE_STRANGER);
	assert_int_equal(probe.state, PROBE_FOREIGN);
	assert_true(probe_permits(&probe, PROBE_AT_START));
	assert_true(probe_permits(&probe, PROBE_NEVER));
	assert_false(probe_permits(&probe, PROBE_ALWAYS));
	/* it stays found while it is asked again, until it is silent */
	assert_int_equal(run(now + 250, now + PROBE_AGAIN_MS + 2000, PROBE_NOBODY), 2);
	assert_int_equal(probe.state, PROBE_FOREIGN);
	(void)run(now + PROBE_AGAIN_MS + 2000, now + PROBE_AGAIN_MS + 6000, PROBE_NOBODY);
	assert_int_equal(probe.state, PROBE_CLEAR);
	assert_true(probe_permits(&probe, PROBE_ALWAYS));
}

static void test_a_hint_makes_us_ask_and_no_more(void **state)
{
	uint64_t now = settle();

	(void)state;
	probe_hint(&probe);
	assert_int_equal(run(now, now + 1, PROBE_NOBODY), 1);
	/* a thousand forged ones: two questions in ten seconds, and we serve all the while */
	for (uint64_t end = now + 100000; now < end; now += PROBE_TICK_MS) {
		probe_hint(&probe);
		(void)probe_tick(&probe, now, PROBE_NOBODY);
		assert_true(probe_permits(&probe, PROBE_AT_START));
		assert_true(probe_permits(&probe, PROBE_ALWAYS));
	}
	assert_in_range(probe.xid, 17, 19);
}

static void test_hints_do_not_keep_us_at_the_start(void **state)
{
	(void)state;
	probe_begin(&probe, 7, 0);
	for (uint64_t now = 0; now < 60000; now += PROBE_TICK_MS) {
		probe_hint(&probe);
		(void)probe_tick(&probe, now, PROBE_NOBODY);
	}
	assert_true(probe.is_settled);
}

static void test_only_offers_of_an_address_count(void **state)
{
	struct packet packet = {.xid = 7, .message = PACKET_OFFER};

	(void)state;
	probe_begin(&probe, 7, 0);
	probe_heard(&probe, &packet, OTHER); /* a proxy's */
	packet.yiaddr = 1;
	packet.message = PACKET_ACK;
	probe_heard(&probe, &packet, OTHER);
	assert_int_equal(probe.answer_count, 0);
	for (uint32_t i = 0; i < 2 * PROBE_ANSWERS_MAX; i++) {
		packet.message = PACKET_OFFER;
		probe_heard(&probe, &packet, OTHER + i);
		probe_heard(&probe, &packet, OTHER + i);
	}
	assert_int_equal(probe.answer_count, PROBE_ANSWERS_MAX);
	assert_int_equal(probe.answers[1], OTHER + 1);
}

static void test_the_question(void **state)
{
	const struct mac ours = {{0x52, 0x54, 0, 0, 0, 1}};
	struct mac mac = probe_mac(&ours), read;
	uint8_t buffer[PACKET_SIZE_MIN];
	struct packet packet;

	(void)state;
	assert_false(mac_equal(&mac, &ours));
	assert_int_equal(mac.octet[0] & 3, 2);
	assert_int_equal(probe_encode(&mac, 0x1234, buffer), PACKET_SIZE_MIN);
	assert_int_equal(packet_parse(buffer, sizeof(buffer), &packet), ERR_OK);
	assert_int_equal(packet.op, PACKET_BOOTREQUEST);
	assert_int_equal(packet.message, PACKET_DISCOVER);
	assert_int_equal(packet.xid, 0x1234);
	assert_int_equal(packet.flags, PACKET_FLAG_BROADCAST);
	assert_true(packet_mac(&packet, &read));
	assert_true(mac_equal(&mac, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_a_stranger_answers_and_goes),
		cmocka_unit_test(test_an_answer_may_be_late),
		cmocka_unit_test(test_without_the_database_nobody_is_a_stranger_yet),
		cmocka_unit_test(test_who_comes_later_is_found_and_silences_nobody),
		cmocka_unit_test(test_a_hint_makes_us_ask_and_no_more),
		cmocka_unit_test(test_hints_do_not_keep_us_at_the_start),
		cmocka_unit_test(test_only_offers_of_an_address_count),
		cmocka_unit_test(test_the_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
