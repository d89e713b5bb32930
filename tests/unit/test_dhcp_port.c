/* Addresses behind one port of a switch, and the limit to them. */
#include "test_dhcp_samples.h"

#include <stdio.h>

#include "dhcpd/port.h"

#define NOW 100000U
#define RELAY IP(10, 77, 0, 254)

static struct port_table ports;
static struct decide_verdict verdict;
static struct site_setting settings[] = {{"dhcp_port_addresses_max", "2"}};

/* A DISCOVER of this machine by a relay that names the port; its verdict, carried out. */
static enum decide_action discover(uint8_t mac, const char *circuit, uint64_t now_ms)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.ports = &ports,
		.packet = &packet,
		.now_ms = now_ms,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	sample_header(&sample, mac, 0, 0, RELAY);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	if (circuit) {
		char agent[32] = {1, (char)strlen(circuit)};

		memcpy(agent + 2, circuit, strlen(circuit));
		assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent,
				       strlen(circuit) + 2));
	}
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	if (verdict.action == DECIDE_OFFER) {
		sample_lease(mac, verdict.address, LEASE_BOUND, now_ms + 60000);
		port_note(&ports, &packet, verdict.address, &sample_table, now_ms);
	}
	return verdict.action;
}

static int setup(void **state)
{
	memset(&ports, 0, sizeof(ports));
	(void)sample_setup(state);
	sample_site.settings = settings;
	sample_site.setting_count = 1;
	return 0;
}

static void a_port_gets_so_many_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(discover(21, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(22, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(23, "eth1", NOW), DECIDE_SILENT);
	/* who has one keeps it, a port beside it and a relay without ports are untouched */
	assert_int_equal(discover(22, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(23, "eth2", NOW), DECIDE_OFFER);
	assert_int_equal(discover(24, NULL, NOW), DECIDE_OFFER);
	assert_int_equal(discover(25, NULL, NOW), DECIDE_OFFER);
	/* once they have ended, others may */
	assert_int_equal(discover(26, "eth1", NOW + 200000), DECIDE_OFFER);
	assert_int_equal(discover(27, "eth1", NOW + 200000), DECIDE_OFFER);
	assert_int_equal(discover(28, "eth1", NOW + 200000), DECIDE_SILENT);
}

/* A flood need not ask for offers: a REQUEST of a fresh address counts as well. */
static void a_request_without_an_offer_is_no_way_around(void **state)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.ports = &ports,
		.packet = &packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	(void)state;
	assert_int_equal(discover(21, "eth1", NOW), DECIDE_OFFER);
	sample_header(&sample, 23, 0, 0, RELAY);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_REQUEST));
	sample_u32(&sample, OPTION_SERVER_ID, SERVER);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS,
		   verdict.address == POOL_LAST ? POOL_FIRST : POOL_LAST);
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT,
			       "\x01\x04"
			       "eth1",
			       6));
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	assert_int_equal(verdict.action, DECIDE_ACK);
	settings[0].value = "1";
	decide(&question, &verdict);
	settings[0].value = "2";
	assert_int_equal(verdict.action, DECIDE_NAK);
}

static void a_reserved_address_is_no_fresh_one(void **state)
{
	(void)state;
	assert_int_equal(discover(21, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(22, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(0x50, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(verdict.address, RESERVED);
}

static void zero_is_no_limit(void **state)
{
	(void)state;
	sample_site.setting_count = 0;
	for (uint8_t i = 21; i < 28; i++)
		assert_int_equal(discover(i, "eth1", NOW), DECIDE_OFFER);
}

/* More ports than the table has place for: it forgets, and never writes beyond itself. */
static void more_ports_than_entries(void **state)
{
	char circuit[16];

	(void)state;
	for (unsigned i = 0; i < 3 * PORT_TABLE_SIZE; i++) {
		(void)snprintf(circuit, sizeof(circuit), "port %u", i);
		assert_int_equal(discover(21, circuit, NOW), DECIDE_OFFER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_port_gets_so_many_and_no_more, setup),
		cmocka_unit_test_setup(a_request_without_an_offer_is_no_way_around, setup),
		cmocka_unit_test_setup(a_reserved_address_is_no_fresh_one, setup),
		cmocka_unit_test_setup(zero_is_no_limit, setup),
		cmocka_unit_test_setup(more_ports_than_entries, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
