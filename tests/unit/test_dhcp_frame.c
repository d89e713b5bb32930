#include "unit.h"

#include "dhcpd/advert.h"
#include "dhcpd/checksum.h"
#include "dhcpd/frame.h"

static void test_a_datagram_by_hand(void **state)
{
	/* as scapy makes it: "hi" from 10.77.0.1:67 to 10.77.0.9:68 */
	static const char expected[] = "\x45\x00\x00\x1e\x00\x00\x40\x00\x40\x11\x26\x2c"
				       "\x0a\x4d\x00\x01\x0a\x4d\x00\x09"
				       "\x00\x43\x00\x44\x00\x0a\x82\x46"
				       "hi";
	uint8_t buffer[64];
	size_t length = 0;
	struct frame frame = {0x0a4d0001, 0x0a4d0009, 67, 68, (const uint8_t *)"hi", 2};

	(void)state;
	assert_int_equal(frame_encode(&frame, buffer, sizeof(buffer), &length), ERR_OK);
	assert_int_equal(length, 30);
	assert_memory_equal(buffer, expected, 30);
	assert_int_equal(frame_encode(&frame, buffer, 29, &length), ERR_SPACE);
	frame.payload_length = 65508;
	assert_int_equal(frame_encode(&frame, buffer, 29, &length), ERR_RANGE);
}

static void test_a_datagram_is_read_again(void **state)
{
	uint8_t buffer[64] = {0};
	size_t length = 0;
	struct frame frame = {0x0a4d0001, 0x0a4d0009, 67, 68, (const uint8_t *)"hi", 2};
	struct frame again;

	(void)state;
	assert_int_equal(frame_encode(&frame, buffer, sizeof(buffer), &length), ERR_OK);
	/* an Ethernet frame is padded: what is behind the packet is not part of it */
	assert_int_equal(frame_parse(buffer, 46, &again), ERR_OK);
	assert_int_equal(again.source, 0x0a4d0001);
	assert_int_equal(again.destination, 0x0a4d0009);
	assert_int_equal(again.source_port, 67);
	assert_int_equal(again.destination_port, 68);
	assert_int_equal(again.payload_length, 2);
	assert_memory_equal(again.payload, "hi", 2);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(frame_parse(buffer, i, &again), ERR_FORMAT);
}

static void expect_refused(size_t at, uint8_t value)
{
	uint8_t buffer[64] = {0};
	size_t length = 0;
	struct frame frame = {1, 2, 67, 68, (const uint8_t *)"hi", 2}, again;

	assert_int_equal(frame_encode(&frame, buffer, sizeof(buffer), &length), ERR_OK);
	buffer[at] = value;
	assert_int_equal(frame_parse(buffer, length, &again), ERR_FORMAT);
}

static void test_what_is_no_datagram(void **state)
{
	(void)state;
	expect_refused(0, 0x65);  /* version 6 */
	expect_refused(0, 0x44);  /* a header of four words */
	expect_refused(0, 0x4f);  /* a header longer than the packet */
	expect_refused(3, 0x1f);  /* longer than what is there */
	expect_refused(6, 0x20);  /* more fragments follow */
	expect_refused(7, 1);	  /* the second fragment */
	expect_refused(9, 6);	  /* TCP */
	expect_refused(25, 7);	  /* UDP shorter than its header */
	expect_refused(25, 0x0b); /* UDP longer than the packet */
}

/* Router solicitation from fe80::1 to ff02::2, hop limit 255. */
static void solicit(uint8_t packet[48])
{
	memset(packet, 0, 48);
	packet[0] = 0x60;
	packet[5] = 8;
	packet[6] = 58;
	packet[7] = 255;
	packet[8] = 0xfe;
	packet[9] = 0x80;
	packet[23] = 1;
	packet[24] = 0xff;
	packet[25] = 2;
	packet[39] = 2;
	packet[40] = 133;
}

static void test_who_is_answered(void **state)
{
	struct advert_memory memory = {0};
	const struct mac booting = {{0x52, 0x54, 0, 0, 0, 1}},
			 other = {{0x52, 0x54, 0, 0, 0, 2}};
	uint8_t packet[48], source[16] = {0};

	(void)state;
	solicit(packet);
	assert_true(advert_read(&memory, packet, sizeof(packet), 1000, source));
	assert_int_equal(source[15], 1);
	advert_note_client(&memory, &booting, 1000);
	assert_true(advert_is_due(&memory, &booting, 1000 + ADVERT_CLIENT_MS - 1));
	assert_false(advert_is_due(&memory, &booting, 1000 + ADVERT_CLIENT_MS));
	assert_false(advert_is_due(&memory, &other, 1001));
	/* a router of lifetime 5 s is heard: it is there to answer */
	packet[40] = 134;
	packet[47] = 5;
	assert_false(advert_read(&memory, packet, sizeof(packet), 2000, source));
	assert_false(advert_is_due(&memory, &booting, 6999));
	assert_true(advert_is_due(&memory, &booting, 7000));
}

static void test_what_is_no_solicitation(void **state)
{
	struct advert_memory memory = {0};
	uint8_t packet[48], source[16];

	(void)state;
	for (size_t length = 0; length < sizeof(packet); length++) {
		solicit(packet);
		assert_false(advert_read(&memory, packet, length, 1, source));
	}
	packet[7] = 254; /* came through a router */
	assert_false(advert_read(&memory, packet, sizeof(packet), 1, source));
	solicit(packet);
	packet[6] = 17;
	assert_false(advert_read(&memory, packet, sizeof(packet), 1, source));
}

static void test_the_advertisement(void **state)
{
	const struct mac ours = {{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};
	static const uint8_t to[16] = {0xfe, 0x80, [15] = 9};
	static const uint8_t unspecified[16];
	/*
	 * IPv6, 24 octets of ICMP, hop limit 255, fe80::11:22ff:fe33:4455 > fe80::9:
	 * router advertisement, lifetime 0, source link-layer address
	 */
	static const char expected[] =
		"\x60\x00\x00\x00\x00\x18\x3a\xff"
		"\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x11\x22\xff\xfe\x33\x44\x55"
		"\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09";
	uint8_t packet[ADVERT_SIZE];

	(void)state;
	advert_encode(&ours, to, packet);
	assert_memory_equal(packet, expected, 40);
	assert_memory_equal(packet + 40, "\x86\x00", 2);
	assert_memory_equal(packet + 44, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
			    12);
	assert_memory_equal(packet + 56, "\x01\x01\x02\x11\x22\x33\x44\x55", 8);
	/* summed over itself a right checksum gives zero */
	assert_int_equal(checksum_finish(checksum_add(58 + 24, packet + 8, ADVERT_SIZE - 8)),
			 0);
	advert_encode(&ours, unspecified, packet);
	assert_int_equal(packet[24], 0xff);
	assert_int_equal(packet[39], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_datagram_by_hand),
		cmocka_unit_test(test_a_datagram_is_read_again),
		cmocka_unit_test(test_what_is_no_datagram),
		cmocka_unit_test(test_who_is_answered),
		cmocka_unit_test(test_what_is_no_solicitation),
		cmocka_unit_test(test_the_advertisement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
