#include "core/wol.h"

#include <stddef.h>
#include <string.h>

#define HEAD 6
#define REPEATS 16

void wol_packet(const struct mac *mac, uint8_t packet[WOL_SIZE])
{
	memset(packet, 0xff, HEAD);
	for (size_t i = 0; i < REPEATS; i++)
		memcpy(packet + HEAD + i * sizeof(mac->octet), mac->octet, sizeof(mac->octet));
}
