#include "test_dhcp_samples.h"

#include "dhcpd/reply.h"

static struct decide_verdict verdict;
static struct reply reply;
static uint8_t buffer[PACKET_SIZE_REPLY_MAX];

static void answer(const struct packet *packet)
{
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = packet,
		.now_ms = 1000,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	decide(&question, &verdict);
	assert_int_equal(reply_encode(packet, &verdict, buffer, &reply), ERR_OK);
}

static void test_an_offer_to_firmware(void **state)
{
	/*
	 * BOOTP reply, Ethernet, hops 0, xid 0x11223344, flags 0x8000, ciaddr 0,
	 * yiaddr 10.77.0.107, siaddr 10.77.0.1, giaddr 0, chaddr 52:54:00:00:00:09
	 */
	static const char head[] =
		"\x02\x01\x06\x00\x11\x22\x33\x44\x00\x00\x80\x00\x00\x00\x00"
		"\x00\x0a\x4d\x00\x6b\x0a\x4d\x00\x01\x00\x00\x00\x00\x52\x54"
		"\x00\x00\x00\x09";
	static const char options[] = "\x63\x82\x53\x63"
				      "\x35\x01\x02"		 /* OFFER */
				      "\x36\x04\x0a\x4d\x00\x01" /* server 10.77.0.1 */
				      "\x33\x04\x00\x00\x0e\x10" /* lease 3600 s */
				      "\x3a\x04\x00\x00\x07\x08" /* renewal 1800 s */
				      "\x3b\x04\x00\x00\x0c\x4e" /* rebinding 3150 s */
				      "\x01\x04\xff\xff\xff\x00" /* mask */
				      "\x03\x04\x0a\x4d\x00\x01" /* router */
				      "\x06\x08\x0a\x4d\x00\x02\x0a\x4d\x00\x03" /* DNS */
				      "\x42\x09"
				      "10.77.0.1"	     /* TFTP server */
				      "\x43\x08ipxe.efi\x00" /* boot file, and a PAD */
				      "\xff";
	struct sample sample;
	struct packet packet;

	(void)state;
	sample_header(&sample, 9, PACKET_FLAG_BROADCAST, 0, 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	sample_firmware(&sample, "PXEClient:Arch:00007:UNDI:003000", 7);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, POOL_LAST);
	assert_true(option_put(&sample.out, OPTION_PARAMETER_LIST, "\x01\x03\x06\x42\x43", 5));
	sample_end(&sample, &packet);
	answer(&packet);
	assert_int_equal(reply.message, PACKET_OFFER);
	assert_int_equal(reply.left_out, 0);
	assert_memory_equal(buffer, head, sizeof(head) - 1);
	assert_string_equal((char *)buffer + 108, "ipxe.efi");
	assert_memory_equal(buffer + 236, options, sizeof(options) - 1);
	assert_int_equal(reply.length, 236 + sizeof(options) - 1);
}

static void test_a_nak_has_no_address_and_echoes(void **state)
{
	static const char options[] = "\x63\x82\x53\x63"
				      "\x35\x01\x06"
				      "\x36\x04\x0a\x4d\x00\x01"
				      "\x38\x26the address belongs to another network"
				      "\x3d\x02\x00x"	 /* identifier (RFC 6842) */
				      "\x52\x02\x01\x00" /* relay agent */
				      "\xff";
	struct sample sample;
	struct packet packet;

	(void)state;
	sample_header(&sample, 9, 0, 0, IP(10, 77, 0, 254));
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_REQUEST));
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, IP(192, 168, 1, 1));
	assert_true(option_put(&sample.out, OPTION_CLIENT_ID, "\x00x", 2));
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, "\x01\x00", 2));
	sample_end(&sample, &packet);
	answer(&packet);
	assert_int_equal(reply.message, PACKET_NAK);
	assert_int_equal(reply.yiaddr, 0);
	/* the relay shall broadcast it */
	assert_memory_equal(buffer + 10,
			    "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14);
	assert_memory_equal(buffer + 236, options, 4 + 3 + 6 + 2);
	assert_memory_equal(buffer + 236 + 4 + 3 + 6 + 2 + buffer[250],
			    options + sizeof(options) - 1 - 9, 9);
	assert_int_equal(reply.length, PACKET_SIZE_MIN);
}

static struct packet parse_reply(void)
{
	struct packet packet;

	assert_int_equal(packet_parse(buffer, reply.length, &packet), ERR_OK);
	return packet;
}

static void test_inform_gets_no_times(void **state)
{
	struct sample sample;
	struct packet packet;
	uint32_t value;

	(void)state;
	sample_header(&sample, 9, 0, IP(10, 77, 0, 222), 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_INFORM));
	sample_end(&sample, &packet);
	answer(&packet);
	packet = parse_reply();
	assert_int_equal(packet.message, PACKET_ACK);
	assert_int_equal(packet.yiaddr, 0);
	assert_int_equal(packet.ciaddr, IP(10, 77, 0, 222));
	assert_true(packet_option_u32(&packet, OPTION_SUBNET_MASK, &value));
	assert_false(packet_option_u32(&packet, OPTION_LEASE_SECONDS, &value));
	assert_false(packet_option_u32(&packet, OPTION_RENEWAL_SECONDS, &value));
	assert_false(packet_option_u32(&packet, OPTION_REBINDING_SECONDS, &value));
}

static void test_no_boot_answer_leaves_no_boot_options(void **state)
{
	struct sample sample;
	struct packet packet;
	size_t length;

	(void)state;
	sample_begin(&sample, PACKET_DISCOVER, 2); /* disabled */
	sample_firmware(&sample, "PXEClient", 7);
	sample_end(&sample, &packet);
	answer(&packet);
	packet = parse_reply();
	assert_int_equal(packet.siaddr, 0);
	assert_null(packet_option(&packet, OPTION_VENDOR_CLASS, &length));
	assert_null(packet_option(&packet, OPTION_BOOT_FILE, &length));
	assert_int_equal(buffer[108], 0);
}

/* A client that takes 576 octets, with everything that can be echoed at its longest. */
static void test_respects_the_clients_maximum(void **state)
{
	uint8_t long_value[255];
	struct sample sample;
	struct packet packet;
	size_t length;

	(void)state;
	memset(long_value, 'x', sizeof(long_value));
	for (uint8_t size = 0; size < 255; size++) {
		sample_begin(&sample, PACKET_DISCOVER, 9);
		sample_firmware(&sample, "PXEClient", 7);
		assert_true(option_put(&sample.out, OPTION_CLIENT_ID, long_value, size));
		assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, long_value, 150));
		sample_end(&sample, &packet);
		answer(&packet);
		assert_true(reply.length <= PACKET_SIZE_EVERYBODY);
		assert_true(reply.length >= PACKET_SIZE_MIN);
		packet = parse_reply();
		assert_non_null(packet_option(&packet, OPTION_RELAY_AGENT, &length));
		assert_int_equal(length, 150);
		assert_non_null(packet_option(&packet, OPTION_BOOT_FILE, &length));
		assert_true((reply.left_out > 0) == (size > 60) || reply.left_out == 0);
	}
	assert_true(reply.left_out > 0);
}

static void test_a_name_too_long_for_the_field_is_in_the_option(void **state)
{
	char name[200];
	struct site_boot_file row = {7, false, "", name};
	struct sample sample;
	struct packet packet;
	size_t length;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	sample_site.boot_files = &row;
	sample_site.boot_file_count = 1;
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_firmware(&sample, "PXEClient", 7);
	sample_end(&sample, &packet);
	answer(&packet);
	packet = parse_reply();
	assert_int_equal(buffer[108], 0);
	assert_memory_equal(packet_option(&packet, OPTION_BOOT_FILE, &length), name, 199);
	assert_int_equal(length, 199);
}

static void test_refuses_what_cannot_fit(void **state)
{
	uint8_t agent[400];
	struct sample sample;
	struct packet packet;

	(void)state;
	memset(agent, 'a', sizeof(agent));
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent, sizeof(agent)));
	sample_end(&sample, &packet);
	verdict.action = DECIDE_OFFER;
	assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_SPACE);
	verdict.action = DECIDE_SILENT;
	assert_int_equal(reply_encode(&packet, &verdict, buffer, &reply), ERR_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_offer_to_firmware, sample_setup),
		cmocka_unit_test_setup(test_a_nak_has_no_address_and_echoes, sample_setup),
		cmocka_unit_test_setup(test_inform_gets_no_times, sample_setup),
		cmocka_unit_test_setup(test_no_boot_answer_leaves_no_boot_options,
				       sample_setup),
		cmocka_unit_test_setup(test_respects_the_clients_maximum, sample_setup),
		cmocka_unit_test_setup(test_a_name_too_long_for_the_field_is_in_the_option,
				       sample_setup),
		cmocka_unit_test_setup(test_refuses_what_cannot_fit, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
