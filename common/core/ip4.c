#include "core/ip4.h"

#include <stdio.h>
#include <string.h>

/* Reads a decimal number of at most three digits, no leading zero, and moves past it. */
static enum err take_number(const char **at, uint32_t most, uint32_t *ret_value)
{
	const char *digit = *at;
	uint32_t value = 0;

	if (*digit < '0' || *digit > '9' ||
	    (digit[0] == '0' && digit[1] >= '0' && digit[1] <= '9'))
		return ERR_FORMAT;
	while (*digit >= '0' && *digit <= '9') {
		value = value * 10 + (uint32_t)(*digit++ - '0');
		if (value > most)
			return ERR_RANGE;
	}
	*at = digit;
	*ret_value = value;
	return ERR_OK;
}

/* Reads a dotted quad and moves past it. */
static enum err take_address(const char **at, uint32_t *ret_address)
{
	uint32_t address = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t octet;
		enum err err;

		if (i > 0 && *(*at)++ != '.')
			return ERR_FORMAT;
		err = take_number(at, 255, &octet);
		if (err != ERR_OK)
			return err;
		address = address << 8 | octet;
	}
	*ret_address = address;
	return ERR_OK;
}

enum err ip4_parse(const char *text, uint32_t *ret_address)
{
	uint32_t address;
	enum err err = take_address(&text, &address);

	if (err != ERR_OK)
		return err;
	if (*text != '\0')
		return ERR_FORMAT;
	*ret_address = address;
	return ERR_OK;
}

enum err ip4_net_parse(const char *text, struct ip4_net *ret_net)
{
	struct ip4_net net;
	uint32_t prefix;
	enum err err = take_address(&text, &net.address);

	if (err != ERR_OK)
		return err;
	if (*text++ != '/')
		return ERR_FORMAT;
	err = take_number(&text, 32, &prefix);
	if (err != ERR_OK)
		return err;
	if (*text != '\0')
		return ERR_FORMAT;
	net.prefix = (uint8_t)prefix;
	if (net.address & ~ip4_mask(&net))
		return ERR_RANGE;
	*ret_net = net;
	return ERR_OK;
}

enum err ip4_parse_list(const char *text, uint32_t *ret_list, size_t size, size_t *ret_count)
{
	size_t count = 0;

	while (*text != '\0') {
		enum err err;

		if (count == size)
			return ERR_SPACE;
		err = take_address(&text, &ret_list[count]);
		if (err != ERR_OK)
			return err;
		count++;
		if (*text == ' ' && text[1] != '\0')
			text++;
		else if (*text != '\0')
			return ERR_FORMAT;
	}
	*ret_count = count;
	return ERR_OK;
}

void ip4_format(uint32_t address, char text[IP4_TEXT_SIZE])
{
	(void)snprintf(text, IP4_TEXT_SIZE, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
		       address >> 8 & 255, address & 255);
}

uint32_t ip4_mask(const struct ip4_net *net)
{
	return net->prefix == 0 ? 0 : UINT32_MAX << (32 - net->prefix);
}

uint32_t ip4_broadcast(const struct ip4_net *net)
{
	return net->address | ~ip4_mask(net);
}

bool ip4_net_holds(const struct ip4_net *net, uint32_t address)
{
	return (address & ip4_mask(net)) == net->address;
}
