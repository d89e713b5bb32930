#include "test_dhcp_samples.h"

#include "dhcpd/route.h"

#define RELAY IP(10, 88, 0, 1)
#define CLIENT IP(10, 77, 0, 100)

static struct route route_for(uint16_t flags, uint32_t ciaddr, uint32_t giaddr,
			      enum packet_message reply, uint32_t yiaddr)
{
	struct sample sample;
	struct packet packet;

	sample_header(&sample, 9, flags, ciaddr, giaddr);
	sample_end(&sample, &packet);
	return route_reply(&packet, reply, yiaddr);
}

static void expect(struct route route, enum route_way way, uint32_t address, uint16_t port)
{
	assert_int_equal(route.way, way);
	assert_int_equal(route.address, address);
	assert_int_equal(route.port, port);
}

static void test_rfc_2131_section_4_1(void **state)
{
	const uint16_t broadcast = PACKET_FLAG_BROADCAST;

	(void)state;
	expect(route_for(0, 0, RELAY, PACKET_OFFER, CLIENT), ROUTE_ADDRESS, RELAY, 67);
	expect(route_for(0, CLIENT, RELAY, PACKET_NAK, 0), ROUTE_ADDRESS, RELAY, 67);
	expect(route_for(0, CLIENT, 0, PACKET_ACK, CLIENT), ROUTE_ADDRESS, CLIENT, 68);
	expect(route_for(broadcast, CLIENT, 0, PACKET_ACK, CLIENT), ROUTE_ADDRESS, CLIENT, 68);
	expect(route_for(broadcast, 0, 0, PACKET_OFFER, CLIENT), ROUTE_BROADCAST, 0xffffffff,
	       68);
	expect(route_for(0, 0, 0, PACKET_OFFER, CLIENT), ROUTE_LINK, CLIENT, 68);
	expect(route_for(0, 0, 0, PACKET_NAK, 0), ROUTE_BROADCAST, 0xffffffff, 68);
	expect(route_for(0, CLIENT, 0, PACKET_NAK, 0), ROUTE_BROADCAST, 0xffffffff, 68);
	/* a DISCOVER has no address yet, whatever it says: its offer hits nobody else */
	expect(route_for(0, 0x08080808, 0, PACKET_OFFER, CLIENT), ROUTE_LINK, CLIENT, 68);
	expect(route_for(broadcast, 0x08080808, 0, PACKET_ACK, CLIENT), ROUTE_BROADCAST,
	       0xffffffff, 68);
	/* INFORM: to the address the client has */
	expect(route_for(0, CLIENT, 0, PACKET_ACK, 0), ROUTE_ADDRESS, CLIENT, 68);
}

/* A relay would go by yiaddr, which is 0 here. */
static void test_an_inform_is_answered_at_its_address(void **state)
{
	struct sample sample;
	struct packet packet;

	(void)state;
	sample_header(&sample, 9, PACKET_FLAG_BROADCAST, CLIENT, RELAY);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_INFORM));
	sample_end(&sample, &packet);
	expect(route_reply(&packet, PACKET_ACK, 0), ROUTE_ADDRESS, CLIENT, 68);
}

static void test_a_frame_needs_an_ethernet_address(void **state)
{
	struct sample sample;
	struct packet packet;

	(void)state;
	sample_header(&sample, 9, 0, 0, 0);
	sample_end(&sample, &packet);
	assert_int_equal(route_reply(&packet, PACKET_OFFER, CLIENT).mac.octet[5], 9);
	packet.htype = 32; /* InfiniBand */
	assert_int_equal(route_reply(&packet, PACKET_OFFER, CLIENT).way, ROUTE_BROADCAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_2131_section_4_1),
		cmocka_unit_test(test_an_inform_is_answered_at_its_address),
		cmocka_unit_test(test_a_frame_needs_an_ethernet_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
