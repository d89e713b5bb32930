#include "test_dhcp_samples.h"

#include "dhcpd/observe.h"

#define OTHER IP(10, 77, 0, 9)
#define ADDRESS IP(10, 77, 0, 150)

static struct observe_memory memory;
static struct observe_inference inference;
static const struct mac card = {{0x52, 0x54, 0, 0, 0, 9}};

static int setup(void **state)
{
	memset(&memory, 0, sizeof(memory));
	memset(&inference, 0, sizeof(inference));
	return sample_setup(state);
}

static struct packet message(enum packet_message kind, uint32_t xid)
{
	struct sample sample;
	struct packet packet;

	sample_begin(&sample, kind, 9);
	if (kind == PACKET_REQUEST) {
		sample_u32(&sample, OPTION_SERVER_ID, OTHER);
		sample_u32(&sample, OPTION_REQUESTED_ADDRESS, ADDRESS);
	}
	sample_end(&sample, &packet);
	packet.xid = xid;
	return packet;
}

static bool see(const struct packet *packet, enum pxe_class class, uint64_t now_ms)
{
	return observe_request(&memory, &card, class, packet, now_ms, &inference);
}

static struct packet reply(enum packet_message kind, uint32_t xid, uint32_t yiaddr)
{
	struct packet packet = message(kind, xid);

	packet.op = PACKET_BOOTREPLY;
	packet.yiaddr = yiaddr;
	return packet;
}

static void test_the_next_stage_shows_that_an_ack_came(void **state)
{
	struct packet request = message(PACKET_REQUEST, 1),
		      discover = message(PACKET_DISCOVER, 2);

	(void)state;
	assert_false(see(&request, PXE_CLASS_FIRMWARE, 1000));
	assert_true(see(&discover, PXE_CLASS_IPXE, 5000));
	assert_int_equal(inference.address, ADDRESS);
	assert_int_equal(inference.server, OTHER);
	assert_int_equal(inference.class, PXE_CLASS_FIRMWARE);
	/* once is enough */
	assert_false(see(&discover, PXE_CLASS_OS, 6000));
}

static void test_its_own_address_shows_it(void **state)
{
	struct packet request = message(PACKET_REQUEST, 1), renewal = message(PACKET_INFORM, 2);

	(void)state;
	renewal.ciaddr = ADDRESS;
	assert_false(see(&request, PXE_CLASS_OS, 1000));
	assert_true(see(&renewal, PXE_CLASS_OS, 300000));
	/* another address proves nothing */
	renewal.ciaddr = ADDRESS + 1;
	assert_false(see(&request, PXE_CLASS_OS, 301000));
	assert_false(see(&renewal, PXE_CLASS_OS, 302000));
}

static void test_beginning_again_shows_the_contrary(void **state)
{
	struct packet request = message(PACKET_REQUEST, 1),
		      discover = message(PACKET_DISCOVER, 2);

	(void)state;
	assert_false(see(&request, PXE_CLASS_FIRMWARE, 1000));
	assert_false(see(&discover, PXE_CLASS_FIRMWARE, 5000));
	assert_false(see(&discover, PXE_CLASS_IPXE, 9000));
}

static void test_what_was_heard_is_not_inferred(void **state)
{
	struct packet request = message(PACKET_REQUEST, 1),
		      discover = message(PACKET_DISCOVER, 2);
	struct packet ack = reply(PACKET_ACK, 1, ADDRESS), nak = reply(PACKET_NAK, 1, 0);

	(void)state;
	assert_false(see(&request, PXE_CLASS_FIRMWARE, 1000));
	assert_int_equal(observe_reply(&memory, &card, &ack), PXE_CLASS_FIRMWARE);
	assert_false(see(&discover, PXE_CLASS_IPXE, 5000));
	assert_false(see(&request, PXE_CLASS_IPXE, 6000));
	assert_int_equal(observe_reply(&memory, &card, &nak), PXE_CLASS_IPXE);
	assert_false(see(&discover, PXE_CLASS_OS, 7000));
	/* an ACK of another exchange, and a stale request */
	ack.xid = 77;
	assert_false(see(&request, PXE_CLASS_FIRMWARE, 8000));
	(void)observe_reply(&memory, &card, &ack);
	assert_true(see(&discover, PXE_CLASS_IPXE, 9000));
	assert_false(see(&request, PXE_CLASS_FIRMWARE, 10000));
	assert_false(see(&discover, PXE_CLASS_IPXE, 10000 + OBSERVE_WAIT_MS));
}

static void test_the_oldest_client_is_forgotten(void **state)
{
	struct packet request = message(PACKET_REQUEST, 1),
		      discover = message(PACKET_DISCOVER, 2);
	struct observe_inference other;

	(void)state;
	assert_false(see(&request, PXE_CLASS_FIRMWARE, 1000));
	for (unsigned i = 0; i < OBSERVE_CLIENTS; i++) {
		struct mac mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};

		assert_false(
			observe_request(&memory, &mac, PXE_CLASS_OS, &request, 1000, &other));
	}
	assert_false(see(&discover, PXE_CLASS_IPXE, 2000));
}

static struct observe_answer read(struct sample *sample, bool expected)
{
	struct observe_answer answer = {0};
	struct packet packet;

	sample_end(sample, &packet);
	packet.op = PACKET_BOOTREPLY;
	packet.yiaddr = ((uint32_t)sample->data[16] << 24) | sample->data[19];
	assert_int_equal(
		observe_read_answer(&packet, sample->data, sample->out.length, OTHER, &answer),
		expected);
	return answer;
}

static void test_what_a_server_offers(void **state)
{
	struct sample sample;
	struct observe_answer answer;

	(void)state;
	sample_begin(&sample, PACKET_OFFER, 9);
	sample.data[16] = 10;
	memcpy(sample.data + 108, "from/the.field", 14);
	sample_u32(&sample, OPTION_ROUTERS, IP(10, 77, 0, 254));
	answer = read(&sample, true);
	assert_int_equal(answer.server, OTHER); /* it names none: where it came from */
	assert_int_equal(answer.router, IP(10, 77, 0, 254));
	assert_string_equal(answer.boot_file, "from/the.field");
	assert_false(answer.is_proxy);
	sample_begin(&sample, PACKET_ACK, 9);
	sample_u32(&sample, OPTION_SERVER_ID, IP(10, 77, 0, 8));
	sample_text(&sample, OPTION_VENDOR_CLASS, "PXEClient");
	sample_text(&sample, OPTION_BOOT_FILE, "option.67");
	answer = read(&sample, true);
	assert_int_equal(answer.server, IP(10, 77, 0, 8));
	assert_true(answer.is_proxy);
	assert_string_equal(answer.boot_file, "option.67");
	sample_begin(&sample, PACKET_NAK, 9);
	(void)read(&sample, false);
}

static void test_options_in_the_file_field_are_no_name(void **state)
{
	struct sample sample;

	(void)state;
	sample_begin(&sample, PACKET_OFFER, 9);
	memcpy(sample.data + 108, "\x0f\x01x\xff", 4);
	assert_true(option_put_u8(&sample.out, OPTION_OVERLOAD, 1));
	assert_string_equal(read(&sample, true).boot_file, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_next_stage_shows_that_an_ack_came, setup),
		cmocka_unit_test_setup(test_its_own_address_shows_it, setup),
		cmocka_unit_test_setup(test_beginning_again_shows_the_contrary, setup),
		cmocka_unit_test_setup(test_what_was_heard_is_not_inferred, setup),
		cmocka_unit_test_setup(test_the_oldest_client_is_forgotten, setup),
		cmocka_unit_test_setup(test_what_a_server_offers, setup),
		cmocka_unit_test_setup(test_options_in_the_file_field_are_no_name, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
