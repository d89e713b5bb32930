#include "tftpd/block.h"

uint16_t block_number(uint64_t block, uint8_t rollover)
{
	if (rollover == 0 || block == 0)
		return (uint16_t)block;
	return (uint16_t)((block - 1) % UINT16_MAX + 1);
}

uint64_t block_ahead(uint64_t block, uint16_t number, uint8_t rollover)
{
	uint16_t reached = block_number(block, rollover);

	if (rollover == 0 || block == 0)
		return (uint16_t)(number - reached);
	if (number == 0) /* 65535 numbers go round, and this is none of them */
		return UINT16_MAX;
	return ((uint64_t)number + UINT16_MAX - reached) % UINT16_MAX;
}
