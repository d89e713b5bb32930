/*
 * checksum - the internet checksum (RFC 1071) over parts of even length but for the last.
 *
 *	sum = checksum_add(sum, header, 20);
 *	checksum = checksum_finish(sum);
 */
#ifndef ROUSE_DHCPD_CHECKSUM_H
#define ROUSE_DHCPD_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t checksum_add(uint32_t sum, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)octets[i] << 8 | octets[i + 1];
	if (length % 2)
		sum += (uint32_t)octets[length - 1] << 8;
	return sum;
}

static inline uint16_t checksum_finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

#endif
