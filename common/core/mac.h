/*
 * mac - an Ethernet hardware address.
 *
 *	char text[MAC_TEXT_SIZE];
 *	mac_format(&mac, text);		-> "52:54:00:00:00:01"
 */
#ifndef ROUSE_CORE_MAC_H
#define ROUSE_CORE_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define MAC_TEXT_SIZE 18

struct mac {
	uint8_t octet[6];
};

/*
 * Reads "52:54:00:00:00:01", "52-54-00-00-00-01", "525400000001", with PXELINUX's hardware type
 * before it ("01-52-54-.."), in any letter case. ERR_FORMAT for anything else.
 */
MUST_CHECK enum err mac_parse(const char *text, size_t length, struct mac *ret_mac);
/* Writes lower-case hexadecimal digits with colons and a NUL. */
void mac_format(const struct mac *mac, char text[MAC_TEXT_SIZE]);
/* The same with dashes, as PXELINUX, GRUB and BOOTIF write it. */
void mac_format_dashes(const struct mac *mac, char text[MAC_TEXT_SIZE]);
bool mac_equal(const struct mac *a, const struct mac *b);
/* All octets zero: no address at all. */
bool mac_is_zero(const struct mac *mac);
/* Can a card have it? Not zero, and no group's (IEEE 802, the lowest bit of the first octet).
 */
bool mac_is_station(const struct mac *mac);

#endif
