/* RFC 2131 table 3: every field and every option of each reply, to a client that sends all. */
#include "test_dhcp_samples.h"

#include "dhcpd/reply.h"

#define RELAY IP(10, 77, 0, 254)
#define HELD (POOL_FIRST + 2)
#define CLIENT 9
#define CODES 256

static struct decide_verdict verdict;
static struct reply reply;
static uint8_t buffer[PACKET_SIZE_REPLY_MAX];

struct row {
	const char *name;
	enum packet_message asks;
	uint32_t ciaddr, giaddr, wanted, server;
	uint16_t flags;
	enum decide_action action;
	/* of the reply, where it is not the request's */
	uint32_t yiaddr, expected_ciaddr;
	uint16_t expected_flags;
};

static const struct row rows[] = {
	{"OFFER", PACKET_DISCOVER, 0, 0, HELD, 0, 0, DECIDE_OFFER, HELD, 0, 0},
	{"OFFER to a ciaddr", PACKET_DISCOVER, HELD, 0, 0, 0, 0x8000, DECIDE_OFFER, HELD, 0,
	 0x8000},
	{"OFFER by a relay", PACKET_DISCOVER, 0, RELAY, HELD, 0, 0, DECIDE_OFFER, HELD, 0, 0},
	{"ACK, selecting", PACKET_REQUEST, 0, 0, HELD, SERVER, 0x8000, DECIDE_ACK, HELD, 0,
	 0x8000},
	{"ACK, init-reboot", PACKET_REQUEST, 0, RELAY, HELD, 0, 0, DECIDE_ACK, HELD, 0, 0},
	{"ACK, renewing", PACKET_REQUEST, HELD, 0, 0, 0, 0, DECIDE_ACK, HELD, HELD, 0},
	{"NAK", PACKET_REQUEST, 0, 0, IP(192, 168, 1, 1), 0, 0, DECIDE_NAK, 0, 0, 0},
	{"NAK of a rebinding", PACKET_REQUEST, IP(192, 168, 1, 1), 0, 0, 0, 0, DECIDE_NAK, 0, 0,
	 0},
	{"NAK by a relay", PACKET_REQUEST, 0, RELAY, IP(192, 168, 1, 1), 0, 0, DECIDE_NAK, 0, 0,
	 0x8000},
	{"ACK of an INFORM", PACKET_INFORM, HELD, 0, 0, 0, 0, DECIDE_INFORM, 0, HELD, 0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const uint8_t identifier[] = {0xff, 1, 2, 3}, agent[] = {1, 2, 'g', '1'};
static const uint8_t uuid[17] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* Whatever a client may send, and a list that asks for every option there is. */
static void put_everything(struct sample *sample, const struct row *row)
{
	uint8_t list[CODES - 2];

	for (size_t i = 0; i < sizeof(list); i++)
		list[i] = (uint8_t)(sizeof(list) - i);
	if (row->wanted)
		sample_u32(sample, OPTION_REQUESTED_ADDRESS, row->wanted);
	if (row->server)
		sample_u32(sample, OPTION_SERVER_ID, row->server);
	sample_u32(sample, OPTION_LEASE_SECONDS, 900);
	sample_text(sample, OPTION_HOST_NAME, "pc");
	sample_firmware(sample, "PXEClient:Arch:00007", 7);
	assert_true(option_put(&sample->out, OPTION_MAX_MESSAGE_SIZE, "\x05\xdc", 2));
	assert_true(option_put(&sample->out, OPTION_CLIENT_UUID, uuid, sizeof(uuid)));
	assert_true(option_put(&sample->out, OPTION_CLIENT_NIC, "\x01\x03\x10", 3));
	assert_true(option_put(&sample->out, OPTION_FQDN, "\x01\x00\x00pc", 5));
	assert_true(option_put(&sample->out, OPTION_CLIENT_ID, identifier, sizeof(identifier)));
	assert_true(option_put(&sample->out, OPTION_PARAMETER_LIST, list, sizeof(list)));
	sample_u32(sample, OPTION_SUBNET_SELECTION, IP(10, 77, 0, 0));
	assert_true(option_put(&sample->out, OPTION_RELAY_AGENT, agent, sizeof(agent)));
}

static struct packet ask(const struct row *row, struct packet *ret_request)
{
	static struct site_setting settings[] = {{"dhcp_subnet_selection", "true"}};
	struct sample sample;
	struct packet answer;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = ret_request,
		.now_ms = 1000,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
		.recorded_address = HELD,
		.recorded_seconds = 3600,
	};

	sample_site.settings = settings;
	sample_site.setting_count = 1;
	sample_lease(CLIENT, HELD, LEASE_BOUND, 600000);
	sample_header(&sample, CLIENT, row->flags, row->ciaddr, row->giaddr);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, (uint8_t)row->asks));
	put_everything(&sample, row);
	sample_end(&sample, ret_request);
	question.is_unicast = row->ciaddr == HELD;
	decide(&question, &verdict);
	if (verdict.action != row->action)
		print_error("%s: %s\n", row->name, verdict.reason);
	assert_int_equal(verdict.action, row->action);
	assert_int_equal(reply_encode(ret_request, &verdict, buffer, &reply), ERR_OK);
	assert_int_equal(packet_parse(buffer, reply.length, &answer), ERR_OK);
	return answer;
}

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		struct packet request, answer = ask(row, &request);
		bool is_nak = row->action == DECIDE_NAK;

		assert_int_equal(answer.op, PACKET_BOOTREPLY);
		assert_int_equal(answer.htype, request.htype);
		assert_int_equal(answer.hlen, request.hlen);
		assert_int_equal(answer.hops, 0);
		assert_int_equal(answer.xid, request.xid);
		assert_int_equal(answer.secs, 0);
		assert_int_equal(answer.flags, row->expected_flags);
		assert_int_equal(answer.ciaddr, row->expected_ciaddr);
		assert_int_equal(answer.yiaddr, row->yiaddr);
		assert_int_equal(answer.siaddr, is_nak ? 0 : SERVER);
		assert_int_equal(answer.giaddr, row->giaddr);
		assert_memory_equal(answer.chaddr, request.chaddr, PACKET_CHADDR_SIZE);
		assert_int_equal(buffer[44], 0); /* sname */
		assert_string_equal((char *)buffer + 108, is_nak ? "" : "ipxe.efi");
	}
}

static bool has(const struct packet *packet, uint8_t code)
{
	size_t length;

	return packet_option(packet, code, &length) != NULL;
}

static void assert_echo(const struct packet *packet, uint8_t code, const uint8_t *octets,
			size_t length)
{
	size_t got_length;
	const uint8_t *got = packet_option(packet, code, &got_length);

	assert_non_null(got);
	assert_int_equal(got_length, length);
	assert_memory_equal(got, octets, length);
}

static void test_options_that_must_be_and_must_not(void **state)
{
	static const uint8_t never[] = {OPTION_REQUESTED_ADDRESS, OPTION_PARAMETER_LIST,
					OPTION_MAX_MESSAGE_SIZE,  OPTION_OVERLOAD,
					OPTION_USER_CLASS,	  OPTION_CLIENT_ARCH,
					OPTION_CLIENT_NIC};
	static const uint8_t times[] = {OPTION_LEASE_SECONDS, OPTION_RENEWAL_SECONDS,
					OPTION_REBINDING_SECONDS};

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		struct packet request, answer = ask(row, &request);
		bool is_lease = row->action == DECIDE_OFFER || row->action == DECIDE_ACK;
		uint32_t server;

		assert_int_equal(answer.message, row->action == DECIDE_OFFER ? PACKET_OFFER
						 : row->action == DECIDE_NAK ? PACKET_NAK
									     : PACKET_ACK);
		assert_true(packet_option_u32(&answer, OPTION_SERVER_ID, &server));
		assert_int_equal(server, SERVER);
		for (size_t n = 0; n < sizeof(never); n++)
			assert_false(has(&answer, never[n]));
		for (size_t n = 0; n < sizeof(times); n++)
			assert_int_equal(has(&answer, times[n]), is_lease);
		/* RFC 6842 and RFC 3046: in each of them, NAK as well */
		assert_echo(&answer, OPTION_CLIENT_ID, identifier, sizeof(identifier));
		assert_echo(&answer, OPTION_RELAY_AGENT, agent, sizeof(agent));
		assert_int_equal(has(&answer, OPTION_SUBNET_MASK), row->action != DECIDE_NAK);
		assert_int_equal(has(&answer, OPTION_MESSAGE), row->action == DECIDE_NAK);
		if (row->action != DECIDE_NAK)
			assert_echo(&answer, OPTION_CLIENT_UUID, uuid, sizeof(uuid));
	}
}

static void test_a_nak_holds_nothing_else(void **state)
{
	static const uint8_t allowed[] = {OPTION_MESSAGE_TYPE, OPTION_SERVER_ID, OPTION_MESSAGE,
					  OPTION_CLIENT_ID, OPTION_RELAY_AGENT};

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct packet request, answer;

		if (rows[i].action != DECIDE_NAK)
			continue;
		answer = ask(&rows[i], &request);
		for (unsigned code = 1; code < OPTION_END; code++)
			assert_int_equal(has(&answer, (uint8_t)code),
					 memchr(allowed, (int)code, sizeof(allowed)) != NULL);
	}
}

/* The list asks for everything, the highest code first: but the mask comes before the routers
 * (RFC 2132 section 3.3), and what the relay said comes last (RFC 3046 section 2.1). */
static void test_the_order(void **state)
{
	struct packet request;
	size_t mask_at = 0, routers_at = 0, agent_at = 0, last_at = 0, at = 240;

	(void)state;
	(void)ask(&rows[0], &request);
	while (buffer[at] != OPTION_END) {
		if (buffer[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (buffer[at] == OPTION_SUBNET_MASK)
			mask_at = at;
		if (buffer[at] == OPTION_ROUTERS)
			routers_at = at;
		if (buffer[at] == OPTION_RELAY_AGENT)
			agent_at = at;
		last_at = at;
		at += 2U + buffer[at + 1];
	}
	assert_true(mask_at > 0 && mask_at < routers_at);
	assert_int_equal(agent_at, last_at);
}

/* Of what is left in an outage, down to the last second. */
static void test_times_are_in_order(void **state)
{
	struct sample sample;
	struct packet packet, answer;
	struct decide_question question = {.site = &sample_site,
					   .leases = &sample_table,
					   .packet = &packet,
					   .now_ms = 1000,
					   .server = SERVER};
	uint32_t renewal, rebinding, end;

	(void)state;
	for (uint32_t left = 1; left < 100; left++) {
		sample_lease(CLIENT, HELD, LEASE_BOUND, 1000 + left * 1000);
		sample_begin(&sample, PACKET_REQUEST, CLIENT);
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, HELD);
		sample_end(&sample, &packet);
		decide(&question, &verdict);
		assert_int_equal(verdict.action, DECIDE_ACK);
		assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_OK);
		assert_int_equal(packet_parse(buffer, reply.length, &answer), ERR_OK);
		assert_true(packet_option_u32(&answer, OPTION_LEASE_SECONDS, &end));
		assert_int_equal(end, left);
		assert_int_equal(has(&answer, OPTION_RENEWAL_SECONDS),
				 has(&answer, OPTION_REBINDING_SECONDS));
		if (!packet_option_u32(&answer, OPTION_RENEWAL_SECONDS, &renewal) ||
		    !packet_option_u32(&answer, OPTION_REBINDING_SECONDS, &rebinding)) {
			assert_true(left < 16);
			continue;
		}
		assert_true(renewal < rebinding && rebinding < end);
	}
}

/* Who turns from BOOTP to DHCP and back keeps its address (RFC 1534). */
static void test_bootp_and_dhcp_have_the_same_address(void **state)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = &packet,
		.now_ms = 1000,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		sample_header(&sample, 0x50, 0, 0, 0);
		sample_end(&sample, &packet);
		decide(&question, &verdict);
		assert_int_equal(verdict.action, DECIDE_BOOTP);
		assert_int_equal(verdict.address, RESERVED);
		assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_OK);
		assert_int_equal(reply.length, PACKET_SIZE_MIN);
		assert_int_equal(packet_parse(buffer, reply.length, &packet), ERR_OK);
		for (uint8_t code = OPTION_REQUESTED_ADDRESS; code <= OPTION_CLIENT_ID; code++)
			assert_false(has(&packet, code));
		sample_begin(&sample, PACKET_DISCOVER, 0x50);
		sample_end(&sample, &packet);
		decide(&question, &verdict);
		assert_int_equal(verdict.action, DECIDE_OFFER);
		assert_int_equal(verdict.address, RESERVED);
		sample_lease(0x50, RESERVED, LEASE_BOUND, 600000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fields, sample_setup),
		cmocka_unit_test_setup(test_options_that_must_be_and_must_not, sample_setup),
		cmocka_unit_test_setup(test_a_nak_holds_nothing_else, sample_setup),
		cmocka_unit_test_setup(test_the_order, sample_setup),
		cmocka_unit_test_setup(test_times_are_in_order, sample_setup),
		cmocka_unit_test_setup(test_bootp_and_dhcp_have_the_same_address, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
