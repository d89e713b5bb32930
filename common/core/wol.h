/*
 * wol - the packet that wakes a machine: six octets ff, then its MAC sixteen times (AMD, "Magic
 * Packet Technology", publication 20213). It is sent as the payload of a UDP broadcast, to port
 * 9 by custom.
 */
#ifndef ROUSE_CORE_WOL_H
#define ROUSE_CORE_WOL_H

#include <stdint.h>

#include "core/mac.h"

#define WOL_SIZE 102
#define WOL_PORT 9

void wol_packet(const struct mac *mac, uint8_t packet[WOL_SIZE]);

#endif
