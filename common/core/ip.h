/*
 * ip - an address of either kind, IPv4 or IPv6, in one form.
 *
 * The form is IPv6's; an IPv4 address is mapped into it (::ffff:10.77.0.1, RFC 4291 section
 * 2.5.5.2), so that addresses are compared, hashed and kept without asking which kind they are.
 * What knows IPv4 only, such as DHCP, stays with core/ip4's numbers. Zeroed memory is no
 * address.
 *
 *	struct ip ip = ip_from_v4(0x0a4d0001);
 *	char text[IP_TEXT_SIZE];
 *	ip_format(&ip, text);		"10.77.0.1"
 */
#ifndef ROUSE_CORE_IP_H
#define ROUSE_CORE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

#define IP_TEXT_SIZE 46

struct ip {
	uint8_t octet[16];
};

/* From host order; 0 is no address. */
struct ip ip_from_v4(uint32_t address);
/* In host order; 0 when it is none of IPv4's. */
uint32_t ip_v4(const struct ip *ip);
bool ip_is_none(const struct ip *ip);
bool ip_is_v4(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
/* fe80::/10: means something on its own link only (RFC 4007), IPv6 alone. */
bool ip_is_link_local(const struct ip *ip);
/* ff00::/8, IPv6 alone. */
bool ip_is_multicast(const struct ip *ip);
/*
 * Reads "10.77.0.1", "fd00::1"; "::" and "0.0.0.0" both give no address. ERR_FORMAT, ERR_RANGE
 * (IPv4's numbers). A zone ("%eth0") is the caller's to take off.
 */
MUST_CHECK enum err ip_parse(const char *text, struct ip *ret_ip);
/* Dotted, or as RFC 5952 has it; "::" when there is none. */
void ip_format(const struct ip *ip, char text[IP_TEXT_SIZE]);

#endif
