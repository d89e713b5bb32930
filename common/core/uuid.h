/*
 * uuid - the SMBIOS UUID of a machine.
 *
 * Firmware sends it in DHCP option 97 with its first three fields little-endian (PXE 2.1,
 * RFC 4578 section 2.3); iPXE and dmidecode print the usual order. We keep the usual order.
 */
#ifndef ROUSE_CORE_UUID_H
#define ROUSE_CORE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define UUID_TEXT_SIZE 37

struct uuid {
	uint8_t octet[16];
};

/* Reads the 36-character form, in any letter case. */
MUST_CHECK enum err uuid_parse(const char *text, size_t length, struct uuid *ret_uuid);
/* Sixteen octets as option 97 has them after its type octet. */
struct uuid uuid_from_wire(const uint8_t octets[16]);
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE]);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
/* A value that vendors leave in many boards and that identifies none: all 0, all F and the
 * like. */
bool uuid_is_placeholder(const struct uuid *uuid);

#endif
