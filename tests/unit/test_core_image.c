/* What boot files begin with. */
#include "unit.h"

#include "core/image.h"

#define PE_AT 0x80

/* A DOS header that leads to a PE header for this machine. */
static size_t make_efi(uint8_t octets[IMAGE_HEAD], uint16_t machine)
{
	memset(octets, 0, IMAGE_HEAD);
	memcpy(octets, "MZ", 2);
	octets[0x3c] = PE_AT;
	memcpy(octets + PE_AT, "PE\0", 4);
	octets[PE_AT + 4] = (uint8_t)machine;
	octets[PE_AT + 5] = (uint8_t)(machine >> 8);
	return PE_AT + 6;
}

static void knows_efi_programs(void **state)
{
	static const struct {
		uint16_t machine;
		const char *type;
	} programs[] = {
		{0x8664, "efi-x86_64"}, {0x014c, "efi-i386"},	 {0xaa64, "efi-arm64"},
		{0x01c2, "efi-arm32"},	{0x5064, "efi-riscv64"}, {0x0200, "efi-other"},
	};
	uint8_t octets[IMAGE_HEAD];

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		size_t length = make_efi(octets, programs[i].machine);

		assert_string_equal(image_type(octets, length), programs[i].type);
		assert_string_equal(image_type(octets, IMAGE_HEAD), programs[i].type);
		/* cut off before it is told for which machine */
		assert_string_equal(image_type(octets, length - 1), "other");
	}
}

/* A header that leads out of the octets that are there. */
static void distrusts_the_offset(void **state)
{
	static const uint32_t offsets[] = {IMAGE_HEAD - 5, IMAGE_HEAD, 0x7fffffff, 0xffffffff};
	uint8_t octets[IMAGE_HEAD];

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		make_efi(octets, 0x8664);
		for (int octet = 0; octet < 4; octet++)
			octets[0x3c + octet] = (uint8_t)(offsets[i] >> (8 * octet));
		assert_string_equal(image_type(octets, IMAGE_HEAD), "other");
	}
}

static void expect(const char *octets, size_t length, const char *type)
{
	assert_string_equal(image_type((const uint8_t *)octets, length), type);
}

static void knows_the_others(void **state)
{
	(void)state;
	expect("#!ipxe\necho", 11, "script");
	expect("<!DOCTYPE html><html>", 21, "html");
	expect("<html>", 6, "html");
	expect("\x1f\x8b\x08", 3, "gzip");
	expect("\x7f"
	       "ELF",
	       4, "elf");
	expect("\xea\x05\x00\xc0\x07", 5, "other");
	expect("#!ipx", 5, "other");
	expect("MZ", 2, "other");
	expect("", 0, "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_efi_programs),
		cmocka_unit_test(distrusts_the_offset),
		cmocka_unit_test(knows_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
