#include "test_dhcp_samples.h"

#include "dhcpd/bootcheck.h"

#define TFTPD IP(10, 77, 0, 2)
#define OTHER IP(10, 77, 0, 9)

static struct bootcheck_table table;

static void want(enum bootcheck_way way, uint32_t address, const char *file, uint64_t now_ms)
{
	struct bootcheck_target target = {.way = way, .address = address};

	strncpy(target.file, file, sizeof(target.file) - 1);
	bootcheck_want(&table, &target, now_ms);
}

/* How many questions are due from one time to another. */
static unsigned run(uint64_t from_ms, uint64_t to_ms)
{
	unsigned sent = 0;

	for (uint64_t now = from_ms; now < to_ms; now += 250) {
		while (bootcheck_due(&table, now))
			sent++;
	}
	return sent;
}

/* The one answer that there is to tell, and no other. */
static enum bootcheck_answer only_answer(void)
{
	const struct bootcheck *check = bootcheck_take(&table);

	assert_non_null(check);
	assert_null(bootcheck_take(&table));
	assert_true(bootcheck_is_idle(&table));
	return check->answer;
}

static int set_up(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static void test_a_server_answers(void **state)
{
	const struct bootcheck *check;

	(void)state;
	want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", 1000);
	check = bootcheck_due(&table, 1000);
	assert_non_null(check);
	assert_string_equal(check->target.file, "ipxe.efi");
	assert_null(bootcheck_due(&table, 1000));
	assert_false(bootcheck_hear(&table, BOOTCHECK_TFTP, OTHER, BOOTCHECK_SERVED));
	assert_false(bootcheck_hear(&table, BOOTCHECK_PXE, TFTPD, BOOTCHECK_SERVED));
	assert_true(bootcheck_hear(&table, BOOTCHECK_TFTP, TFTPD, BOOTCHECK_SERVED));
	assert_int_equal(only_answer(), BOOTCHECK_SERVED);
	assert_false(bootcheck_hear(&table, BOOTCHECK_TFTP, TFTPD, BOOTCHECK_SERVED));
	assert_int_equal(run(1000, 60000), 0);
}

static void test_nothing_comes(void **state)
{
	(void)state;
	want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", 0);
	assert_int_equal(run(0, BOOTCHECK_TRIES * BOOTCHECK_TRY_MS), BOOTCHECK_TRIES);
	assert_null(bootcheck_take(&table));
	assert_int_equal(run(BOOTCHECK_TRIES * BOOTCHECK_TRY_MS, 20000), 0);
	assert_int_equal(only_answer(), BOOTCHECK_SILENT);
}

static void test_however_many_clients_it_is_asked_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", i);
	assert_int_equal(run(0, 500), 1);
	(void)bootcheck_hear(&table, BOOTCHECK_TFTP, TFTPD, BOOTCHECK_MISSING);
	assert_int_equal(only_answer(), BOOTCHECK_MISSING);
	want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", BOOTCHECK_AGAIN_MS - 1);
	assert_true(bootcheck_is_idle(&table));
	want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", BOOTCHECK_AGAIN_MS);
	assert_int_equal(run(BOOTCHECK_AGAIN_MS, BOOTCHECK_AGAIN_MS + 500), 1);
}

/* An answer does not say which file it is about. */
static void test_one_file_of_a_server_at_a_time(void **state)
{
	(void)state;
	want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", 0);
	want(BOOTCHECK_TFTP, TFTPD, "undionly.kpxe", 0);
	want(BOOTCHECK_PXE, TFTPD, "", 0);
	assert_int_equal(run(0, 250), 2);
	assert_true(bootcheck_hear(&table, BOOTCHECK_TFTP, TFTPD, BOOTCHECK_SERVED));
	assert_true(bootcheck_hear(&table, BOOTCHECK_PXE, TFTPD, BOOTCHECK_CLOSED));
	want(BOOTCHECK_TFTP, TFTPD, "undionly.kpxe", 300);
	assert_int_equal(run(300, 500), 1);
}

static void test_forged_offers_make_us_ask_no_more(void **state)
{
	unsigned sent = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		want(BOOTCHECK_TFTP, IP(10, 78, 0, 0) + i, "x", i);
		sent += run(i, i + 1);
		while (bootcheck_take(&table))
			;
	}
	assert_int_equal(sent, BOOTCHECK_SERVERS * BOOTCHECK_TRIES);
	assert_int_equal(table.left_out, 10000 - BOOTCHECK_SERVERS);
	/* half a minute later there is room for who is real */
	want(BOOTCHECK_TFTP, TFTPD, "ipxe.efi", BOOTCHECK_AGAIN_MS + 20000);
	assert_int_equal(run(BOOTCHECK_AGAIN_MS + 20000, BOOTCHECK_AGAIN_MS + 20250), 1);
}

static void test_what_is_no_machine_is_not_asked(void **state)
{
	static const uint32_t addresses[] = {0, IP(127, 0, 0, 1), IP(224, 0, 0, 1), 0xffffffffU,
					     IP(0, 1, 2, 3)};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		want(BOOTCHECK_TFTP, addresses[i], "x", 0);
	assert_true(bootcheck_is_idle(&table));
}

static void test_the_question_to_port_4011(void **state)
{
	uint8_t buffer[BOOTCHECK_PXE_SIZE];
	struct mac mac = {{2, 0, 0, 0, 0, 7}}, read;
	struct packet packet;

	(void)state;
	assert_int_equal(bootcheck_encode_pxe(&mac, 7, buffer), sizeof(buffer));
	assert_int_equal(packet_parse(buffer, sizeof(buffer), &packet), ERR_OK);
	assert_int_equal(packet.message, PACKET_REQUEST);
	assert_true(packet_mac(&packet, &read) && mac_equal(&mac, &read));
	assert_int_equal(pxe_client(&packet).class, PXE_CLASS_FIRMWARE);
	assert_int_equal(pxe_client(&packet).arch_code, 7);
	/* and what answers it */
	assert_false(bootcheck_is_pxe_answer(buffer, sizeof(buffer), 7));
	buffer[0] = PACKET_BOOTREPLY;
	assert_true(bootcheck_is_pxe_answer(buffer, sizeof(buffer), 7));
	assert_false(bootcheck_is_pxe_answer(buffer, sizeof(buffer), 8));
	assert_false(bootcheck_is_pxe_answer(buffer, 100, 7));
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(bootcheck_answer_name(BOOTCHECK_SERVED), "served");
	assert_string_equal(bootcheck_answer_name(BOOTCHECK_SILENT), "silent");
	assert_string_equal(bootcheck_answer_name(BOOTCHECK_UNREACHABLE), "unreachable");
	assert_string_equal(bootcheck_way_name(BOOTCHECK_TFTP), "tftp");
	assert_string_equal(bootcheck_way_name(BOOTCHECK_PXE), "pxe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_server_answers, set_up),
		cmocka_unit_test_setup(test_nothing_comes, set_up),
		cmocka_unit_test_setup(test_however_many_clients_it_is_asked_once, set_up),
		cmocka_unit_test_setup(test_one_file_of_a_server_at_a_time, set_up),
		cmocka_unit_test_setup(test_forged_offers_make_us_ask_no_more, set_up),
		cmocka_unit_test_setup(test_what_is_no_machine_is_not_asked, set_up),
		cmocka_unit_test(test_the_question_to_port_4011),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
