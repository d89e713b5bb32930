/*
 * block - block numbers: counted from 1 without wrapping here, 16 bits on the wire, where 65535
 * is followed by 0, or by 1 if the client asks so (tftp-hpa's option rollover).
 */
#ifndef ROUSE_TFTPD_BLOCK_H
#define ROUSE_TFTPD_BLOCK_H

#include <stdint.h>

/* Its number on the wire. `rollover`: what follows 65535, 0 or 1. */
uint16_t block_number(uint64_t block, uint8_t rollover);
/* How many blocks further than `block` this number is, on its shortest way forward. */
uint64_t block_ahead(uint64_t block, uint16_t number, uint8_t rollover);

#endif
