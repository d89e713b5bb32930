#include "core/image.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define DOS_PE_OFFSET 0x3c /* where a DOS header says where the PE header is */

/* PE headers are little-endian, unlike what core/bytes reads. */
static uint32_t little(const uint8_t *at, size_t octets)
{
	uint32_t value = 0;

	for (size_t i = octets; i > 0; i--)
		value = value << 8 | at[i - 1];
	return value;
}

/* PE/COFF specification, "Machine Types". */
static const char *machine_name(uint32_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} machines[] = {
		{0x014c, "efi-i386"},  {0x8664, "efi-x86_64"}, {0x01c0, "efi-arm32"},
		{0x01c2, "efi-arm32"}, {0xaa64, "efi-arm64"},  {0x5064, "efi-riscv64"},
	};

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (machines[i].machine == machine)
			return machines[i].name;
	}
	return "efi-other";
}

/* NULL: no EFI program. */
static const char *efi_type(const uint8_t *octets, size_t length)
{
	uint32_t offset;

	if (length < DOS_PE_OFFSET + 4 || memcmp(octets, "MZ", 2) != 0)
		return NULL;
	offset = little(octets + DOS_PE_OFFSET, 4);
	if (offset > length || length - offset < 6 || memcmp(octets + offset, "PE\0", 4) != 0)
		return NULL;
	return machine_name(little(octets + offset + 4, 2));
}

static bool begins(const uint8_t *octets, size_t length, const char *with)
{
	size_t wanted = strlen(with);

	return length >= wanted && strncasecmp((const char *)octets, with, wanted) == 0;
}

const char *image_type(const uint8_t *octets, size_t length)
{
	static const struct {
		const char *begins, *name;
	} known[] = {
		{"#!ipxe", "script"},
		{"#!gpxe", "script"},
		{"<!doctype", "html"},
		{"<html", "html"},
		{"\x1f\x8b", "gzip"},
		{"\x7f"
		 "ELF",
		 "elf"},
	};
	const char *efi = efi_type(octets, length);

	if (efi)
		return efi;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (begins(octets, length, known[i].begins))
			return known[i].name;
	}
	return "other";
}
