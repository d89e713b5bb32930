/*
 * dhcp_value - the value of a DHCP option, as an operator writes it, as the octets of the wire.
 *
 * The types are those of RFC 2132 and of three later options: lists of domain names (RFC 3397)
 * and of classless routes (RFC 3442). Members of a list are parted by one blank.
 *
 *	uint8_t octets[DHCP_VALUE_MAX];
 *	size_t length;
 *	if (dhcp_value_encode("addresses", "10.77.0.2 10.77.0.3", octets, &length) != ERR_OK)
 */
#ifndef ROUSE_CORE_DHCP_VALUE_H
#define ROUSE_CORE_DHCP_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Four parts of an option that is too long for one (RFC 3396). */
#define DHCP_VALUE_MAX 1020

/*
 * type            value
 * address         10.77.0.1
 * addresses       10.77.0.2 10.77.0.3
 * pairs           two addresses each: 10.9.0.0 10.77.0.1
 * u8, u16, u32, i32  a whole number
 * u16s            whole numbers
 * flag            true or false
 * text            as it is
 * hex             0a0bff or 0a:0b:ff, or text within double quotes
 * names           lab.example example.org
 * routes          10.0.0.0/8 10.77.0.1 0.0.0.0/0 10.77.0.1: networks and their gateways
 *
 * `ret_octets` has DHCP_VALUE_MAX octets. ERR_FORMAT: the value is not of its type, or there is
 * no such type; ERR_RANGE: a number does not fit; ERR_SPACE: longer than DHCP_VALUE_MAX.
 */
MUST_CHECK enum err dhcp_value_encode(const char *type, const char *value, uint8_t *ret_octets,
				      size_t *ret_length);

#endif
