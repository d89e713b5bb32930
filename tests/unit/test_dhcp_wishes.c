/* Lease times by wish, the two settings about refusing, BOOTP, hardware other than Ethernet. */
#include "test_dhcp_samples.h"

#include "dhcpd/reply.h"
#include "dhcpd/route.h"

#define NOW 100000U

static struct decide_verdict verdict;
static struct site_setting settings[2];

static void ask(const struct packet *packet)
{
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	decide(&question, &verdict);
}

static void set(const char *name, const char *value)
{
	settings[0] = (struct site_setting){name, value};
	sample_site.settings = settings;
	sample_site.setting_count = 1;
}

static uint32_t seconds_for(uint32_t wish)
{
	struct sample sample;
	struct packet packet;

	sample_begin(&sample, PACKET_DISCOVER, 9);
	if (wish)
		sample_u32(&sample, OPTION_LEASE_SECONDS, wish);
	sample_end(&sample, &packet);
	ask(&packet);
	assert_int_equal(verdict.action, DECIDE_OFFER);
	assert_int_equal(verdict.renewal_seconds, verdict.lease_seconds / 2);
	assert_true(verdict.rebinding_seconds > verdict.renewal_seconds &&
		    verdict.rebinding_seconds < verdict.lease_seconds);
	return verdict.lease_seconds;
}

static void a_wish_is_heard_within_limits(void **state)
{
	static struct site_subnet subnet;

	(void)state;
	assert_int_equal(seconds_for(0), 3600);
	assert_int_equal(seconds_for(7200), 3600);
	assert_int_equal(seconds_for(60), 3600);
	subnet = sample_subnets[0];
	subnet.lease_seconds_min = 600;
	subnet.lease_seconds_max = 86400;
	sample_site.subnets = &subnet;
	sample_site.subnet_count = 1;
	assert_int_equal(seconds_for(0), 3600);
	assert_int_equal(seconds_for(7200), 7200);
	assert_int_equal(seconds_for(1), 600);
	assert_int_equal(seconds_for(UINT32_MAX), 86400); /* "for ever" */
}

static void init_reboot(uint32_t address, struct packet *packet)
{
	struct sample sample;

	sample_begin(&sample, PACKET_REQUEST, 9);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, address);
	sample_end(&sample, packet);
}

static void refusing_is_a_setting(void **state)
{
	struct packet packet;

	(void)state;
	init_reboot(IP(192, 168, 1, 1), &packet);
	ask(&packet);
	assert_int_equal(verdict.action, DECIDE_NAK);
	set("dhcp_nak_wrong_network", "false");
	ask(&packet);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	init_reboot(POOL_FIRST, &packet);
	ask(&packet);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	set("dhcp_nak_unknown_client", "true");
	ask(&packet);
	assert_int_equal(verdict.action, DECIDE_NAK);
}

static void bootp(uint8_t last_of_mac, struct packet *packet)
{
	struct sample sample;

	sample_header(&sample, last_of_mac, 0, 0, 0);
	sample_end(&sample, packet);
	ask(packet);
}

/* RFC 1534: no message type, no times, 64 octets of options, 300 in all. */
static void bootp_gets_what_is_reserved(void **state)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct packet packet, again;
	struct reply reply;
	struct route route;
	size_t length;
	uint32_t value;

	(void)state;
	bootp(9, &packet);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	bootp(0x50, &packet);
	assert_int_equal(verdict.action, DECIDE_BOOTP);
	assert_int_equal(verdict.change, DECIDE_NONE);
	assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_OK);
	assert_int_equal(reply.length, PACKET_SIZE_MIN);
	assert_int_equal(packet_parse(buffer, reply.length, &again), ERR_OK);
	assert_int_equal(again.yiaddr, RESERVED);
	assert_true(packet_option_u32(&again, OPTION_SUBNET_MASK, &value));
	assert_true(packet_option_u32(&again, OPTION_ROUTERS, &value));
	for (uint8_t code = OPTION_LEASE_SECONDS; code < OPTION_VENDOR_CLASS; code++)
		assert_null(packet_option(&again, code, &length));
	route = route_reply(&packet, reply.message, reply.yiaddr);
	assert_int_equal(route.way, ROUTE_LINK);
	assert_int_equal(route.address, RESERVED);
	/* somebody answered there: no client of any protocol gets it */
	sample_lease(0x50, RESERVED, LEASE_DECLINED, NOW + 600000);
	bootp(0x50, &packet);
	assert_int_equal(verdict.action, DECIDE_SILENT);
}

/* Its address is the database's to give, like any other's; the reply waits for that. */
static void bootp_gets_an_address_of_the_pool_where_the_site_says_so(void **state)
{
	struct decide_question asked;
	struct packet packet;

	(void)state;
	set("dhcp_bootp_seconds", "86400");
	bootp(9, &packet);
	assert_int_equal(verdict.action, DECIDE_BOOTP);
	assert_int_equal(verdict.change, DECIDE_GRANT);
	assert_int_equal(verdict.lease_seconds, 86400);
	assert_in_range(verdict.address, POOL_FIRST, POOL_LAST);
	/* it is recorded: now it may leave */
	sample_lease(9, verdict.address, LEASE_BOUND, NOW + 86400000);
	asked = (struct decide_question){.site = &sample_site,
					 .leases = &sample_table,
					 .packet = &packet,
					 .now_ms = NOW,
					 .server = SERVER,
					 .is_database_up = true,
					 .has_asked = true,
					 .recorded_address = verdict.address,
					 .recorded_seconds = 86400};
	decide(&asked, &verdict);
	assert_int_equal(verdict.action, DECIDE_BOOTP);
	assert_int_equal(verdict.change, DECIDE_NONE);
	assert_int_equal(verdict.address, asked.recorded_address);
	/* the next time: the same one, recorded anew */
	bootp(9, &packet);
	assert_int_equal(verdict.change, DECIDE_GRANT);
	assert_int_equal(verdict.address, asked.recorded_address);
	/* the database is away: what is recorded, and nothing else */
	asked.is_database_up = false;
	asked.recorded_address = 0;
	decide(&asked, &verdict);
	assert_int_equal(verdict.action, DECIDE_BOOTP);
	assert_int_equal(verdict.change, DECIDE_NONE);
	asked.now_ms = NOW + 86400001;
	decide(&asked, &verdict);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	/* a reservation goes before, and needs no lease */
	bootp(0x50, &packet);
	assert_int_equal(verdict.address, RESERVED);
	assert_int_equal(verdict.change, DECIDE_NONE);
}

static void bootp_finds_a_full_pool(void **state)
{
	struct packet packet;

	(void)state;
	set("dhcp_bootp_seconds", "86400");
	for (uint32_t address = POOL_FIRST; address <= POOL_LAST; address++)
		sample_lease((uint8_t)(0x60 + address - POOL_FIRST), address, LEASE_BOUND,
			     NOW + 600000);
	bootp(9, &packet);
	assert_int_equal(verdict.action, DECIDE_SILENT);
	assert_true(verdict.is_exhausted);
}

/* InfiniBand (RFC 4390): no hardware address in the packet, an identifier, broadcast replies.
 */
static void hardware_that_is_no_ethernet(void **state)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX], identifier[255];
	struct sample sample;
	struct packet packet;
	struct reply reply;

	(void)state;
	memset(identifier, 7, sizeof(identifier));
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample.data[1] = 32;
	sample.data[2] = 0;
	assert_true(option_put(&sample.out, OPTION_CLIENT_ID, identifier, 255));
	sample_end(&sample, &packet);
	ask(&packet);
	assert_int_equal(verdict.action, DECIDE_OFFER);
	assert_int_equal(verdict.client.length, 256);
	assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_OK);
	assert_int_equal(buffer[1], 32);
	assert_int_equal(buffer[2], 0);
	assert_int_equal(route_reply(&packet, reply.message, reply.yiaddr).way,
			 ROUTE_BROADCAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wish_is_heard_within_limits, sample_setup),
		cmocka_unit_test_setup(refusing_is_a_setting, sample_setup),
		cmocka_unit_test_setup(bootp_gets_what_is_reserved, sample_setup),
		cmocka_unit_test_setup(bootp_gets_an_address_of_the_pool_where_the_site_says_so,
				       sample_setup),
		cmocka_unit_test_setup(bootp_finds_a_full_pool, sample_setup),
		cmocka_unit_test_setup(hardware_that_is_no_ethernet, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
