#include "test_dhcp_samples.h"

#define NOW 100000U
#define WITHIN (NOW + 600000U) /* ten minutes left */

static struct decide_verdict verdict;

static struct decide_question question(const struct packet *packet)
{
	return (struct decide_question){
		.site = &sample_site,
		.leases = &sample_table,
		.packet = packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};
}

static void ask(const struct packet *packet)
{
	struct decide_question asked = question(packet);

	decide(&asked, &verdict);
}

static void expect(enum decide_action action, enum decide_change change)
{
	if (verdict.action != action)
		print_error("reason: %s\n", verdict.reason);
	assert_int_equal(verdict.action, action);
	assert_int_equal(verdict.change, change);
	assert_true(verdict.reason[0] != '\0');
}

static void discover(uint8_t mac, struct packet *packet)
{
	struct sample sample;

	sample_begin(&sample, PACKET_DISCOVER, mac);
	sample_end(&sample, packet);
}

/* A REQUEST with option 54 and 50 (0: left out) and ciaddr. */
static void request(uint8_t mac, uint32_t server, uint32_t wanted, uint32_t ciaddr,
		    struct packet *packet)
{
	struct sample sample;

	sample_header(&sample, mac, 0, ciaddr, 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_REQUEST));
	if (server)
		sample_u32(&sample, OPTION_SERVER_ID, server);
	if (wanted)
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, wanted);
	sample_end(&sample, packet);
}

static void test_discover_prefers(void **state)
{
	struct packet packet;
	struct sample sample;

	(void)state;
	discover(9, &packet);
	ask(&packet);
	expect(DECIDE_OFFER, DECIDE_HOLD);
	assert_in_range(verdict.address, POOL_FIRST, POOL_LAST);
	assert_int_equal(verdict.lease_seconds, 3600);
	assert_int_equal(verdict.renewal_seconds, 1800);
	assert_int_equal(verdict.rebinding_seconds, 3150);
	/* its wish */
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, POOL_LAST);
	sample_end(&sample, &packet);
	ask(&packet);
	assert_int_equal(verdict.address, POOL_LAST);
	/* before its wish, the address it had */
	sample_lease(9, POOL_FIRST + 1, LEASE_EXPIRED, 10);
	ask(&packet);
	assert_int_equal(verdict.address, POOL_FIRST + 1);
	/* before everything, its reservation */
	sample_lease(0x50, POOL_FIRST + 2, LEASE_BOUND, WITHIN);
	discover(0x50, &packet);
	ask(&packet);
	assert_int_equal(verdict.address, RESERVED);
	/* unless somebody has it: then what it had */
	sample_lease(11, RESERVED, LEASE_BOUND, WITHIN);
	ask(&packet);
	assert_int_equal(verdict.address, POOL_FIRST + 2);
}

static void test_a_wish_is_not_a_right(void **state)
{
	static const uint32_t wishes[] = {RESERVED,	      SERVER,
					  IP(10, 77, 0, 103), IP(192, 168, 1, 1),
					  IP(10, 77, 0, 255), 0xffffffff};
	struct packet packet;
	struct sample sample;

	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		sample_begin(&sample, PACKET_DISCOVER, 9);
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, wishes[i]);
		sample_end(&sample, &packet);
		ask(&packet);
		expect(DECIDE_OFFER, DECIDE_HOLD);
		assert_in_range(verdict.address, POOL_FIRST, POOL_LAST);
		assert_int_not_equal(verdict.address, wishes[i]);
	}
}

/* The table holds all leases: an offer waits for nobody. */
static void test_discover_of_a_stranger_is_answered_at_once(void **state)
{
	struct packet packet;
	struct decide_question asked;

	(void)state;
	discover(9, &packet);
	asked = question(&packet);
	asked.has_asked = false;
	decide(&asked, &verdict);
	expect(DECIDE_OFFER, DECIDE_HOLD);
}

static void test_an_exhausted_pool_is_silence(void **state)
{
	struct packet packet;

	(void)state;
	for (uint32_t address = POOL_FIRST; address <= POOL_LAST; address++)
		sample_lease((uint8_t)(20 + address - POOL_FIRST), address, LEASE_BOUND,
			     WITHIN);
	discover(9, &packet);
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
	assert_non_null(strstr(verdict.reason, "enlarge rouse.pools"));
}

static void test_selecting(void **state)
{
	struct packet packet;

	(void)state;
	request(9, SERVER, POOL_FIRST, 0, &packet);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	assert_int_equal(verdict.address, POOL_FIRST);
	/* another server was chosen */
	request(9, IP(10, 77, 0, 9), POOL_FIRST, 0, &packet);
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_FORGET);
	/* not ours to give, or another's */
	request(9, SERVER, IP(10, 77, 0, 200), 0, &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
	sample_lease(10, POOL_FIRST, LEASE_BOUND, WITHIN);
	request(9, SERVER, POOL_FIRST, 0, &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
	request(9, SERVER, 0, 0, &packet);
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
	/* renewals of RFC 1541 name the server, and the address in ciaddr */
	request(9, SERVER, 0, POOL_LAST, &packet);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	assert_int_equal(verdict.address, POOL_LAST);
}

/* RFC 2131 section 4.1: a server of several addresses is meant by each of them. */
static void test_any_address_of_ours_is_us(void **state)
{
	struct ours ours = {{IP(10, 88, 0, 1), POOL_LAST}, 2};
	struct decide_question asked;
	struct packet packet;

	(void)state;
	request(9, IP(10, 88, 0, 1), POOL_FIRST, 0, &packet);
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_FORGET);
	asked = question(&packet);
	asked.ours = &ours;
	decide(&asked, &verdict);
	expect(DECIDE_ACK, DECIDE_GRANT);
	/* and none of them is given away */
	request(9, SERVER, POOL_LAST, 0, &packet);
	asked = question(&packet);
	asked.ours = &ours;
	decide(&asked, &verdict);
	expect(DECIDE_NAK, DECIDE_NONE);
}

static void test_init_reboot(void **state)
{
	struct packet packet;
	struct decide_question asked;

	(void)state;
	/* a wrong network: refused whether it is known or not */
	request(9, 0, IP(192, 168, 1, 5), 0, &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
	/* unknown: asked for, then silence */
	request(9, 0, POOL_FIRST, 0, &packet);
	asked = question(&packet);
	asked.has_asked = false;
	decide(&asked, &verdict);
	expect(DECIDE_ASK, DECIDE_NONE);
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
	/* only offered is not recorded */
	sample_lease(9, POOL_FIRST, LEASE_OFFERED, 0);
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
	/* recorded: granted, also when it has ended meanwhile */
	sample_lease(9, POOL_FIRST, LEASE_BOUND, WITHIN);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	sample_lease(9, POOL_FIRST, LEASE_EXPIRED, 10);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	/* another address is recorded */
	request(9, 0, POOL_LAST, 0, &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
}

static void test_renewing_and_rebinding(void **state)
{
	struct packet packet;
	struct decide_question asked;

	(void)state;
	request(9, 0, 0, POOL_FIRST, &packet);
	asked = question(&packet);
	for (int is_unicast = 0; is_unicast < 2; is_unicast++) {
		asked.is_unicast = is_unicast;
		lease_remove(&sample_table, POOL_FIRST);
		decide(&asked, &verdict);
		expect(DECIDE_SILENT, DECIDE_NONE);
		sample_lease(9, POOL_FIRST, LEASE_BOUND, WITHIN);
		decide(&asked, &verdict);
		expect(DECIDE_ACK, DECIDE_GRANT);
	}
	/* another has it now: said to who asks us, not to who asks everybody */
	sample_lease(10, POOL_FIRST, LEASE_BOUND, WITHIN);
	asked.is_unicast = true;
	decide(&asked, &verdict);
	expect(DECIDE_NAK, DECIDE_NONE);
	asked.is_unicast = false;
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
	/* a rebind from another network */
	request(9, 0, 0, IP(192, 168, 1, 5), &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
}

static void test_a_reservation_made_later_is_enforced(void **state)
{
	struct packet packet;

	(void)state;
	sample_lease(0x50, POOL_FIRST, LEASE_BOUND, WITHIN);
	request(0x50, 0, 0, POOL_FIRST, &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
	/* the address that another card has had is reserved for a third now */
	sample_lease(9, IP(10, 77, 0, 103), LEASE_BOUND, WITHIN);
	request(9, 0, 0, IP(10, 77, 0, 103), &packet);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
}

static void test_outage(void **state)
{
	struct packet packet;
	struct decide_question asked;

	(void)state;
	/* nobody new, nobody refused */
	discover(9, &packet);
	asked = question(&packet);
	asked.is_database_up = false;
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
	request(9, 0, IP(192, 168, 1, 5), 0, &packet);
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
	/* a recorded lease: what is left of it, to DISCOVER and REQUEST alike */
	sample_lease(9, POOL_FIRST, LEASE_BOUND, NOW + 800000);
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
	discover(9, &packet);
	decide(&asked, &verdict);
	expect(DECIDE_OFFER, DECIDE_NONE);
	assert_int_equal(verdict.lease_seconds, 800);
	assert_int_equal(verdict.renewal_seconds, 700);
	assert_int_equal(verdict.rebinding_seconds, 750);
	request(9, SERVER, POOL_FIRST, 0, &packet);
	decide(&asked, &verdict);
	expect(DECIDE_ACK, DECIDE_NONE);
	assert_int_equal(verdict.address, POOL_FIRST);
	/* its end is its end */
	asked.now_ms = NOW + 799500;
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
}

static void end(enum packet_message message, uint8_t mac, uint32_t address, uint32_t server)
{
	struct sample sample;
	struct packet packet;

	sample_header(&sample, mac, 0, message == PACKET_RELEASE ? address : 0, 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, (uint8_t)message));
	sample_u32(&sample, OPTION_SERVER_ID, server);
	if (message == PACKET_DECLINE)
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, address);
	sample_end(&sample, &packet);
	ask(&packet);
}

static void test_release_and_decline_need_address_and_client(void **state)
{
	(void)state;
	sample_lease(9, POOL_FIRST, LEASE_BOUND, WITHIN);
	end(PACKET_RELEASE, 9, POOL_FIRST, SERVER);
	expect(DECIDE_SILENT, DECIDE_RELEASE);
	assert_int_equal(verdict.address, POOL_FIRST);
	end(PACKET_DECLINE, 9, POOL_FIRST, SERVER);
	expect(DECIDE_SILENT, DECIDE_DECLINE);
	end(PACKET_RELEASE, 10, POOL_FIRST, SERVER);
	expect(DECIDE_SILENT, DECIDE_NONE);
	end(PACKET_DECLINE, 10, POOL_FIRST, SERVER);
	expect(DECIDE_SILENT, DECIDE_NONE);
	end(PACKET_RELEASE, 9, POOL_FIRST, IP(10, 77, 0, 9));
	expect(DECIDE_SILENT, DECIDE_NONE);
	end(PACKET_DECLINE, 9, IP(192, 168, 1, 5), SERVER);
	expect(DECIDE_SILENT, DECIDE_NONE);
}

static void test_inform(void **state)
{
	struct sample sample;
	struct packet packet;

	(void)state;
	sample_header(&sample, 9, 0, IP(10, 77, 0, 222), 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_INFORM));
	sample_end(&sample, &packet);
	ask(&packet);
	expect(DECIDE_INFORM, DECIDE_NONE);
	packet.ciaddr = 0;
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
	/* it forgot to name the address that it comes from; that of another link is nobody's */
	packet_adopt_source(&packet, IP(10, 77, 0, 223));
	ask(&packet);
	expect(DECIDE_INFORM, DECIDE_NONE);
	packet.ciaddr = 0;
	packet_adopt_source(&packet, IP(192, 168, 1, 1));
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
}

static void test_the_source_stands_for_an_address_that_is_not_named(void **state)
{
	struct packet packet = {.message = PACKET_INFORM};

	(void)state;
	packet_adopt_source(&packet, POOL_FIRST);
	assert_int_equal(packet.ciaddr, POOL_FIRST);
	/* it named one; a relay sent it; it is no INFORM */
	packet_adopt_source(&packet, POOL_LAST);
	assert_int_equal(packet.ciaddr, POOL_FIRST);
	packet = (struct packet){.message = PACKET_INFORM, .giaddr = IP(10, 88, 0, 1)};
	packet_adopt_source(&packet, POOL_LAST);
	assert_int_equal(packet.ciaddr, 0);
	packet = (struct packet){.message = PACKET_REQUEST};
	packet_adopt_source(&packet, POOL_LAST);
	assert_int_equal(packet.ciaddr, 0);
}

static void test_the_link_decides_the_subnet(void **state)
{
	static const uint8_t agent[] = {1, 1, 7, 5, 4, 10, 88, 0, 0};
	struct sample sample;
	struct packet packet;
	struct decide_question asked;

	(void)state;
	/* a relay's address */
	sample_header(&sample, 9, 0, 0, IP(10, 88, 0, 1));
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	sample_end(&sample, &packet);
	ask(&packet);
	expect(DECIDE_OFFER, DECIDE_HOLD);
	assert_int_equal(verdict.subnet->id, 2);
	/* what the relay says about the link (RFC 3527) */
	sample_header(&sample, 9, 0, 0, IP(10, 77, 0, 254));
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent, sizeof(agent)));
	sample_end(&sample, &packet);
	ask(&packet);
	assert_int_equal(verdict.subnet->id, 2);
	/* none that we serve */
	discover(9, &packet);
	asked = question(&packet);
	asked.server = IP(172, 16, 0, 1);
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
	assert_non_null(strstr(verdict.reason, "rouse.subnets"));
	asked.server = 0;
	decide(&asked, &verdict);
	expect(DECIDE_SILENT, DECIDE_NONE);
}

static void test_what_is_no_request_is_silence(void **state)
{
	struct packet packet;

	(void)state;
	discover(9, &packet);
	packet.op = PACKET_BOOTREPLY;
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
	discover(9, &packet);
	for (int message = 0; message < 256; message++) {
		if (message == PACKET_DISCOVER)
			continue;
		packet.message = (enum packet_message)message;
		ask(&packet);
		expect(DECIDE_SILENT, DECIDE_NONE);
	}
	discover(0, &packet);
	memset(packet.chaddr, 0, sizeof(packet.chaddr));
	ask(&packet);
	expect(DECIDE_SILENT, DECIDE_NONE);
}

static void test_a_recorded_lease_is_acknowledged_as_recorded(void **state)
{
	struct packet packet;
	struct decide_question asked;

	(void)state;
	request(9, SERVER, POOL_FIRST, 0, &packet);
	asked = question(&packet);
	sample_lease(9, POOL_FIRST, LEASE_BOUND, WITHIN);
	asked.recorded_address = POOL_FIRST;
	asked.recorded_seconds = 3000;
	decide(&asked, &verdict);
	expect(DECIDE_ACK, DECIDE_NONE);
	assert_int_equal(verdict.lease_seconds, 3000);
	/* another address was recorded than the client asks for now */
	asked.recorded_address = POOL_LAST;
	decide(&asked, &verdict);
	expect(DECIDE_ACK, DECIDE_GRANT);
	assert_int_equal(verdict.lease_seconds, 3600);
}

/* Firmware, loader and system ask one after the other: one row serves all three. */
static void test_a_repeat_is_recorded_already(void **state)
{
	struct site_setting on[] = {{"dhcp_repeat_seconds", "60"}};
	struct packet packet;
	struct sample sample;

	(void)state;
	sample_site.settings = on;
	sample_site.setting_count = 1;
	request(9, SERVER, POOL_FIRST, 0, &packet);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	assert_int_equal(verdict.lease_seconds, 3600);
	assert_int_equal(verdict.spare_seconds, 60);
	/* a minute later the whole time is still recorded; a second later no longer */
	sample_lease(9, POOL_FIRST, LEASE_BOUND, NOW + 3600000);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_NONE);
	assert_int_equal(verdict.lease_seconds, 3600);
	assert_int_equal(verdict.address, POOL_FIRST);
	sample_lease(9, POOL_FIRST, LEASE_BOUND, NOW + 3599000);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	/* another's, or given back: never */
	sample_lease(9, POOL_FIRST, LEASE_RELEASED, NOW + 3660000);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	sample_lease(10, POOL_FIRST, LEASE_BOUND, NOW + 3660000);
	ask(&packet);
	expect(DECIDE_NAK, DECIDE_NONE);
	/* a name is worth a row; and so is each request without the setting */
	sample_lease(9, POOL_FIRST, LEASE_BOUND, NOW + 3660000);
	sample_begin(&sample, PACKET_REQUEST, 9);
	sample_u32(&sample, OPTION_SERVER_ID, SERVER);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, POOL_FIRST);
	sample_text(&sample, OPTION_HOST_NAME, "pc");
	sample_end(&sample, &packet);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	sample_site.setting_count = 0;
	request(9, SERVER, POOL_FIRST, 0, &packet);
	ask(&packet);
	expect(DECIDE_ACK, DECIDE_GRANT);
	assert_int_equal(verdict.spare_seconds, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_repeat_is_recorded_already, sample_setup),
		cmocka_unit_test_setup(test_discover_prefers, sample_setup),
		cmocka_unit_test_setup(test_a_wish_is_not_a_right, sample_setup),
		cmocka_unit_test_setup(test_discover_of_a_stranger_is_answered_at_once,
				       sample_setup),
		cmocka_unit_test_setup(test_an_exhausted_pool_is_silence, sample_setup),
		cmocka_unit_test_setup(test_selecting, sample_setup),
		cmocka_unit_test_setup(test_any_address_of_ours_is_us, sample_setup),
		cmocka_unit_test_setup(test_init_reboot, sample_setup),
		cmocka_unit_test_setup(test_renewing_and_rebinding, sample_setup),
		cmocka_unit_test_setup(test_a_reservation_made_later_is_enforced, sample_setup),
		cmocka_unit_test_setup(test_outage, sample_setup),
		cmocka_unit_test_setup(test_release_and_decline_need_address_and_client,
				       sample_setup),
		cmocka_unit_test_setup(test_inform, sample_setup),
		cmocka_unit_test(test_the_source_stands_for_an_address_that_is_not_named),
		cmocka_unit_test_setup(test_the_link_decides_the_subnet, sample_setup),
		cmocka_unit_test_setup(test_what_is_no_request_is_silence, sample_setup),
		cmocka_unit_test_setup(test_a_recorded_lease_is_acknowledged_as_recorded,
				       sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
