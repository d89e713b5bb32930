/* Client architectures in DHCP's numbers and iPXE's words. */
#include "unit.h"

#include "core/arch.h"

static void seven_and_nine_are_both_x86_64(void **state)
{
	(void)state;
	assert_int_equal(arch_from_client(7).cpu, ARCH_X86_64);
	assert_int_equal(arch_from_client(9).cpu, ARCH_X86_64);
	assert_int_equal(arch_from_client(7).firmware, FIRMWARE_EFI);
	assert_int_equal(arch_from_client(0).firmware, FIRMWARE_BIOS);
	assert_int_equal(arch_from_client(16).firmware, FIRMWARE_HTTP);
	assert_int_equal(arch_from_client(22).firmware, FIRMWARE_UBOOT);
	assert_int_equal(arch_from_client(4711).cpu, ARCH_OTHER);
}

static void reads_ipxes_words(void **state)
{
	struct arch arch = arch_from_ipxe("x86_64", "pcbios");

	(void)state;
	assert_int_equal(arch.cpu, ARCH_X86_64);
	assert_int_equal(arch.firmware, FIRMWARE_BIOS);
	arch = arch_from_ipxe("arm64", "efi");
	assert_int_equal(arch.cpu, ARCH_ARM64);
	assert_int_equal(arch.firmware, FIRMWARE_EFI);
	arch = arch_from_ipxe(NULL, NULL);
	assert_int_equal(arch.cpu, ARCH_OTHER);
	assert_string_equal(arch_cpu_name(ARCH_OTHER), "other");
	assert_string_equal(arch_firmware_name(FIRMWARE_UBOOT), "uboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seven_and_nine_are_both_x86_64),
		cmocka_unit_test(reads_ipxes_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
