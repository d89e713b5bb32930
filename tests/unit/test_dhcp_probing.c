/* When an address is probed before it is offered, and what the answer does. */
#include "test_dhcp_samples.h"

#define RELAY IP(10, 77, 0, 254)
#define NOW 100000U

static struct inquiry_table inquiries;
static struct decide_verdict verdict;
static struct decide_question question;
static struct packet packet;

static int setup(void **state)
{
	(void)sample_setup(state);
	inquiries.count = 0;
	sample_subnets[0].probe = SITE_PROBE_AUTO;
	question = (struct decide_question){
		.site = &sample_site,
		.leases = &sample_table,
		.inquiries = &inquiries,
		.packet = &packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sample_subnets[0].probe = SITE_PROBE_OFF;
	return 0;
}

static enum decide_action discover_by(uint8_t mac, uint32_t giaddr, uint32_t wish)
{
	struct sample sample;

	sample_header(&sample, mac, 0, 0, giaddr);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	if (wish != 0)
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, wish);
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	return verdict.action;
}

static enum decide_action discover(uint8_t mac)
{
	return discover_by(mac, 0, 0);
}

/* What the server does with the verdict. */
static void begin_inquiry(void)
{
	struct inquiry inquiry = {
		.client = verdict.client, .address = verdict.address, .way = verdict.probe};
	struct lease_holder holder = {verdict.address, &verdict.client, &verdict.mac, 0};

	assert_int_equal(verdict.change, DECIDE_HOLD);
	assert_int_equal(lease_hold(&sample_table, &holder, NOW + DECIDE_OFFER_MS), ERR_OK);
	assert_int_equal(inquiry_put(&inquiries, &inquiry), ERR_OK);
}

/* Nobody answered; or somebody did, and the address is quarantined. */
static uint32_t end_inquiry(bool is_in_use)
{
	struct inquiry inquiry;

	assert_int_equal(inquiry_take(&inquiries, &verdict.client, &inquiry), ERR_OK);
	question.cleared = is_in_use ? 0 : inquiry.address;
	question.conflicts += is_in_use;
	if (is_in_use)
		lease_end(&sample_table, inquiry.address, LEASE_DECLINED, NOW + 3600000);
	return inquiry.address;
}

static void a_fresh_address_is_asked_for_and_then_offered(void **state)
{
	uint32_t asked;

	(void)state;
	assert_int_equal(discover(21), DECIDE_PROBE);
	assert_int_equal(verdict.probe, INUSE_ARP);
	assert_true(verdict.is_from_pool);
	begin_inquiry();
	/* a retransmission waits as well, and nobody else gets the address meanwhile */
	assert_int_equal(discover(21), DECIDE_PROBE);
	assert_int_equal(discover_by(22, 0, inquiries.entries[0].address), DECIDE_PROBE);
	assert_int_not_equal(verdict.address, inquiries.entries[0].address);
	(void)discover(21);
	asked = end_inquiry(false);
	assert_int_equal(discover(21), DECIDE_OFFER);
	assert_int_equal(verdict.address, asked);
	assert_string_equal(verdict.reason, "nobody answered for this free address");
	/* and what it was offered is not asked for again */
	question.cleared = 0;
	assert_int_equal(discover(21), DECIDE_OFFER);
	assert_string_equal(verdict.reason, "the client had this address before");
}

/* Without memory for a hold it must not be asked for without end. */
static void what_was_asked_for_is_offered_also_without_a_hold(void **state)
{
	(void)state;
	assert_int_equal(discover_by(25, 0, POOL_LAST), DECIDE_PROBE);
	question.cleared = POOL_LAST;
	assert_int_equal(discover_by(25, 0, POOL_LAST), DECIDE_OFFER);
	assert_int_equal(verdict.address, POOL_LAST);
}

static void an_address_in_use_is_passed_over(void **state)
{
	uint32_t in_use[POOL_LAST - POOL_FIRST + 1];
	size_t count = 0;

	(void)state;
	while (discover(21) == DECIDE_PROBE) {
		for (size_t i = 0; i < count; i++)
			assert_int_not_equal(verdict.address, in_use[i]);
		begin_inquiry();
		question.conflicts = 0;
		in_use[count++] = end_inquiry(true);
	}
	/* one of the eight is reserved for another card */
	assert_int_equal(count, POOL_LAST - POOL_FIRST);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	assert_true(verdict.is_exhausted);
}

static void one_discover_does_not_run_through_a_whole_pool(void **state)
{
	(void)state;
	question.conflicts = DECIDE_CONFLICTS_MAX - 1;
	assert_int_equal(discover(21), DECIDE_PROBE);
	question.conflicts++;
	assert_int_equal(discover(21), DECIDE_SILENT);
	assert_non_null(strstr(verdict.reason, "in use"));
}

/* It may answer itself. */
static void what_the_client_holds_or_held_is_not_asked_for(void **state)
{
	static const enum lease_state states[] = {LEASE_BOUND, LEASE_RELEASED, LEASE_EXPIRED,
						  LEASE_OFFERED};

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		sample_lease(31 + i, POOL_LAST - i, states[i], NOW - 1);
		assert_int_equal(discover(31 + i), DECIDE_OFFER);
		assert_int_equal(verdict.address, POOL_LAST - i);
		assert_int_equal(verdict.probe, INUSE_NOT_ASKED);
	}
	/* another's of long ago is fresh for this one */
	sample_lease(40, POOL_FIRST, LEASE_EXPIRED, 1);
	assert_int_equal(discover_by(41, 0, POOL_FIRST), DECIDE_PROBE);
	assert_int_equal(verdict.address, POOL_FIRST);
	/* what is reserved for the card is asked for the first time */
	assert_int_equal(discover(0x50), DECIDE_PROBE);
	assert_int_equal(verdict.address, RESERVED);
}

static void by_the_way_that_the_subnet_says(void **state)
{
	static const struct {
		enum site_probe probe;
		enum inuse_way direct, relayed;
	} ways[] = {
		{SITE_PROBE_OFF, INUSE_NOT_ASKED, INUSE_NOT_ASKED},
		{SITE_PROBE_ARP, INUSE_ARP, INUSE_NOT_ASKED},
		{SITE_PROBE_ICMP, INUSE_ICMP, INUSE_ICMP},
		{SITE_PROBE_AUTO, INUSE_ARP, INUSE_ICMP},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		sample_subnets[0].probe = ways[i].probe;
		(void)discover(21);
		assert_int_equal(verdict.probe, ways[i].direct);
		assert_int_equal(verdict.action, ways[i].direct ? DECIDE_PROBE : DECIDE_OFFER);
		(void)discover_by(21, RELAY, 0);
		assert_int_equal(verdict.probe, ways[i].relayed);
		assert_int_equal(verdict.action, ways[i].relayed ? DECIDE_PROBE : DECIDE_OFFER);
	}
}

/* Late is better than never: without a place to wait the offer leaves unprobed. */
static void too_many_at_once_are_not_asked_for(void **state)
{
	(void)state;
	while (inquiry_has_room(&inquiries)) {
		struct inquiry inquiry = {.client = {3,
						     {9, (uint8_t)(inquiries.count >> 8),
						      (uint8_t)inquiries.count}}};

		assert_int_equal(inquiry_put(&inquiries, &inquiry), ERR_OK);
	}
	assert_int_equal(discover(21), DECIDE_OFFER);
	assert_int_equal(verdict.probe, INUSE_ARP);
}

static void without_the_database_nothing_is_asked_for(void **state)
{
	(void)state;
	question.is_database_up = false;
	assert_int_equal(discover(21), DECIDE_SILENT);
	question.is_database_up = true;
	question.inquiries = NULL;
	assert_int_equal(discover(21), DECIDE_OFFER);
	assert_int_equal(verdict.probe, INUSE_NOT_ASKED);
}

#define PROBING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBING_TEST(a_fresh_address_is_asked_for_and_then_offered),
		PROBING_TEST(what_was_asked_for_is_offered_also_without_a_hold),
		PROBING_TEST(an_address_in_use_is_passed_over),
		PROBING_TEST(one_discover_does_not_run_through_a_whole_pool),
		PROBING_TEST(what_the_client_holds_or_held_is_not_asked_for),
		PROBING_TEST(by_the_way_that_the_subnet_says),
		PROBING_TEST(too_many_at_once_are_not_asked_for),
		PROBING_TEST(without_the_database_nothing_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
