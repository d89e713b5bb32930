#include "tftpd/ports.h"

#include <string.h>

#define DIGITS_MAX 5

/* Reads digits; the place behind them, or NULL when there are none, or too many. */
static const char *read_number(const char *at, uint32_t *ret_number)
{
	uint32_t number = 0;
	size_t digits = strspn(at, "0123456789");

	if (digits == 0 || digits > DIGITS_MAX)
		return NULL;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (uint32_t)(at[i] - '0');
	*ret_number = number;
	return at + digits;
}

enum err ports_parse(const char *text, struct ports *ret_ports)
{
	uint32_t first = 0;
	uint32_t last = 0;

	if (strcmp(text, "any") == 0 || strcmp(text, "same") == 0) {
		*ret_ports = (struct ports){.is_same = text[0] == 's'};
		return ERR_OK;
	}
	text = read_number(text, &first);
	if (!text || *text != '-')
		return ERR_FORMAT;
	text = read_number(text + 1, &last);
	if (!text || *text != '\0')
		return ERR_FORMAT;
	if (first == 0 || first > last || last > UINT16_MAX)
		return ERR_RANGE;
	*ret_ports = (struct ports){.first = (uint16_t)first, .last = (uint16_t)last};
	return ERR_OK;
}
