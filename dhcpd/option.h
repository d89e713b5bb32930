/*
 * option - the options that dhcpd reads and writes, by name (RFC 2132 unless said), and a
 * writer that never passes the end it was given.
 *
 * A reply may be too small for everything: an option that does not fit is left out whole and
 * told to the caller, so the important ones are put first.
 *
 *	if (!option_put_u32(&out, OPTION_SERVER_ID, server))
 *		left_out++;
 */
#ifndef ROUSE_DHCPD_OPTION_H
#define ROUSE_DHCPD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"

enum option_code {
	OPTION_PAD = 0,
	OPTION_SUBNET_MASK = 1,
	OPTION_ROUTERS = 3,
	OPTION_DNS = 6,
	OPTION_HOST_NAME = 12,
	OPTION_DOMAIN_NAME = 15,
	OPTION_BROADCAST = 28,
	OPTION_STATIC_ROUTES = 33,
	OPTION_VENDOR_SPECIFIC = 43,
	OPTION_REQUESTED_ADDRESS = 50,
	OPTION_LEASE_SECONDS = 51,
	OPTION_OVERLOAD = 52,
	OPTION_MESSAGE_TYPE = 53,
	OPTION_SERVER_ID = 54,
	OPTION_PARAMETER_LIST = 55,
	OPTION_MESSAGE = 56,
	OPTION_MAX_MESSAGE_SIZE = 57,
	OPTION_RENEWAL_SECONDS = 58,
	OPTION_REBINDING_SECONDS = 59,
	OPTION_VENDOR_CLASS = 60,
	OPTION_CLIENT_ID = 61,
	OPTION_TFTP_SERVER = 66,
	OPTION_BOOT_FILE = 67,
	OPTION_USER_CLASS = 77,	       /* RFC 3004 */
	OPTION_FQDN = 81,	       /* RFC 4702 */
	OPTION_RELAY_AGENT = 82,       /* RFC 3046 */
	OPTION_CLIENT_ARCH = 93,       /* RFC 4578 */
	OPTION_CLIENT_NIC = 94,	       /* RFC 4578 */
	OPTION_CLIENT_UUID = 97,       /* RFC 4578 */
	OPTION_IPV6_ONLY = 108,	       /* RFC 8925 */
	OPTION_AUTO_CONFIGURE = 116,   /* RFC 2563 */
	OPTION_SUBNET_SELECTION = 118, /* RFC 3011 */
	OPTION_DOMAIN_SEARCH = 119,    /* RFC 3397 */
	OPTION_CLASSLESS_ROUTES = 121, /* RFC 3442 */
	OPTION_IPXE = 175,	       /* iPXE's own, encapsulated */
	OPTION_END = 255,
};

#define OPTION_IPXE_NO_PXEDHCP 176 /* in OPTION_IPXE: do not wait for a proxy DHCP server */

/*
 * Each writes code, length and value if they fit whole, and says whether it did. Values over
 * 255 octets are parted as RFC 3396 wants it.
 */
bool option_put(struct bytes_writer *out, uint8_t code, const void *value, size_t length);
bool option_put_u8(struct bytes_writer *out, uint8_t code, uint8_t value);
bool option_put_u32(struct bytes_writer *out, uint8_t code, uint32_t value);
bool option_put_text(struct bytes_writer *out, uint8_t code, const char *text);
/* Up to 63 addresses, in host order. */
bool option_put_addresses(struct bytes_writer *out, uint8_t code, const uint32_t *addresses,
			  size_t count);

#endif
