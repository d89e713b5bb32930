/* Is an address in use: what is asked, which answers count, and the inquiries under way. */
#include "unit.h"

#include "dhcpd/inquiry.h"

#define ADDRESS 0x0a4d0014U /* 10.77.0.20 */
#define TOKEN 0x1122334455667788U

static const struct mac our_mac = {{2, 0, 0, 0, 0, 1}};
static const struct mac holder = {{2, 0, 0, 0, 9, 9}};
static struct inquiry_table table;
static struct inuse_answer answer;

/* tcpdump: ARP, Request who-has 10.77.0.20 tell 0.0.0.0 */
static void asks_by_a_probe_that_teaches_nobody_an_address(void **state)
{
	static const uint8_t wanted[INUSE_ARP_SIZE] = {0, 1, 8, 0, 6,  4,  0, 1, 2, 0,
						       0, 0, 0, 1, 0,  0,  0, 0, 0, 0,
						       0, 0, 0, 0, 10, 77, 0, 20};
	uint8_t packet[INUSE_ARP_SIZE];

	(void)state;
	inuse_put_arp(&our_mac, ADDRESS, packet);
	assert_memory_equal(packet, wanted, sizeof(wanted));
	/* and such a one, be it of another dhcpd, is no answer */
	assert_int_equal(inuse_read_arp(packet, sizeof(packet), &answer), ERR_FORMAT);
}

static void put_arp(uint8_t packet[INUSE_ARP_SIZE], uint8_t operation)
{
	inuse_put_arp(&holder, 0, packet);
	packet[7] = operation;
	packet[14] = 10;
	packet[15] = 77;
	packet[17] = 20;
}

static void whoever_has_the_address_answers(void **state)
{
	uint8_t packet[46] = {0}; /* padded as on Ethernet */

	(void)state;
	put_arp(packet, 2);
	assert_int_equal(inuse_read_arp(packet, sizeof(packet), &answer), ERR_OK);
	assert_int_equal(answer.address, ADDRESS);
	assert_true(answer.has_mac && mac_equal(&answer.mac, &holder));
	/* an announcement says the same */
	put_arp(packet, 1);
	assert_int_equal(inuse_read_arp(packet, INUSE_ARP_SIZE, &answer), ERR_OK);
}

static void what_is_no_arp_of_ipv4_over_ethernet_is_not_read(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{1, 6}, {2, 0x86}, {4, 255}, {4, 0}, {5, 16}, {5, 255}, {7, 3}, {8, 1}};
	uint8_t packet[INUSE_ARP_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put_arp(packet, 2);
		packet[wrong[i].at] = wrong[i].value;
		assert_int_equal(inuse_read_arp(packet, sizeof(packet), &answer), ERR_FORMAT);
	}
	put_arp(packet, 2);
	for (size_t length = 0; length < sizeof(packet); length++)
		assert_int_equal(inuse_read_arp(packet, length, &answer), ERR_FORMAT);
}

/* What `ping` would have got: an IPv4 header and the message with its type turned. */
static size_t put_echo_reply(uint8_t packet[20 + INUSE_ECHO_SIZE], uint64_t token)
{
	static const uint8_t header[20] = {0x45, 0, 0,	36, 0, 0,  0,  0,  64, 1,
					   0,	 0, 10, 77, 0, 20, 10, 77, 0,  1};

	memcpy(packet, header, sizeof(header));
	inuse_put_echo(token, packet + 20);
	assert_int_equal(packet[20], 8);
	packet[20] = 0;
	/* the checksum is one's complement: eight less in the type is eight more in it */
	assert_true(packet[22] < 0xf8);
	packet[22] = (uint8_t)(packet[22] + 8);
	return 20 + INUSE_ECHO_SIZE;
}

static void an_echo_counts_if_it_is_ours(void **state)
{
	uint8_t packet[20 + INUSE_ECHO_SIZE];
	size_t length = put_echo_reply(packet, TOKEN);

	(void)state;
	assert_int_equal(inuse_read_echo(packet, length, TOKEN, &answer), ERR_OK);
	assert_int_equal(answer.address, ADDRESS);
	assert_false(answer.has_mac);
	assert_int_equal(inuse_read_echo(packet, length, TOKEN + 1, &answer), ERR_FORMAT);
	assert_int_equal(inuse_read_echo(packet, length, TOKEN ^ 1ULL << 63, &answer),
			 ERR_FORMAT);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(inuse_read_echo(packet, i, TOKEN, &answer), ERR_FORMAT);
	packet[22] ^= 1;
	assert_int_equal(inuse_read_echo(packet, length, TOKEN, &answer), ERR_FORMAT);
	/* a request with the same token, ours on its way, is none */
	(void)put_echo_reply(packet, TOKEN);
	inuse_put_echo(TOKEN, packet + 20);
	assert_int_equal(inuse_read_echo(packet, length, TOKEN, &answer), ERR_FORMAT);
}

static void its_user_has_it_under_its_card_or_as_somebody(void **state)
{
	struct lease_client client;

	(void)state;
	inuse_client(&(struct inuse_answer){ADDRESS, true, holder}, &client);
	assert_int_equal(client.length, 7);
	assert_memory_equal(client.octets, "\x01\x02\x00\x00\x00\x09\x09", 7);
	inuse_client(&(struct inuse_answer){.address = ADDRESS}, &client);
	assert_int_equal(client.length, 5);
	assert_memory_equal(client.octets, "\x00\x0a\x4d\x00\x14", 5);
}

static struct inquiry inquiry_for(uint8_t client, uint32_t address, enum inuse_way way)
{
	return (struct inquiry){
		.client = {2, {1, client}},
		.has_mac = true,
		.mac = {{2, 0, 0, 0, 0, client}},
		.address = address,
		.way = way,
	};
}

static void one_for_each_client_and_so_many_at_once(void **state)
{
	struct inquiry inquiry, taken;

	(void)state;
	table.count = 0;
	for (unsigned i = 0; i < INQUIRY_MAX; i++) {
		assert_true(inquiry_has_room(&table));
		inquiry = inquiry_for((uint8_t)i, ADDRESS + i, INUSE_ARP);
		assert_int_equal(inquiry_put(&table, &inquiry), ERR_OK);
	}
	assert_false(inquiry_has_room(&table));
	inquiry.client.octets[0] = 6;
	assert_int_equal(inquiry_put(&table, &inquiry), ERR_SPACE);
	/* a client that is there asks for another address instead */
	inquiry = inquiry_for(7, ADDRESS + 1000, INUSE_ARP);
	assert_int_equal(inquiry_put(&table, &inquiry), ERR_OK);
	assert_int_equal(inquiry_of(&table, &inquiry.client)->address, ADDRESS + 1000);
	assert_int_equal(inquiry_take(&table, &inquiry.client, &taken), ERR_OK);
	assert_int_equal(taken.address, ADDRESS + 1000);
	assert_null(inquiry_of(&table, &inquiry.client));
	assert_int_equal(inquiry_take(&table, &inquiry.client, &taken), ERR_ABSENT);
	for (unsigned i = 0; i < INQUIRY_MAX; i++) {
		inquiry = inquiry_for((uint8_t)i, 0, INUSE_ARP);
		assert_int_equal(inquiry_take(&table, &inquiry.client, &taken),
				 i == 7 ? ERR_ABSENT : ERR_OK);
	}
	assert_int_equal(table.count, 0);
}

static void the_clients_own_answer_is_no_conflict(void **state)
{
	struct inquiry by_arp = inquiry_for(1, ADDRESS, INUSE_ARP);
	struct inquiry by_icmp = inquiry_for(2, ADDRESS + 1, INUSE_ICMP);
	struct inuse_answer from = {ADDRESS, true, {{2, 0, 0, 0, 0, 1}}};

	(void)state;
	table.count = 0;
	assert_int_equal(inquiry_put(&table, &by_arp), ERR_OK);
	assert_int_equal(inquiry_put(&table, &by_icmp), ERR_OK);
	assert_null(inquiry_hit_by(&table, &from));
	from.mac = holder;
	assert_non_null(inquiry_hit_by(&table, &from));
	/* nobody asked for that one by ARP, nor for another */
	from.address = ADDRESS + 1;
	assert_null(inquiry_hit_by(&table, &from));
	from.has_mac = false;
	assert_int_equal(inquiry_hit_by(&table, &from)->address, ADDRESS + 1);
	from.address = ADDRESS + 2;
	assert_null(inquiry_hit_by(&table, &from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_by_a_probe_that_teaches_nobody_an_address),
		cmocka_unit_test(whoever_has_the_address_answers),
		cmocka_unit_test(what_is_no_arp_of_ipv4_over_ethernet_is_not_read),
		cmocka_unit_test(an_echo_counts_if_it_is_ours),
		cmocka_unit_test(its_user_has_it_under_its_card_or_as_somebody),
		cmocka_unit_test(one_for_each_client_and_so_many_at_once),
		cmocka_unit_test(the_clients_own_answer_is_no_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
