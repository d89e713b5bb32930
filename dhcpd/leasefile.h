/*
 * leasefile - the recorded leases on disk, mode 0600: what dhcpd knows when it starts while the
 * database is away. One line a lease: address, client in hexadecimal, state, end in seconds
 * since 1970. The database's copy replaces all of it at the first connection.
 */
#ifndef ROUSE_DHCPD_LEASEFILE_H
#define ROUSE_DHCPD_LEASEFILE_H

#include <stdint.h>

#include "core/err.h"
#include "dhcpd/lease_table.h"

/* Writes a new file and puts it in the old one's place. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err leasefile_write(const char *path, const struct lease_table *leases,
				    uint64_t now_ms);
/*
 * Calls on_lease for each line that can be read; *ret_bad is the number of the others.
 * ERR_ABSENT: there is no file. ERR_SYSTEM.
 */
MUST_CHECK enum err leasefile_read(const char *path, uint64_t now_ms,
				   void (*on_lease)(void *data, const struct lease *lease),
				   void *data, size_t *ret_bad);

#endif
