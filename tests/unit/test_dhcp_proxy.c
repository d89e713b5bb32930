#include "test_dhcp_samples.h"

#include "dhcpd/proxy.h"

static struct packet packet;
static struct proxy_verdict verdict;
static struct packet reply;
static uint8_t octets[PACKET_SIZE_REPLY_MAX];

static void begin(struct sample *sample, enum packet_message message, uint8_t mac,
		  const char *class, uint16_t arch)
{
	sample_begin(sample, message, mac);
	if (class)
		sample_firmware(sample, class, arch);
}

static void decide_it(bool is_proxy_port)
{
	proxy_decide(&(struct proxy_question){&sample_site, &packet, SERVER, is_proxy_port},
		     &verdict);
}

static void ask(enum packet_message message, uint8_t mac, const char *class, uint16_t arch,
		bool is_proxy_port)
{
	struct sample sample;

	begin(&sample, message, mac, class, arch);
	sample_end(&sample, &packet);
	decide_it(is_proxy_port);
}

/* The reply on the wire, and read again. */
static void encode(void)
{
	size_t length = 0;

	assert_int_equal(proxy_encode(&packet, &verdict, octets, &length), ERR_OK);
	assert_true(length >= PACKET_SIZE_MIN);
	assert_int_equal(packet_parse(octets, length, &reply), ERR_OK);
	assert_int_equal(reply.op, PACKET_BOOTREPLY);
	assert_int_equal(reply.message, verdict.message);
	assert_int_equal(reply.yiaddr, 0);
	assert_int_equal(reply.xid, packet.xid);
}

static void expect_option(uint8_t code, const void *value, size_t size)
{
	size_t length = 0;
	const uint8_t *found = packet_option(&reply, code, &length);

	assert_non_null(found);
	assert_int_equal(length, size);
	assert_memory_equal(found, value, size);
}

static void expect_no_option(uint8_t code)
{
	size_t length;

	assert_null(packet_option(&reply, code, &length));
}

static const char *file_field(void)
{
	return (const char *)octets + 108;
}

static void test_a_bios_rom_finds_its_file_in_the_offer(void **state)
{
	(void)state;
	ask(PACKET_DISCOVER, 9, "PXEClient:Arch:00000:UNDI:002001", 0, false);
	assert_int_equal(verdict.message, PACKET_OFFER);
	assert_string_equal(verdict.reason, "firmware needs a first stage");
	encode();
	expect_option(OPTION_VENDOR_CLASS, "PXEClient", 9);
	expect_option(OPTION_VENDOR_SPECIFIC, "\x06\x01\x08\xff", 4);
	expect_option(OPTION_BOOT_FILE, "undionly.kpxe", 13);
	expect_no_option(OPTION_LEASE_SECONDS);
	assert_string_equal(file_field(), "undionly.kpxe");
	assert_int_equal(reply.siaddr, SERVER);
}

/* A boot server says what it was asked for (PXE 2.1, tag 71). */
static void test_a_rom_is_told_the_item_it_asked_for(void **state)
{
	struct sample sample;

	(void)state;
	begin(&sample, PACKET_REQUEST, 9, "PXEClient:Arch:00000:UNDI:002001", 0);
	assert_true(
		option_put(&sample.out, OPTION_VENDOR_SPECIFIC, "\x47\x04\x80\0\0\1\xff", 7));
	sample_end(&sample, &packet);
	decide_it(true);
	encode();
	expect_option(OPTION_VENDOR_SPECIFIC, "\x06\x01\x08\x47\x04\x80\0\0\1\xff", 10);
	/* of another length it is none, and neither is what stands behind the end */
	begin(&sample, PACKET_REQUEST, 9, "PXEClient:Arch:00000:UNDI:002001", 0);
	assert_true(option_put(&sample.out, OPTION_VENDOR_SPECIFIC,
			       "\x47\x02\x80\0\xff\0\x47\x04\x80\0\0\1", 12));
	sample_end(&sample, &packet);
	decide_it(true);
	encode();
	expect_option(OPTION_VENDOR_SPECIFIC, "\x06\x01\x08\xff", 4);
}

/* It looks for the menu that names it, and for no file. */
static void test_a_raspberry_pi_finds_its_menu(void **state)
{
	struct sample sample;

	(void)state;
	begin(&sample, PACKET_DISCOVER, 9, "PXEClient:Arch:00000:UNDI:002001", 0);
	sample_end(&sample, &packet);
	memcpy(packet.chaddr, "\xdc\xa6\x32", 3);
	decide_it(false);
	assert_int_equal(verdict.message, PACKET_OFFER);
	encode();
	expect_option(OPTION_VENDOR_SPECIFIC, "\x09\x17\0\0\x14Raspberry Pi Boot   \xff", 26);
	expect_no_option(OPTION_BOOT_FILE);
	assert_int_equal(reply.siaddr, SERVER);
}

static void test_uefi_is_promised_its_file_and_asks_for_it(void **state)
{
	(void)state;
	ask(PACKET_DISCOVER, 9, "PXEClient", 7, false);
	assert_int_equal(verdict.message, PACKET_OFFER);
	encode();
	expect_option(OPTION_VENDOR_CLASS, "PXEClient", 9);
	expect_no_option(OPTION_VENDOR_SPECIFIC);
	expect_no_option(OPTION_BOOT_FILE);
	assert_string_equal(file_field(), "");
	assert_int_equal(reply.siaddr, SERVER);
	ask(PACKET_REQUEST, 9, "PXEClient", 7, true);
	assert_int_equal(verdict.message, PACKET_ACK);
	encode();
	expect_option(OPTION_BOOT_FILE, "ipxe.efi", 8);
	assert_string_equal(file_field(), "ipxe.efi");
}

static void test_tftpd_may_be_another_machine(void **state)
{
	struct site_setting settings[] = {{"next_server", "10.77.0.9"}};

	(void)state;
	sample_site.settings = settings;
	sample_site.setting_count = 1;
	/* who is asked on port 4011 is us, who is asked for the file is tftpd */
	ask(PACKET_DISCOVER, 9, "PXEClient", 7, false);
	encode();
	assert_int_equal(reply.siaddr, SERVER);
	ask(PACKET_REQUEST, 9, "PXEClient", 7, true);
	encode();
	assert_int_equal(reply.siaddr, IP(10, 77, 0, 9));
}

static void test_ipxe_gets_its_script_and_is_not_told_to_wait_for_nobody(void **state)
{
	struct sample sample;

	(void)state;
	begin(&sample, PACKET_DISCOVER, 9, "PXEClient", 7);
	sample_text(&sample, OPTION_USER_CLASS, "iPXE");
	sample_end(&sample, &packet);
	decide_it(false);
	assert_int_equal(verdict.message, PACKET_OFFER);
	encode();
	expect_option(OPTION_BOOT_FILE, "default.ipxe", 12);
	expect_no_option(OPTION_IPXE);
	expect_no_option(OPTION_VENDOR_SPECIFIC);
}

static void test_http_boot_gets_its_url_in_the_offer(void **state)
{
	static const char url[] = "http://10.77.0.1:8080/files/tftp/efi/ipxe%20x64.efi";

	(void)state;
	ask(PACKET_DISCOVER, 9, "HTTPClient:Arch:00016", 16, false);
	assert_int_equal(verdict.message, PACKET_OFFER);
	encode();
	expect_option(OPTION_VENDOR_CLASS, "HTTPClient", 10);
	expect_option(OPTION_BOOT_FILE, url, strlen(url));
}

static void test_what_came_goes_back(void **state)
{
	static const uint8_t uuid[17] = {0, 1, 2, 3}, agent[] = {1, 2, 'a', 'b'},
			     identifier[] = {1, 0x52};
	struct sample sample;
	size_t length = 0;

	(void)state;
	begin(&sample, PACKET_DISCOVER, 9, "PXEClient", 0);
	assert_true(option_put(&sample.out, OPTION_CLIENT_UUID, uuid, sizeof(uuid)));
	assert_true(option_put(&sample.out, OPTION_CLIENT_ID, identifier, sizeof(identifier)));
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent, sizeof(agent)));
	sample_end(&sample, &packet);
	decide_it(false);
	encode();
	expect_option(OPTION_CLIENT_UUID, uuid, sizeof(uuid));
	expect_option(OPTION_CLIENT_ID, identifier, sizeof(identifier));
	expect_option(OPTION_RELAY_AGENT, agent, sizeof(agent));
	/* a client that takes nothing so long gets nothing cut */
	memset(verdict.boot.file, 'x', 255);
	verdict.boot.file[255] = '\0';
	assert_int_equal(proxy_encode(&packet, &verdict, octets, &length), ERR_SPACE);
}

static void expect_silence(const char *reason)
{
	assert_int_equal(verdict.message, 0);
	assert_string_equal(verdict.reason, reason);
}

static void test_who_is_left_alone(void **state)
{
	(void)state;
	ask(PACKET_DISCOVER, 9, NULL, 0, false);
	expect_silence("no sign of booting from the network: the other server's client");
	ask(PACKET_DISCOVER, 9, "U-Boot.armv8", 22, false);
	expect_silence("U-Boot takes its file from the server of its address alone");
	ask(PACKET_DISCOVER, 2, "PXEClient", 7, false);
	expect_silence("the host is disabled or retired");
	ask(PACKET_DISCOVER, 9, "PXEClient", 6, false);
	expect_silence("no boot file for architecture 6: insert one into rouse.boot_files");
	ask(PACKET_REQUEST, 9, "PXEClient", 7, false);
	expect_silence("the other server's business");
	ask(PACKET_RELEASE, 9, "PXEClient", 7, true);
	expect_silence("the other server's business");
	ask(PACKET_OFFER, 9, "PXEClient", 7, true);
	expect_silence("the other server's business");
	packet.op = PACKET_BOOTREPLY;
	packet.message = PACKET_DISCOVER;
	decide_it(false);
	expect_silence("the other server's business");
}

static void test_a_request_on_4011_for_another_proxy(void **state)
{
	struct sample sample;

	(void)state;
	begin(&sample, PACKET_REQUEST, 9, "PXEClient", 7);
	sample_u32(&sample, OPTION_SERVER_ID, IP(10, 77, 0, 66));
	sample_end(&sample, &packet);
	decide_it(true);
	expect_silence("it is meant for another server");
	/* with its address, it names the server of that one */
	packet.ciaddr = IP(10, 77, 0, 100);
	decide_it(true);
	assert_int_equal(verdict.message, PACKET_ACK);
}

static void test_no_subnet_of_ours_is_needed(void **state)
{
	(void)state;
	sample_site.subnet_count = 0;
	ask(PACKET_DISCOVER, 9, "PXEClient", 0, false);
	assert_int_equal(verdict.message, PACKET_OFFER);
	assert_string_equal(verdict.boot.file, "undionly.kpxe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_bios_rom_finds_its_file_in_the_offer,
				       sample_setup),
		cmocka_unit_test_setup(test_a_rom_is_told_the_item_it_asked_for, sample_setup),
		cmocka_unit_test_setup(test_a_raspberry_pi_finds_its_menu, sample_setup),
		cmocka_unit_test_setup(test_uefi_is_promised_its_file_and_asks_for_it,
				       sample_setup),
		cmocka_unit_test_setup(test_tftpd_may_be_another_machine, sample_setup),
		cmocka_unit_test_setup(
			test_ipxe_gets_its_script_and_is_not_told_to_wait_for_nobody,
			sample_setup),
		cmocka_unit_test_setup(test_http_boot_gets_its_url_in_the_offer, sample_setup),
		cmocka_unit_test_setup(test_what_came_goes_back, sample_setup),
		cmocka_unit_test_setup(test_who_is_left_alone, sample_setup),
		cmocka_unit_test_setup(test_a_request_on_4011_for_another_proxy, sample_setup),
		cmocka_unit_test_setup(test_no_subnet_of_ours_is_needed, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
