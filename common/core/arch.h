/*
 * arch - what kind of machine asks: DHCP's client architecture (RFC 4578 section 2.1, with
 * IANA's registry "Processor Architecture Types"), or iPXE's words for the same.
 */
#ifndef ROUSE_CORE_ARCH_H
#define ROUSE_CORE_ARCH_H

#include <stdbool.h>
#include <stdint.h>

enum arch_cpu {
	ARCH_I386,
	ARCH_X86_64,
	ARCH_ARM32,
	ARCH_ARM64,
	ARCH_RISCV64,
	ARCH_OTHER,
};

enum arch_firmware {
	FIRMWARE_BIOS,
	FIRMWARE_EFI,
	FIRMWARE_HTTP, /* UEFI HTTP Boot: wants a URL (UEFI 2.10 section 24.7) */
	FIRMWARE_UBOOT,
	FIRMWARE_OTHER,
};

struct arch {
	enum arch_cpu cpu;
	enum arch_firmware firmware;
};

/* From option 93. 7 and 9 both are x86-64: RFC 4578 had them exchanged, and firmware sends 7.
 */
struct arch arch_from_client(uint16_t code);
/* From iPXE's ${arch} or ${buildarch} ("x86_64") and ${platform} ("efi", "pcbios"), or GRUB's
 * $grub_cpu and $grub_platform ("efi", "pc"); NULL is none. */
struct arch arch_from_ipxe(const char *cpu, const char *platform);
/* "x86_64", "efi": the words that people and the database use; never NULL. */
const char *arch_cpu_name(enum arch_cpu cpu);
const char *arch_firmware_name(enum arch_firmware firmware);

#endif
