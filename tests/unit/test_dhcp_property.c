/*
 * Many clients, one server, one simulated database that now and then goes away: whatever is
 * sent in whatever order, no address is ever promised to two clients at once, every reply is
 * within its client's limits and can be read again, and an outage makes no new lease.
 */
#include "test_dhcp_samples.h"

#include "dhcpd/reply.h"

#define CLIENTS 24
#define STEPS 100000
#define GRACE_MS 60000U

struct row {
	uint8_t client; /* 0: no row */
	uint64_t ends_ms;
};

/* What clients believe, told by ACKs alone. */
static struct row promised[256];
/* What the database has. */
static struct row database[256];

static uint64_t now_ms;
static unsigned promises, lost_races;
static uint32_t random_state = 20240;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 8) % limit;
}

static uint32_t any_address(void)
{
	switch (random_below(8)) {
	case 0:
		return random_state;
	case 1:
		return RESERVED;
	case 2:
		return IP(10, 88, 0, 10 + random_below(12));
	default:
		return POOL_FIRST + random_below(9);
	}
}

static void any_request(struct packet *packet, uint8_t client)
{
	static const uint8_t messages[] = {PACKET_DISCOVER, PACKET_DISCOVER, PACKET_REQUEST,
					   PACKET_REQUEST,  PACKET_REQUEST,  PACKET_RELEASE,
					   PACKET_DECLINE,  PACKET_INFORM};
	uint8_t message = messages[random_below(sizeof(messages))];
	bool has_ciaddr = message == PACKET_RELEASE || random_below(3) == 0;
	struct sample sample;

	sample_header(&sample, client, random_below(2) ? PACKET_FLAG_BROADCAST : 0,
		      has_ciaddr ? any_address() : 0, 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, message));
	if (random_below(2))
		sample_u32(&sample, OPTION_SERVER_ID, random_below(8) ? SERVER : SERVER + 1);
	if (random_below(4))
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, any_address());
	if (random_below(2))
		sample_firmware(&sample, "PXEClient", (uint16_t)random_below(12));
	sample_end(&sample, packet);
}

/* The conditional upsert of lease_grant. */
static bool database_grants(uint8_t client, uint32_t address, uint64_t ends_ms)
{
	struct row *row = &database[address & 0xff];

	if (row->client != 0 && row->client != client && row->ends_ms + GRACE_MS > now_ms)
		return false;
	*row = (struct row){client, ends_ms};
	return true;
}

static void check_promise(uint8_t client, uint32_t address, uint64_t ends_ms)
{
	struct row *row = &promised[address & 0xff];

	assert_true(row->client == 0 || row->client == client || row->ends_ms <= now_ms);
	assert_true(database[address & 0xff].client == client);
	assert_true(database[address & 0xff].ends_ms >= ends_ms);
	*row = (struct row){client, ends_ms};
	promises++;
}

static void check_reply(const struct packet *packet, const struct decide_verdict *verdict)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct reply reply;
	struct packet parsed;

	assert_int_equal(reply_encode(packet, verdict, buffer, &reply), ERR_OK);
	assert_in_range(reply.length, PACKET_SIZE_MIN, packet_reply_max(packet));
	assert_int_equal(packet_parse(buffer, reply.length, &parsed), ERR_OK);
	assert_int_equal(parsed.message, reply.message);
	assert_int_equal(parsed.yiaddr, reply.yiaddr);
	assert_int_equal(parsed.xid, packet->xid);
}

/* What the database says goes into the table, and the packet is decided again. */
static void record(struct decide_question *question, struct decide_verdict *verdict,
		   uint8_t client)
{
	uint64_t ends_ms = now_ms + (uint64_t)verdict->lease_seconds * 1000;
	struct lease_holder holder = {verdict->address, &verdict->client, &verdict->mac, 0};

	if (database_grants(client, verdict->address, ends_ms)) {
		question->recorded_address = verdict->address;
		question->recorded_seconds = verdict->lease_seconds;
		assert_int_equal(
			lease_bind(&sample_table, &holder, ends_ms, &verdict->subnet->net),
			ERR_OK);
	} else {
		const struct row *row = &database[verdict->address & 0xff];

		lost_races++;
		sample_lease(row->client, verdict->address, LEASE_BOUND, row->ends_ms);
	}
	decide(question, verdict);
	assert_int_not_equal(verdict->change, DECIDE_GRANT);
}

static void apply(struct decide_question *question, struct decide_verdict *verdict,
		  uint8_t client)
{
	struct lease_holder holder = {verdict->address, &verdict->client,
				      verdict->has_mac ? &verdict->mac : NULL, 0};

	switch (verdict->change) {
	case DECIDE_HOLD:
		assert_int_equal(lease_hold(&sample_table, &holder, now_ms + DECIDE_OFFER_MS),
				 ERR_OK);
		break;
	case DECIDE_FORGET:
		lease_forget_hold(&sample_table, &verdict->client, &verdict->subnet->net);
		break;
	case DECIDE_GRANT:
		record(question, verdict, client);
		break;
	case DECIDE_RELEASE:
		lease_end(&sample_table, verdict->address, LEASE_RELEASED, 0);
		break;
	case DECIDE_DECLINE:
		/* the quarantine counts for everybody, in the database too */
		lease_end(&sample_table, verdict->address, LEASE_DECLINED, now_ms + 30000);
		if (database[verdict->address & 0xff].client == client)
			database[verdict->address & 0xff].ends_ms = now_ms + 30000;
		promised[verdict->address & 0xff].client = 0;
		break;
	case DECIDE_NONE:
		break;
	}
}

/* The table is only a cache: what it forgets, the database must still defend. */
static void forget_something(void)
{
	lease_remove(&sample_table, POOL_FIRST + random_below(8));
}

static void step(bool is_database_up)
{
	uint8_t client = (uint8_t)(1 + random_below(CLIENTS));
	struct decide_verdict verdict;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = &packet,
		.server = SERVER,
		.is_unicast = random_below(2),
		.is_database_up = is_database_up,
		.has_asked = true,
	};

	any_request(&packet, client);
	now_ms += random_below(4) == 0 ? random_below(60000) : random_below(100);
	question.now_ms = now_ms;
	decide(&question, &verdict);
	assert_true(verdict.reason[0] != '\0');
	if (!is_database_up) {
		assert_int_not_equal(verdict.action, DECIDE_NAK);
		assert_int_not_equal(verdict.change, DECIDE_GRANT);
		assert_int_not_equal(verdict.change, DECIDE_HOLD);
	}
	apply(&question, &verdict, client);
	if (random_below(50) == 0)
		forget_something();
	if (verdict.action == DECIDE_ACK)
		check_promise(client, verdict.address,
			      now_ms + (uint64_t)verdict.lease_seconds * 1000);
	if (verdict.action != DECIDE_SILENT)
		check_reply(&packet, &verdict);
}

static void test_no_address_is_promised_twice(void **state)
{
	(void)state;
	now_ms = 1000000;
	for (int i = 0; i < STEPS; i++)
		step(i / 500 % 6 != 5);
	/* the walk must have got somewhere, or it has shown nothing */
	if (promises < 1000 || lost_races < 10)
		print_error("%u promises, %u lost races\n", promises, lost_races);
	assert_true(promises >= 1000);
	assert_true(lost_races >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_address_is_promised_twice, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
