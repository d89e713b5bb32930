#include "test_dhcp_samples.h"

#include "dhcpd/pxe.h"

static enum pxe_class class_of(const char *vendor, const char *user, size_t user_length,
			       const char *ipxe)
{
	struct sample sample;
	struct packet packet;

	sample_begin(&sample, PACKET_DISCOVER, 9);
	if (vendor)
		sample_text(&sample, OPTION_VENDOR_CLASS, vendor);
	if (user)
		assert_true(option_put(&sample.out, OPTION_USER_CLASS, user, user_length));
	if (ipxe)
		sample_text(&sample, OPTION_IPXE, ipxe);
	sample_end(&sample, &packet);
	return pxe_client(&packet).class;
}

static void test_classes(void **state)
{
	static const char rom[] = "PXEClient:Arch:00007:UNDI:003000";

	(void)state;
	assert_int_equal(class_of(rom, NULL, 0, NULL), PXE_CLASS_FIRMWARE);
	assert_int_equal(class_of("HTTPClient:Arch:00016:UNDI:003000", NULL, 0, NULL),
			 PXE_CLASS_HTTP);
	assert_int_equal(class_of("udhcp 1.35.0", NULL, 0, NULL), PXE_CLASS_OS);
	assert_int_equal(class_of(NULL, NULL, 0, NULL), PXE_CLASS_OS);
	/* iPXE: plain, and as RFC 3004 has it, alone or behind another class */
	assert_int_equal(class_of(rom, "iPXE", 4, NULL), PXE_CLASS_IPXE);
	assert_int_equal(class_of(rom, "\x04iPXE", 5, NULL), PXE_CLASS_IPXE);
	assert_int_equal(class_of(rom, "\x03lab\x04iPXE", 9, NULL), PXE_CLASS_IPXE);
	assert_int_equal(class_of(NULL, "iPXE", 4, NULL), PXE_CLASS_IPXE);
	/* no iPXE: another name, a part, a length that runs over the end */
	assert_int_equal(class_of(rom, "iPXE2", 5, NULL), PXE_CLASS_FIRMWARE);
	assert_int_equal(class_of(rom, "\x05iPXE", 5, NULL), PXE_CLASS_FIRMWARE);
	assert_int_equal(class_of(rom, "", 0, NULL), PXE_CLASS_FIRMWARE);
	/* option 175 counts only where no user class was sent */
	assert_int_equal(class_of(rom, NULL, 0, "\x01\x01"), PXE_CLASS_IPXE);
	assert_int_equal(class_of(rom, "vendor-rom", 10, "\x01\x01"), PXE_CLASS_FIRMWARE);
}

static void test_uboot_is_known_by_its_architecture(void **state)
{
	struct sample sample;
	struct packet packet;

	(void)state;
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_firmware(&sample, "U-Boot.armv8", 22);
	sample_end(&sample, &packet);
	assert_int_equal(pxe_client(&packet).class, PXE_CLASS_UBOOT);
	/* its EFI step says that it is PXE firmware, and wants a file */
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_firmware(&sample, "PXEClient:Arch:00011:UNDI:003000", 11);
	sample_end(&sample, &packet);
	assert_int_equal(pxe_client(&packet).class, PXE_CLASS_FIRMWARE);
	assert_int_equal(pxe_client(&packet).arch.cpu, ARCH_ARM64);
}

static void test_uuid_in_the_usual_order(void **state)
{
	static const uint8_t wire[17] = {0,    0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
					 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	static const uint8_t none[17] = {0};
	struct sample sample;
	struct packet packet;
	struct pxe_client client;
	char text[UUID_TEXT_SIZE];

	(void)state;
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put(&sample.out, OPTION_CLIENT_UUID, wire, sizeof(wire)));
	sample_end(&sample, &packet);
	client = pxe_client(&packet);
	assert_true(client.has_uuid);
	uuid_format(&client.uuid, text);
	assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put(&sample.out, OPTION_CLIENT_UUID, none, sizeof(none)));
	sample_end(&sample, &packet);
	assert_false(pxe_client(&packet).has_uuid);
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put(&sample.out, OPTION_CLIENT_UUID, wire, 16));
	sample_end(&sample, &packet);
	assert_false(pxe_client(&packet).has_uuid);
}

static size_t answer(const char *class, uint16_t arch, const char *user, uint8_t *buffer,
		     size_t size)
{
	struct bytes_writer out = bytes_writer(buffer, size);
	struct pxe_client client;
	struct sample sample;
	struct packet packet;

	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_firmware(&sample, class, arch);
	if (user)
		sample_text(&sample, OPTION_USER_CLASS, user);
	sample_end(&sample, &packet);
	client = pxe_client(&packet);
	assert_true(pxe_put_options(&out, &client, &packet));
	return out.length;
}

static void test_each_class_gets_what_it_needs(void **state)
{
	uint8_t buffer[64];

	(void)state;
	assert_int_equal(answer("PXEClient", 7, NULL, buffer, sizeof(buffer)),
			 0); /* a plain offer: see pxe.c */
	assert_int_equal(answer("PXEClient", 0, NULL, buffer, sizeof(buffer)), 17);
	assert_memory_equal(buffer, "\x3c\x09PXEClient\x2b\x04\x06\x01\x08\xff", 17);
	assert_int_equal(answer("HTTPClient", 16, NULL, buffer, sizeof(buffer)), 12);
	assert_memory_equal(buffer, "\x3c\x0aHTTPClient", 12);
	assert_int_equal(answer("PXEClient", 0, "iPXE", buffer, sizeof(buffer)), 5);
	assert_memory_equal(buffer, "\xaf\x03\xb0\x01\x01", 5);
	assert_int_equal(answer("udhcp", 0, NULL, buffer, sizeof(buffer)), 0);
}

/* Its ROM says that it is a PC's BIOS, and boots only by a menu that names it. */
static void test_a_raspberry_pi_is_known_by_its_card(void **state)
{
	static const uint8_t makers[][3] = {{0xb8, 0x27, 0xeb}, {0xdc, 0xa6, 0x32},
					    {0xe4, 0x5f, 0x01}, {0x28, 0xcd, 0xc1},
					    {0xd8, 0x3a, 0xdd}, {0x2c, 0xcf, 0x67}};
	struct sample sample;
	struct packet packet;
	struct pxe_client client;
	uint8_t buffer[64];
	struct bytes_writer out;

	(void)state;
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		sample_begin(&sample, PACKET_DISCOVER, 9);
		sample_firmware(&sample, "PXEClient:Arch:00000:UNDI:002001", 0);
		sample_end(&sample, &packet);
		assert_false(pxe_client(&packet).is_raspberry);
		memcpy(packet.chaddr, makers[i], 3);
		client = pxe_client(&packet);
		assert_true(client.is_raspberry);
		assert_int_equal(client.class, PXE_CLASS_FIRMWARE);
		assert_int_equal(client.arch.firmware, FIRMWARE_OTHER);
	}
	out = bytes_writer(buffer, sizeof(buffer));
	assert_true(pxe_put_options(&out, &client, &packet));
	assert_int_equal(out.length, 39);
	assert_memory_equal(buffer,
			    "\x3c\x09PXEClient"
			    "\x2b\x1a\x09\x17\0\0\x14Raspberry Pi Boot   \xff",
			    39);
	/* UEFI on the same card is UEFI, and its system has no use for a menu */
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_firmware(&sample, "PXEClient:Arch:00011:UNDI:003000", 11);
	sample_end(&sample, &packet);
	memcpy(packet.chaddr, makers[0], 3);
	assert_false(pxe_client(&packet).is_raspberry);
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_end(&sample, &packet);
	memcpy(packet.chaddr, makers[0], 3);
	assert_false(pxe_client(&packet).is_raspberry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_uboot_is_known_by_its_architecture),
		cmocka_unit_test(test_uuid_in_the_usual_order),
		cmocka_unit_test(test_each_class_gets_what_it_needs),
		cmocka_unit_test(test_a_raspberry_pi_is_known_by_its_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
