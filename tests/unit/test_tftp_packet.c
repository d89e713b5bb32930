#include "unit.h"

#include "tftpd/packet.h"

/* A request as a literal: the array's own closing NUL ends its last string. */
#define PARSE(literal, request)                                                                \
	packet_parse_request((const uint8_t *)(literal), sizeof(literal), request)

static void test_requests_of_each_firmware(void **state)
{
	struct packet_request request;

	(void)state;
	/* iPXE */
	assert_int_equal(PARSE("\0\1ipxe.efi\0octet\0blksize\0001432\0tsize\0000", &request),
			 ERR_OK);
	assert_string_equal(request.name, "ipxe.efi");
	assert_int_equal(request.name_length, 8);
	assert_int_equal(request.mode, PACKET_OCTET);
	assert_true(request.options.option[PACKET_BLKSIZE].is_asked);
	assert_int_equal(request.options.option[PACKET_BLKSIZE].value, 1432);
	assert_true(request.options.option[PACKET_TSIZE].is_asked);
	assert_false(request.options.option[PACKET_WINDOWSIZE].is_asked);
	assert_string_equal(packet_client_name(&request.options), "ipxe");
	/* OVMF */
	assert_int_equal(
		PARSE("\0\1ipxe.efi\0octet\0tsize\0000\0blksize\0001468\0windowsize\0004",
		      &request),
		ERR_OK);
	assert_int_equal(request.options.option[PACKET_WINDOWSIZE].value, 4);
	assert_string_equal(packet_client_name(&request.options), "edk2");
	/* shim and GRUB */
	assert_int_equal(
		PARSE("\0\1grubx64.efi\0octet\0blksize\000512\0windowsize\0004", &request),
		ERR_OK);
	assert_string_equal(packet_client_name(&request.options), "shim");
	assert_int_equal(
		PARSE("\0\1/grub/grub.cfg\0octet\0blksize\0001024\0tsize\0000", &request),
		ERR_OK);
	assert_string_equal(packet_client_name(&request.options), "grub");
	assert_int_equal(PARSE("\0\1a\0octet\0blksize\0001024\0windowsize\00016", &request),
			 ERR_OK);
	assert_string_equal(packet_client_name(&request.options), "other");
	/* U-Boot: the size of its last file, and a time-out */
	assert_int_equal(PARSE("\0\1default\0OCTET\0timeout\0005\0tsize\00077\0blksize\0001468",
			       &request),
			 ERR_OK);
	assert_int_equal(request.mode, PACKET_OCTET);
	assert_int_equal(request.options.option[PACKET_TIMEOUT].value, 5);
	assert_int_equal(request.options.option[PACKET_TSIZE].value, 77);
	assert_string_equal(packet_client_name(&request.options), "uboot");
	assert_int_equal(PARSE("\0\1ldlinux.c32\0octet\0tsize\0000\0blksize\0001408", &request),
			 ERR_OK);
	assert_string_equal(packet_client_name(&request.options), "pxelinux");
	/* no options at all */
	assert_int_equal(PARSE("\0\1network-confg\0netascii", &request), ERR_OK);
	assert_int_equal(request.mode, PACKET_NETASCII);
	assert_int_equal(request.options.left_out, 0);
}

static void test_spelling_is_the_clients(void **state)
{
	struct packet_request request;

	(void)state;
	assert_int_equal(PARSE("\0\1f\0octet\0BlkSize\0001024", &request), ERR_OK);
	assert_string_equal(request.options.option[PACKET_BLKSIZE].spelling, "BlkSize");
}

static void test_bad_values_are_left_out(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
#define CASE(literal) {literal, sizeof(literal)}
		CASE("\0\1f\0octet\0blksize\0007"),
		CASE("\0\1f\0octet\0blksize\00065465"),
		CASE("\0\1f\0octet\0blksize\0"),
		CASE("\0\1f\0octet\0blksize\000-8"),
		CASE("\0\1f\0octet\0blksize\000 512"),
		CASE("\0\1f\0octet\0blksize\000512x"),
		CASE("\0\1f\0octet\0blksize\0000x200"),
		CASE("\0\1f\0octet\0blksize\00018446744073709552128"),
		CASE("\0\1f\0octet\0windowsize\0000"),
		CASE("\0\1f\0octet\0windowsize\00065536"),
		CASE("\0\1f\0octet\0timeout\0000"),
		CASE("\0\1f\0octet\0timeout\000256"),
		CASE("\0\1f\0octet\0multicast\0"),
		CASE("\0\1f\0octet\0rollover\0002"),
		CASE("\0\1f\0octet\0utimeout\0009999"),
		CASE("\0\1f\0octet\0utimeout\000255000001"),
	};
	struct packet_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(packet_parse_request((const uint8_t *)cases[i].bytes,
						      cases[i].length, &request),
				 ERR_OK);
		for (int option = 0; option < PACKET_OPTIONS; option++)
			assert_false(request.options.option[option].is_asked);
		assert_int_equal(request.options.left_out, 1);
	}
}

static void test_the_first_of_two_counts(void **state)
{
	struct packet_request request;

	(void)state;
	assert_int_equal(PARSE("\0\1f\0octet\0blksize\0001024\0BLKSIZE\00065464", &request),
			 ERR_OK);
	assert_int_equal(request.options.option[PACKET_BLKSIZE].value, 1024);
	assert_int_equal(request.options.left_out, 1);
}

static void test_broken_requests(void **state)
{
	struct packet_request request;
	const uint8_t no_end[] = {0, 1, 'f', 0, 'o', 'c', 't', 'e', 't'};
	const uint8_t cut_option[] = {0, 1, 'f', 0, 'o', 'c', 't', 'e', 't', 0, 't', 's', 'i'};

	(void)state;
	assert_int_equal(packet_parse_request(no_end, 0, &request), ERR_SHORT);
	assert_int_equal(packet_parse_request(no_end, 1, &request), ERR_SHORT);
	assert_int_equal(packet_parse_request(no_end, 2, &request), ERR_SHORT);
	assert_int_equal(packet_parse_request(no_end, 4, &request), ERR_SHORT);
	assert_int_equal(packet_parse_request(no_end, sizeof(no_end), &request), ERR_SHORT);
	assert_int_equal(PARSE("\0\3\0\1data", &request), ERR_FORMAT);
	/* what stands before a cut is good, the file can be sent */
	assert_int_equal(packet_parse_request(cut_option, sizeof(cut_option), &request),
			 ERR_OK);
	assert_int_equal(PARSE("\0\1\0octet", &request), ERR_OK);
	assert_int_equal(request.name_length, 0);
}

static void test_replies(void **state)
{
	const uint8_t ack[] = {0, 4, 0x12, 0x34};
	const uint8_t error[] = {0, 5, 0, 8, 'U', 's', 'e', 'r', 0};
	const uint8_t data[] = {0, 3, 0, 1, 'x', 0, 'y'};
	const uint8_t oack[] = {0, 6, 'x', 0};
	struct packet_reply reply;

	(void)state;
	assert_int_equal(packet_parse_reply(ack, sizeof(ack), &reply), ERR_OK);
	assert_int_equal(reply.opcode, PACKET_ACK);
	assert_int_equal(reply.number, 0x1234);
	assert_int_equal(packet_parse_reply(ack, 3, &reply), ERR_SHORT);
	assert_int_equal(packet_parse_reply(error, sizeof(error), &reply), ERR_OK);
	assert_int_equal(reply.number, 8);
	assert_int_equal(reply.message_length, 4);
	/* without its text's end, and without any text */
	assert_int_equal(packet_parse_reply(error, 6, &reply), ERR_OK);
	assert_int_equal(reply.message_length, 2);
	assert_int_equal(packet_parse_reply(error, 4, &reply), ERR_OK);
	assert_int_equal(reply.message_length, 0);
	/* an upload's, and its empty last one */
	assert_int_equal(packet_parse_reply(data, sizeof(data), &reply), ERR_OK);
	assert_int_equal(reply.opcode, PACKET_DATA);
	assert_int_equal(reply.number, 1);
	assert_int_equal(reply.message_length, 3);
	assert_memory_equal(reply.message, "x\0y", 3);
	assert_int_equal(packet_parse_reply(data, 4, &reply), ERR_OK);
	assert_int_equal(reply.message_length, 0);
	assert_int_equal(packet_parse_reply(oack, sizeof(oack), &reply), ERR_FORMAT);
}

static void test_writing(void **state)
{
	static const uint8_t oack[] = "\0\6tsize\00065536\0blkSize\000512";
	static const uint8_t error[] = "\0\5\0\1no such file";
	uint8_t buffer[PACKET_ANSWER_SIZE];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	(void)state;
	packet_write_oack(&out);
	packet_write_option(&out, "tsize", 65536);
	packet_write_option(&out, "blkSize", 512);
	assert_false(out.failed);
	assert_int_equal(out.length, sizeof(oack));
	assert_memory_equal(buffer, oack, sizeof(oack));

	out = bytes_writer(buffer, sizeof(buffer));
	packet_write_error(&out, PACKET_NOT_FOUND, "no such file");
	assert_int_equal(out.length, sizeof(error));
	assert_memory_equal(buffer, error, sizeof(error));

	out = bytes_writer(buffer, 10);
	packet_write_error(&out, PACKET_NOT_FOUND, "no such file");
	assert_false(out.failed);
	assert_int_equal(out.length, 10);
	assert_memory_equal(buffer + 4, "no su", 6);

	out = bytes_writer(buffer, sizeof(buffer));
	packet_write_data_header(&out, 0xfffe);
	assert_memory_equal(buffer, "\0\3\xff\xfe", PACKET_DATA_HEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_of_each_firmware),
		cmocka_unit_test(test_spelling_is_the_clients),
		cmocka_unit_test(test_bad_values_are_left_out),
		cmocka_unit_test(test_the_first_of_two_counts),
		cmocka_unit_test(test_broken_requests),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
