/*
 * ip4 - IPv4 addresses as numbers in host order, and networks of them.
 *
 *	uint32_t address;
 *	if (ip4_parse("10.77.0.1", &address) == ERR_OK && ip4_net_holds(&net, address))
 */
#ifndef ROUSE_CORE_IP4_H
#define ROUSE_CORE_IP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define IP4_TEXT_SIZE 16

struct ip4_net {
	uint32_t address; /* the network's own, host bits zero */
	uint8_t prefix;	  /* 0 to 32 */
};

/* Reads a dotted quad, four decimal numbers without leading zeros; NUL-terminated. */
MUST_CHECK enum err ip4_parse(const char *text, uint32_t *ret_address);
/* Reads "10.77.0.0/24"; ERR_RANGE when host bits are set. */
MUST_CHECK enum err ip4_net_parse(const char *text, struct ip4_net *ret_net);
/*
 * Reads up to `size` addresses parted by single spaces; an empty text is none.
 * ERR_SPACE when there are more.
 */
MUST_CHECK enum err ip4_parse_list(const char *text, uint32_t *ret_list, size_t size,
				   size_t *ret_count);
void ip4_format(uint32_t address, char text[IP4_TEXT_SIZE]);
uint32_t ip4_mask(const struct ip4_net *net);
uint32_t ip4_broadcast(const struct ip4_net *net);
bool ip4_net_holds(const struct ip4_net *net, uint32_t address);

#endif
