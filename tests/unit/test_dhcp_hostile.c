/*
 * Hostile, damaged and contradictory packets, each by the mistake that it once found in some
 * DHCP server: what is none is dropped with a reason, the rest is answered within its limits.
 */
#include "test_dhcp_samples.h"

#include <stdlib.h>

#include "dhcpd/fqdn.h"
#include "dhcpd/relay.h"
#include "dhcpd/reply.h"
#include "dhcpd/route.h"

#define NOW 1000U
#define RELAY IP(10, 77, 0, 254)

static struct decide_verdict verdict;
static struct decide_question question;
static struct packet packet;
static bool is_unicast;

static void ask(void)
{
	question = (struct decide_question){
		.site = &sample_site,
		.leases = &sample_table,
		.packet = &packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_unicast = is_unicast,
		.is_database_up = true,
		.has_asked = true,
	};
	decide(&question, &verdict);
	assert_true(verdict.reason[0] != '\0');
}

static int setup(void **state)
{
	is_unicast = false;
	return sample_setup(state);
}

static void expect_silence(const char *reason)
{
	ask();
	assert_int_equal(verdict.action, DECIDE_SILENT);
	assert_int_equal(verdict.change, DECIDE_NONE);
	assert_non_null(strstr(verdict.reason, reason));
}

/* The whole way of a packet; a reply must fit its client and be readable. */
static void run(const uint8_t *octets, size_t length)
{
	/* as long as the packet: one step beyond is seen by the sanitizer */
	uint8_t *exact = malloc(length > 0 ? length : 1), *buffer;
	char name[64];
	struct packet again;
	struct reply reply;

	assert_non_null(exact);
	memcpy(exact, octets, length);
	if (packet_parse(exact, length, &packet) == ERR_OK) {
		ask();
		fqdn_client_name(&packet, name, sizeof(name));
		assert_non_null(memchr(name, 0, sizeof(name)));
		buffer = malloc(packet_reply_max(&packet));
		assert_non_null(buffer);
		if (reply_encode(&packet, &verdict, buffer, &reply) == ERR_OK) {
			assert_true(reply.length <= packet_reply_max(&packet));
			assert_int_equal(packet_parse(buffer, reply.length, &again), ERR_OK);
		}
		free(buffer);
	}
	free(exact);
}

/* dnsmasq CVE-2017-14491 and after, CVE-2026-4892: any option, of any length, from anybody. */
static void every_option_of_every_length(void **state)
{
	static const size_t lengths[] = {0,  1,	 2,  3,	  4,   5,   8,	16,
					 17, 63, 64, 254, 255, 256, 600};
	static const uint8_t messages[] = {0,
					   PACKET_DISCOVER,
					   PACKET_REQUEST,
					   PACKET_DECLINE,
					   PACKET_RELEASE,
					   PACKET_INFORM};
	static uint8_t value[600];
	struct sample sample;

	(void)state;
	memset(value, 0xff, sizeof(value));
	for (unsigned code = 1; code < OPTION_END; code++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			for (size_t m = 0; m < sizeof(messages); m++) {
				sample_header(&sample, 9, 0, 0, code & 1 ? RELAY : 0);
				if (messages[m] != 0)
					assert_true(option_put_u8(
						&sample.out, OPTION_MESSAGE_TYPE, messages[m]));
				assert_true(option_put(&sample.out, (uint8_t)code, value,
						       lengths[i]));
				bytes_put_u8(&sample.out, OPTION_END);
				run(sample.data, sample.out.length);
			}
		}
	}
}

/* dnsmasq CVE-2026-4891: a length that says more than there is, at each place. */
static void every_option_that_runs_past_the_end(void **state)
{
	struct sample sample;

	(void)state;
	for (unsigned code = 1; code < OPTION_END; code++) {
		for (uint8_t there = 0; there < 6; there++) {
			sample_begin(&sample, PACKET_DISCOVER, 9);
			bytes_put_u8(&sample.out, (uint8_t)code);
			bytes_put_u8(&sample.out, there % 2 ? 255 : (uint8_t)(there + 1));
			bytes_put_zeros(&sample.out, there);
			run(sample.data, sample.out.length);
			/* what stood before it counts, what is broken does not */
			assert_int_equal(verdict.action, DECIDE_OFFER);
		}
	}
}

static void a_hardware_address_of_another_length(void **state)
{
	struct sample sample;

	(void)state;
	sample_begin(&sample, PACKET_DISCOVER, 9);
	bytes_put_u8(&sample.out, OPTION_END);
	for (unsigned hlen = 0; hlen < 256; hlen++) {
		sample.data[2] = (uint8_t)hlen;
		run(sample.data, sample.out.length);
		if (hlen > PACKET_CHADDR_SIZE)
			assert_int_equal(packet_parse(sample.data, sample.out.length, &packet),
					 ERR_FORMAT);
		else if (hlen != 6)
			expect_silence("neither a hardware address nor an identifier");
	}
	/* many cards' address: the offer would go to all of them */
	sample.data[2] = 6;
	sample.data[28] = 0xff;
	run(sample.data, sample.out.length);
	expect_silence("neither a hardware address nor an identifier");
}

/* dnsmasq CVE-2026-4892, Kea CVE-2019-6472: identifiers as long as can be, and longer. */
static void identifiers_of_255_octets_and_more(void **state)
{
	static uint8_t identifier[600];
	static struct site_setting setting[] = {{"one_machine_one_address", "false"}};
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct sample sample;
	struct reply reply;

	(void)state;
	sample_site.settings = setting;
	sample_site.setting_count = 1;
	for (size_t length = 254; length < sizeof(identifier); length++) {
		sample_begin(&sample, PACKET_DISCOVER, 9);
		assert_true(option_put(&sample.out, OPTION_CLIENT_ID, identifier, length));
		sample_end(&sample, &packet);
		ask();
		assert_int_equal(verdict.action, DECIDE_OFFER);
		/* one that no key can hold is none: the card counts */
		assert_int_equal(verdict.client.length, length <= 255 ? length + 1 : 7);
		if (reply_encode(&packet, &verdict, buffer, &reply) == ERR_OK)
			assert_true(reply.length <= packet_reply_max(&packet));
	}
}

/* Kea CVE-2025-11232 and 3.3.0: names that are nothing once they are made clean. */
static void names_that_are_none(void **state)
{
	static const struct {
		uint8_t code;
		const char *octets;
		size_t length;
	} names[] = {
		{OPTION_HOST_NAME, "", 0},	     {OPTION_HOST_NAME, "\0\0\0", 3},
		{OPTION_HOST_NAME, "...", 3},	     {OPTION_HOST_NAME, "\xff\xfe", 2},
		{OPTION_HOST_NAME, "-", 1},	     {OPTION_FQDN, "\0\0\0", 3},
		{OPTION_FQDN, "\0\0\0...", 6},	     {OPTION_FQDN, "\4\0\0\0\0\0", 6},
		{OPTION_FQDN, "\4\0\0\1", 4},	     {OPTION_FQDN, "\4\0\0\xc0\0", 5},
		{OPTION_FQDN, "\377\377\377\1a", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct sample sample;

		sample_begin(&sample, PACKET_DISCOVER, 9);
		assert_true(option_put(&sample.out, names[i].code, names[i].octets,
				       names[i].length));
		bytes_put_u8(&sample.out, OPTION_END);
		run(sample.data, sample.out.length);
		assert_int_equal(verdict.action, DECIDE_OFFER);
	}
}

/* Kea CVE-2025-40779: sent to us alone, and no subnet of ours fits. */
static void unicasts_that_fit_no_subnet(void **state)
{
	static const uint8_t messages[] = {PACKET_DISCOVER, PACKET_REQUEST, PACKET_DECLINE,
					   PACKET_RELEASE,  PACKET_INFORM,  0};
	static const uint32_t strangers[] = {IP(192, 168, 1, 5), IP(127, 0, 0, 1),
					     IP(224, 0, 0, 1), 0xffffffff};
	struct sample sample;

	(void)state;
	is_unicast = true;
	for (size_t m = 0; m < sizeof(messages); m++) {
		for (size_t i = 0; i < 8; i++) {
			uint32_t stranger = strangers[i % 4];

			sample_header(&sample, 9, 0, i < 4 ? stranger : 0,
				      i < 4 ? 0 : stranger);
			if (messages[m] != 0)
				assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE,
							  messages[m]));
			sample_end(&sample, &packet);
			expect_silence("no subnet holds the client's link");
		}
	}
}

/* An answer goes to nobody who did not ask: the server is no mirror to shoot by. */
static void answers_go_to_the_link_that_asked(void **state)
{
	struct sample sample;

	(void)state;
	sample_header(&sample, 9, 0, IP(8, 8, 8, 8), 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_INFORM));
	sample_end(&sample, &packet);
	expect_silence("none of its link");
	packet.ciaddr = IP(10, 88, 0, 5);
	expect_silence("none of its link");
	packet.ciaddr = IP(10, 77, 0, 222);
	ask();
	assert_int_equal(verdict.action, DECIDE_INFORM);
	/* a DISCOVER that claims to have an address */
	sample_header(&sample, 9, 0, IP(8, 8, 8, 8), 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	sample_end(&sample, &packet);
	ask();
	assert_int_equal(verdict.action, DECIDE_OFFER);
	assert_int_equal(route_reply(&packet, PACKET_OFFER, verdict.address).way, ROUTE_LINK);
}

static void what_contradicts_itself(void **state)
{
	struct sample sample;

	(void)state;
	/* two message types are none */
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_RELEASE));
	sample_end(&sample, &packet);
	expect_silence("BOOTP");
	/* a server's messages from a client */
	for (uint8_t message = PACKET_OFFER; message <= PACKET_NAK; message++) {
		if (message == PACKET_REQUEST || message == PACKET_DECLINE)
			continue;
		sample_begin(&sample, (enum packet_message)message, 9);
		sample_end(&sample, &packet);
		expect_silence("no client sends");
	}
	/* a RELEASE of an address and a DECLINE of another, both another's */
	sample_lease(20, POOL_FIRST, LEASE_BOUND, NOW + 60000);
	sample_header(&sample, 9, 0, POOL_FIRST, 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_RELEASE));
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, POOL_LAST);
	sample_u32(&sample, OPTION_SERVER_ID, SERVER);
	sample_end(&sample, &packet);
	ask();
	assert_int_equal(verdict.change, DECIDE_NONE);
	/* a REQUEST that is selecting and renewing at once chooses nothing but the offer */
	sample_header(&sample, 9, 0, POOL_FIRST, 0);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_REQUEST));
	sample_u32(&sample, OPTION_SERVER_ID, SERVER);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS, POOL_LAST);
	sample_end(&sample, &packet);
	ask();
	assert_int_equal(verdict.action, DECIDE_ACK);
	assert_int_equal(verdict.address, POOL_LAST);
	assert_int_equal(route_reply(&packet, PACKET_ACK, verdict.address).way, ROUTE_LINK);
}

/* Every part of option 82, of every length; more than a reply has place for. */
static void what_relays_say(void **state)
{
	static uint8_t agent[1200];
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct sample sample;
	struct reply reply;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		for (unsigned said = 0; said < 8; said++) {
			for (unsigned there = 0; there <= said; there++) {
				agent[0] = (uint8_t)code;
				agent[1] = (uint8_t)said;
				memset(agent + 2, 0xff, there);
				sample_header(&sample, 9, 0, 0, RELAY);
				assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE,
							  PACKET_DISCOVER));
				assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent,
						       2 + there));
				bytes_put_u8(&sample.out, OPTION_END);
				run(sample.data, sample.out.length);
			}
		}
	}
	for (size_t length = 0; length < sizeof(agent); length += 7) {
		memset(agent, 0, sizeof(agent));
		sample_header(&sample, 9, 0, 0, RELAY);
		assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
		assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent, length));
		sample_end(&sample, &packet);
		ask();
		/* it goes back whole, or the relay gets nothing: it would not know its own */
		if (reply_encode(&packet, &verdict, buffer, &reply) == ERR_OK)
			assert_true(length < PACKET_SIZE_EVERYBODY && reply.left_out == 0);
		else
			assert_true(length > 250);
	}
}

/* dnsmasq CVE-2026-4890, CVE-2023-50387: the work is bounded by the octets. */
static void packets_full_of_nothing(void **state)
{
	static const uint8_t fillers[] = {OPTION_PAD, OPTION_OVERLOAD, OPTION_MESSAGE_TYPE,
					  OPTION_RELAY_AGENT, OPTION_PARAMETER_LIST};
	struct sample sample;

	(void)state;
	for (size_t i = 0; i < sizeof(fillers); i++) {
		sample_begin(&sample, PACKET_DISCOVER, 9);
		memset(sample.data + sample.out.length, fillers[i],
		       sizeof(sample.data) - sample.out.length);
		run(sample.data, sizeof(sample.data));
		/* the same as options without a value */
		for (size_t at = sample.out.length; at + 1 < sizeof(sample.data); at += 2)
			sample.data[at + 1] = 0;
		run(sample.data, sizeof(sample.data));
		/* in file and sname, too */
		memset(sample.data + 44, fillers[i], 192);
		memcpy(sample.data + 240, "\x34\x01\x03", 3);
		run(sample.data, sizeof(sample.data));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_option_of_every_length, setup),
		cmocka_unit_test_setup(every_option_that_runs_past_the_end, setup),
		cmocka_unit_test_setup(a_hardware_address_of_another_length, setup),
		cmocka_unit_test_setup(identifiers_of_255_octets_and_more, setup),
		cmocka_unit_test_setup(names_that_are_none, setup),
		cmocka_unit_test_setup(unicasts_that_fit_no_subnet, setup),
		cmocka_unit_test_setup(answers_go_to_the_link_that_asked, setup),
		cmocka_unit_test_setup(what_contradicts_itself, setup),
		cmocka_unit_test_setup(what_relays_say, setup),
		cmocka_unit_test_setup(packets_full_of_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
