/* Saves a lease table at one go, as the saver does slice by slice. */
#ifndef ROUSE_TESTS_LEASE_SAVE_H
#define ROUSE_TESTS_LEASE_SAVE_H

#include "dhcpd/leasefile.h"

static inline enum err lease_save(struct leasefile *file, const struct lease_table *leases,
				  const char *timeline, uint64_t now_ms)
{
	bool is_whole;

	if (leasefile_save_begin(file, leases, timeline) != ERR_OK ||
	    leasefile_save_slice(file, leases, SIZE_MAX, now_ms, &is_whole) != ERR_OK)
		return ERR_SYSTEM;
	leasefile_save_publish(file);
	return leasefile_save_end(file);
}

#endif
