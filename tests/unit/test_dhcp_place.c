/* In which subnet a client is: relays (RFC 3046, 3527, 5107), option 118, shared networks. */
#include "test_dhcp_samples.h"

#include "dhcpd/relay.h"
#include "dhcpd/reply.h"

#define RELAY IP(10, 88, 0, 1)
#define NOW 100000U

static struct decide_verdict verdict;
static struct site_setting settings[1];

static void ask(const struct packet *packet, bool is_unicast)
{
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_unicast = is_unicast,
		.is_database_up = true,
		.has_asked = true,
	};

	decide(&question, &verdict);
}

/* A message by a relay, with option 82. */
static void relayed(enum packet_message message, uint32_t ciaddr, uint32_t giaddr,
		    const char *agent, size_t length, struct packet *packet)
{
	struct sample sample;

	sample_header(&sample, 9, 0, ciaddr, giaddr);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, (uint8_t)message));
	if (length > 0)
		assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent, length));
	sample_end(&sample, packet);
}

static void reads_what_the_relay_says(void **state)
{
	static const char agent[] = "\x01\x04"
				    "eth7"
				    "\x02\x06\x02\x00\x00\x00\x00\x01"
				    "\x05\x04\x0a\x4d\x00\x00"
				    "\x0b\x04\x0a\x58\x00\x01"
				    "\x0a\x01\x80";
	struct packet packet;
	struct relay_info relay;

	(void)state;
	relayed(PACKET_DISCOVER, 0, RELAY, agent, sizeof(agent) - 1, &packet);
	relay = relay_read(&packet);
	assert_int_equal(relay.circuit_length, 4);
	assert_memory_equal(relay.circuit_id, "eth7", 4);
	assert_int_equal(relay.remote_length, 6);
	assert_true(relay.has_link && relay.link == IP(10, 77, 0, 0));
	assert_true(relay.has_server_id && relay.server_id == RELAY);
	assert_true(relay.was_unicast);
	/* every place where it may be cut */
	for (size_t length = 0; length < sizeof(agent) - 1; length++) {
		relayed(PACKET_DISCOVER, 0, RELAY, agent, length, &packet);
		relay = relay_read(&packet);
		assert_false(relay.was_unicast);
		assert_true(!relay.circuit_id || relay.circuit_length == 4);
	}
	/* who came by no relay is not believed */
	relayed(PACKET_DISCOVER, 0, 0, agent, sizeof(agent) - 1, &packet);
	relay = relay_read(&packet);
	assert_null(relay.circuit_id);
	assert_false(relay.has_link);
	/* sub-options of a wrong length are none */
	relayed(PACKET_DISCOVER, 0, RELAY, "\x05\x03\x0a\x4d\x00\x0b\x04\0\0\0\0\x0a\0", 13,
		&packet);
	relay = relay_read(&packet);
	assert_false(relay.has_link || relay.has_server_id || relay.was_unicast);
}

static void the_relays_link_is_the_clients(void **state)
{
	struct packet packet;

	(void)state;
	relayed(PACKET_DISCOVER, 0, RELAY, "", 0, &packet);
	ask(&packet, true);
	assert_int_equal(verdict.subnet->id, 2);
	relayed(PACKET_DISCOVER, 0, RELAY, "\x05\x04\x0a\x4d\x00\x00", 6, &packet);
	ask(&packet, true);
	assert_int_equal(verdict.action, DECIDE_OFFER);
	assert_int_equal(verdict.subnet->id, 1);
	/* a link that nobody configured: nothing, rather than another one */
	relayed(PACKET_DISCOVER, 0, RELAY, "\x05\x04\x01\x02\x03\x04", 6, &packet);
	ask(&packet, true);
	assert_null(verdict.subnet);
	assert_int_equal(verdict.action, DECIDE_SILENT);
}

static void the_relay_plays_the_server(void **state)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	static const char agent[] = "\x0b\x04\x0a\x58\x00\x01";
	struct sample sample;
	struct packet packet, again;
	struct reply reply;
	uint32_t server;

	(void)state;
	relayed(PACKET_DISCOVER, 0, RELAY, agent, 6, &packet);
	ask(&packet, true);
	assert_int_equal(verdict.server, RELAY);
	assert_int_equal(verdict.source, SERVER);
	assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_OK);
	assert_int_equal(packet_parse(buffer, reply.length, &again), ERR_OK);
	assert_true(packet_option_u32(&again, OPTION_SERVER_ID, &server));
	assert_int_equal(server, RELAY);
	/* the client chooses "the relay": that is us */
	sample_header(&sample, 9, 0, 0, RELAY);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_REQUEST));
	sample_u32(&sample, OPTION_SERVER_ID, RELAY);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, IP(10, 88, 0, 10));
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent, 6));
	sample_end(&sample, &packet);
	ask(&packet, true);
	assert_int_equal(verdict.action, DECIDE_ACK);
	assert_int_equal(verdict.change, DECIDE_GRANT);
}

/* What a relay passes on comes here unicast, however the client sent it. */
static void a_relayed_rebinding_is_no_renewal(void **state)
{
	struct packet packet;

	(void)state;
	sample_lease(1, IP(10, 88, 0, 10), LEASE_BOUND, NOW + 600000);
	relayed(PACKET_REQUEST, IP(10, 88, 0, 10), RELAY, "", 0, &packet);
	ask(&packet, true);
	/* rebinding: another's address is no reason to refuse, another server may know better
	 */
	assert_int_equal(verdict.action, DECIDE_SILENT);
	relayed(PACKET_REQUEST, IP(10, 88, 0, 10), RELAY, "\x0a\x01\x80", 3, &packet);
	ask(&packet, true);
	assert_int_equal(verdict.action, DECIDE_NAK);
}

static void option_118_chooses_where_allowed(void **state)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct sample sample;
	struct packet packet, again;
	struct reply reply;
	uint32_t selected;

	(void)state;
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_u32(&sample, OPTION_SUBNET_SELECTION, IP(10, 88, 0, 0));
	sample_end(&sample, &packet);
	ask(&packet, false);
	assert_int_equal(verdict.subnet->id, 1);
	settings[0] = (struct site_setting){"dhcp_subnet_selection", "true"};
	sample_site.settings = settings;
	sample_site.setting_count = 1;
	ask(&packet, false);
	assert_int_equal(verdict.subnet->id, 2);
	assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_OK);
	assert_int_equal(packet_parse(buffer, reply.length, &again), ERR_OK);
	assert_true(packet_option_u32(&again, OPTION_SUBNET_SELECTION, &selected));
	assert_int_equal(selected, IP(10, 88, 0, 0));
}

static void share_a_link(void)
{
	static struct site_subnet shared[2];

	memcpy(shared, sample_subnets, sizeof(shared));
	shared[0].shared_network = shared[1].shared_network = "floor 2";
	sample_site.subnets = shared;
}

static void a_shared_link_has_the_pools_of_all_its_subnets(void **state)
{
	struct sample sample;
	struct packet packet;

	(void)state;
	share_a_link();
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_end(&sample, &packet);
	ask(&packet, false);
	assert_int_equal(verdict.subnet->id, 1);
	/* its own is full: the next one's */
	for (uint8_t i = 0; i < 8; i++)
		sample_lease((uint8_t)(100 + i), POOL_FIRST + i, LEASE_BOUND, NOW + 600000);
	ask(&packet, false);
	assert_int_equal(verdict.action, DECIDE_OFFER);
	assert_int_equal(verdict.subnet->id, 2);
	assert_int_equal(verdict.lease_seconds, 600);
	/* both are full */
	for (uint8_t i = 0; i <= 10; i++)
		sample_lease((uint8_t)(120 + i), IP(10, 88, 0, 10) + i, LEASE_BOUND,
			     NOW + 600000);
	ask(&packet, false);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	assert_true(verdict.is_exhausted);
}

static void on_a_shared_link_the_old_address_is_found_again(void **state)
{
	struct sample sample;
	struct packet packet;

	(void)state;
	share_a_link();
	sample_lease(9, IP(10, 88, 0, 12), LEASE_BOUND, NOW + 600000);
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_end(&sample, &packet);
	ask(&packet, false);
	assert_int_equal(verdict.address, IP(10, 88, 0, 12));
	/* INIT-REBOOT: no wrong network, though our own address is in the other subnet */
	sample_begin(&sample, PACKET_REQUEST, 9);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, IP(10, 88, 0, 12));
	sample_end(&sample, &packet);
	ask(&packet, false);
	assert_int_equal(verdict.action, DECIDE_ACK);
	/* a reservation in one of them goes before a lease in another */
	sample_lease(0x50, IP(10, 88, 0, 13), LEASE_BOUND, NOW + 600000);
	sample_begin(&sample, PACKET_DISCOVER, 0x50);
	sample_end(&sample, &packet);
	ask(&packet, false);
	assert_int_equal(verdict.address, RESERVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_what_the_relay_says, sample_setup),
		cmocka_unit_test_setup(the_relays_link_is_the_clients, sample_setup),
		cmocka_unit_test_setup(the_relay_plays_the_server, sample_setup),
		cmocka_unit_test_setup(a_relayed_rebinding_is_no_renewal, sample_setup),
		cmocka_unit_test_setup(option_118_chooses_where_allowed, sample_setup),
		cmocka_unit_test_setup(a_shared_link_has_the_pools_of_all_its_subnets,
				       sample_setup),
		cmocka_unit_test_setup(on_a_shared_link_the_old_address_is_found_again,
				       sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
