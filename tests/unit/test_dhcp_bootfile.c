#include "test_dhcp_samples.h"

static struct decide_verdict verdict;

static void boot(uint8_t mac, const char *class, uint16_t arch, const char *user)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = &packet,
		.now_ms = 100000,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	sample_begin(&sample, PACKET_DISCOVER, mac);
	sample_firmware(&sample, class, arch);
	if (user)
		sample_text(&sample, OPTION_USER_CLASS, user);
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	assert_int_equal(verdict.action, DECIDE_OFFER);
}

static void expect_boot(const char *file, const char *reason)
{
	assert_string_equal(verdict.boot.file, file);
	assert_string_equal(verdict.boot.reason, reason);
	assert_int_equal(verdict.boot.is_answered, *file != '\0');
}

static void test_the_boot_answer(void **state)
{
	(void)state;
	boot(9, "PXEClient", 0, NULL);
	expect_boot("undionly.kpxe", "firmware needs a first stage");
	assert_int_equal(verdict.boot.next_server, SERVER);
	boot(9, "PXEClient", 7, NULL);
	expect_boot("ipxe.efi", "firmware needs a first stage");
	boot(1, "PXEClient", 7, NULL); /* its product has a row of its own */
	expect_boot("snponly.efi", "firmware needs a first stage");
	boot(9, "PXEClient", 7, "iPXE");
	expect_boot("default.ipxe", "iPXE needs its script");
	boot(9, "HTTPClient", 16, NULL);
	expect_boot("http://10.77.0.1:8080/files/tftp/efi/ipxe%20x64.efi",
		    "firmware needs a first stage");
	boot(9, "PXEClient", 6, NULL);
	expect_boot("", "no boot file for architecture 6: insert one into rouse.boot_files");
	boot(2, "PXEClient", 7, NULL);
	expect_boot("", "the host is disabled or retired");
	boot(9, "udhcp 1.35.0", 0, NULL);
	expect_boot("", "an operating system asks for no boot file");
}

static void test_uboot_gets_a_server_and_no_file(void **state)
{
	(void)state;
	boot(9, "U-Boot.armv8", 22, NULL);
	assert_string_equal(verdict.boot.file, "");
	assert_true(verdict.boot.is_answered);
}

/* It asks tftpd for names of its own; a PC's first stage would be none for it. */
static void test_a_raspberry_pi_gets_a_server_and_no_file(void **state)
{
	struct pxe_client client = {.class = PXE_CLASS_FIRMWARE, .is_raspberry = true};
	struct bootfile answer;

	(void)state;
	bootfile_choose(&(struct bootfile_question){&sample_site, &sample_subnets[0], NULL,
						    &client, SERVER},
			&answer);
	assert_true(answer.is_answered);
	assert_string_equal(answer.file, "");
	assert_int_equal(answer.next_server, SERVER);
}

static void test_settings_move_the_servers(void **state)
{
	struct site_setting settings[] = {{"menud_urls", "http://boot.example/ http://b"},
					  {"next_server", "10.77.0.9"}};

	(void)state;
	sample_site.settings = settings;
	sample_site.setting_count = 2;
	boot(9, "PXEClient", 7, NULL);
	assert_int_equal(verdict.boot.next_server, IP(10, 77, 0, 9));
	boot(9, "HTTPClient", 16, NULL);
	assert_string_equal(verdict.boot.file,
			    "http://boot.example/files/tftp/efi/ipxe%20x64.efi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_boot_answer, sample_setup),
		cmocka_unit_test_setup(test_uboot_gets_a_server_and_no_file, sample_setup),
		cmocka_unit_test_setup(test_a_raspberry_pi_gets_a_server_and_no_file,
				       sample_setup),
		cmocka_unit_test_setup(test_settings_move_the_servers, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
