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
		cmocka_unit_test(test_who_is_answered),
		cmocka_unit_test(test_what_is_no_solicitation),
		cmocka_unit_test(test_the_advertisement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
