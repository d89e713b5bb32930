#include "unit.h"

#include "dhcpd/option.h"
#include "dhcpd/packet.h"

/* The fixed part of a request, with a magic cookie; options follow. */
static size_t begin(uint8_t *data)
{
	memset(data, 0, PACKET_SIZE_MAX);
	data[0] = 1;	 /* BOOTREQUEST */
	data[1] = 1;	 /* Ethernet */
	data[2] = 6;	 /* address length */
	data[7] = 0x2a;	 /* xid 0x0000002a */
	data[10] = 0x80; /* broadcast */
	data[28] = 0x52; /* chaddr 52:54:00:00:00:07 */
	data[29] = 0x54;
	data[33] = 0x07;
	memcpy(data + 236, "\x63\x82\x53\x63", 4);
	return 240;
}

static size_t add(uint8_t *data, size_t length, const char *octets, size_t count)
{
	memcpy(data + length, octets, count);
	return length + count;
}

#define ADD(octets) length = add(data, length, octets, sizeof(octets) - 1)

static void test_reads_header_and_options(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data), size;
	struct packet packet;
	struct mac mac;
	uint16_t arch;

	(void)state;
	ADD("\x35\x01\x01");	  /* 53 message type: DISCOVER */
	ADD("\x00\x00");	  /* PAD */
	ADD("\x3c\x09PXEClient"); /* 60 vendor class */
	ADD("\x5d\x02\x00\x07");  /* 93 architecture 7 */
	ADD("\xff");		  /* END */
	ADD("\x0c\x03out");	  /* behind END: no option */
	assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_DISCOVER);
	assert_int_equal(packet.xid, 0x2a);
	assert_int_equal(packet.flags, PACKET_FLAG_BROADCAST);
	assert_true(packet_mac(&packet, &mac));
	assert_int_equal(mac.octet[5], 7);
	assert_memory_equal(packet_option(&packet, OPTION_VENDOR_CLASS, &size), "PXEClient", 9);
	assert_int_equal(size, 9);
	assert_true(packet_option_u16(&packet, OPTION_CLIENT_ARCH, &arch));
	assert_int_equal(arch, 7);
	assert_null(packet_option(&packet, OPTION_HOST_NAME, &size));
}

static void test_joins_options_in_parts_and_fields(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data), size;
	struct packet packet;

	(void)state;
	memcpy(data + 108, "\x4d\x02PX\xff", 5); /* file: user class, second part */
	memcpy(data + 44,
	       "\x4d\x01"
	       "E\xff",
	       4);	     /* sname: third part */
	ADD("\x34\x01\x03"); /* 52 overload: both */
	ADD("\x35\x01\x01");
	ADD("\x4d\x01i");
	ADD("\xff");
	assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
	assert_memory_equal(packet_option(&packet, OPTION_USER_CLASS, &size), "iPXE", 4);
	assert_int_equal(size, 4);
}

static void test_overload_counts_in_the_options_field_only(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data), size;
	struct packet packet;

	(void)state;
	/* file says that sname holds options too: not its business */
	memcpy(data + 108, "\x34\x01\x02\xff", 4);
	memcpy(data + 44,
	       "\x0c\x03"
	       "bad\xff",
	       6);
	ADD("\x34\x01\x01\x35\x01\x01\xff");
	assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
	assert_null(packet_option(&packet, OPTION_HOST_NAME, &size));
}

static void test_a_broken_option_spoils_nothing_else(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data), size;
	struct packet packet;

	(void)state;
	ADD("\x35\x01\x03");
	ADD("\x3d\xff\x01\x02"); /* says 255 octets, has two */
	assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_REQUEST);
	assert_null(packet_option(&packet, OPTION_CLIENT_ID, &size));
	/* a code as the very last octet */
	assert_int_equal(packet_parse(data, 244, &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_REQUEST);
}

static void test_options_of_a_wrong_length_are_ignored(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data);
	struct packet packet;
	uint32_t value = 5;
	uint16_t half = 5;

	(void)state;
	ADD("\x35\x02\x01\x01\x32\x03\x01\x02\x03\x39\x01\x05\xff");
	assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_BOOTP);
	assert_false(packet_option_u32(&packet, OPTION_REQUESTED_ADDRESS, &value));
	assert_false(packet_option_u16(&packet, OPTION_MAX_MESSAGE_SIZE, &half));
	assert_int_equal(value, 5);
	assert_int_equal(half, 5);
}

static void test_refuses_what_is_no_packet(void **state)
{
	uint8_t data[PACKET_SIZE_MAX + 1];
	struct packet packet;

	(void)state;
	(void)begin(data);
	assert_int_equal(packet_parse(data, 0, &packet), ERR_SHORT);
	assert_int_equal(packet_parse(data, PACKET_HEADER_SIZE - 1, &packet), ERR_SHORT);
	assert_int_equal(packet_parse(data, sizeof(data), &packet), ERR_RANGE);
	data[2] = 17;
	assert_int_equal(packet_parse(data, 300, &packet), ERR_FORMAT);
	data[2] = 16;
	assert_int_equal(packet_parse(data, 300, &packet), ERR_OK);
}

static void test_without_a_cookie_it_is_bootp(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data);
	struct packet packet;

	(void)state;
	ADD("\x35\x01\x01\xff");
	data[239] = 0;
	assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_BOOTP);
	assert_int_equal(packet_parse(data, PACKET_HEADER_SIZE, &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_BOOTP);
}

static void test_the_maximum_is_the_clients_within_reason(void **state)
{
	static const struct {
		uint16_t said;
		size_t expected;
	} cases[] = {{0, 548},	  {575, 548},	{576, 548},
		     {1000, 972}, {1472, 1444}, {65280, 1472}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t data[PACKET_SIZE_MAX];
		size_t length = begin(data);
		struct packet packet;

		ADD("\x35\x01\x01\x39\x02");
		data[length++] = (uint8_t)(cases[i].said >> 8);
		data[length++] = (uint8_t)cases[i].said;
		assert_int_equal(packet_parse(data, length, &packet), ERR_OK);
		assert_int_equal(packet_reply_max(&packet), cases[i].expected);
	}
}

static void test_every_truncation_is_survived(void **state)
{
	uint8_t data[PACKET_SIZE_MAX];
	size_t length = begin(data);

	(void)state;
	ADD("\x34\x01\x03\x35\x01\x01\x3d\x07\x01\x52\x54\x00\x00\x00\x07\x52\x04\x01\x02xy"
	    "\xff");
	memset(data + 44, 0x4d, 192); /* sname and file: options that run over their ends */
	for (size_t size = 0; size <= length; size++) {
		uint8_t exact[300];
		struct packet packet;
		enum err err;

		memcpy(exact + sizeof(exact) - size, data, size);
		err = packet_parse(exact + sizeof(exact) - size, size, &packet);
		assert_int_equal(err, size < PACKET_HEADER_SIZE ? ERR_SHORT : ERR_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_header_and_options),
		cmocka_unit_test(test_joins_options_in_parts_and_fields),
		cmocka_unit_test(test_overload_counts_in_the_options_field_only),
		cmocka_unit_test(test_a_broken_option_spoils_nothing_else),
		cmocka_unit_test(test_options_of_a_wrong_length_are_ignored),
		cmocka_unit_test(test_refuses_what_is_no_packet),
		cmocka_unit_test(test_without_a_cookie_it_is_bootp),
		cmocka_unit_test(test_the_maximum_is_the_clients_within_reason),
		cmocka_unit_test(test_every_truncation_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
