#include "core/arch.h"

#include <stddef.h>
#include <string.h>

static const struct {
	uint16_t code;
	struct arch arch;
} clients[] = {
	{0, {ARCH_I386, FIRMWARE_BIOS}},     {6, {ARCH_I386, FIRMWARE_EFI}},
	{7, {ARCH_X86_64, FIRMWARE_EFI}},    {9, {ARCH_X86_64, FIRMWARE_EFI}},
	{10, {ARCH_ARM32, FIRMWARE_EFI}},    {11, {ARCH_ARM64, FIRMWARE_EFI}},
	{15, {ARCH_I386, FIRMWARE_HTTP}},    {16, {ARCH_X86_64, FIRMWARE_HTTP}},
	{18, {ARCH_ARM32, FIRMWARE_HTTP}},   {19, {ARCH_ARM64, FIRMWARE_HTTP}},
	{20, {ARCH_I386, FIRMWARE_HTTP}},    {21, {ARCH_ARM32, FIRMWARE_UBOOT}},
	{22, {ARCH_ARM64, FIRMWARE_UBOOT}},  {27, {ARCH_RISCV64, FIRMWARE_EFI}},
	{28, {ARCH_RISCV64, FIRMWARE_HTTP}},
};

struct arch arch_from_client(uint16_t code)
{
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		if (clients[i].code == code)
			return clients[i].arch;
	}
	return (struct arch){ARCH_OTHER, FIRMWARE_OTHER};
}

static const char *const cpu_names[] = {"i386", "x86_64", "arm32", "arm64", "riscv64", "other"};
static const char *const firmware_names[] = {"bios", "efi", "http", "uboot", "other"};

struct arch arch_from_ipxe(const char *cpu, const char *platform)
{
	struct arch arch = {ARCH_OTHER, FIRMWARE_OTHER};

	for (int i = ARCH_I386; cpu && i < ARCH_OTHER; i++) {
		if (strcmp(cpu, cpu_names[i]) == 0)
			arch.cpu = (enum arch_cpu)i;
	}
	if (platform && strcmp(platform, "efi") == 0)
		arch.firmware = FIRMWARE_EFI;
	else if (platform && (strcmp(platform, "pcbios") == 0 ||
			      strcmp(platform, "bios") == 0 || strcmp(platform, "pc") == 0))
		arch.firmware = FIRMWARE_BIOS;
	return arch;
}

const char *arch_cpu_name(enum arch_cpu cpu)
{
	return cpu_names[cpu];
}

const char *arch_firmware_name(enum arch_firmware firmware)
{
	return firmware_names[firmware];
}
