/*
 * image - what a boot file is, by its first octets: a first stage for another architecture is
 * the commonest reason why a machine fetches it whole and does not run it.
 *
 *	image_type(octets, length)	"efi-x86_64"
 */
#ifndef ROUSE_CORE_IMAGE_H
#define ROUSE_CORE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_HEAD 512 /* octets that are enough */

/*
 * An EFI program (PE/COFF) for i386, x86_64, arm32, arm64 or riscv64: "efi-" and this word;
 * "efi-other"; an iPXE "script"; "html"; "gzip"; "elf"; "other", as a BIOS's programs are,
 * which begin with any code.
 */
const char *image_type(const uint8_t *octets, size_t length);

#endif
