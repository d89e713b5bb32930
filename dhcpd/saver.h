/*
 * saver - writes the lease file anew while dhcpd goes on serving: a piece of the table in each
 *of the loop's turns, the sync in libuv's pool.
 *
 *	saver_open(&options, &saver);
 *	saver_begin(saver, timeline);
 */
#ifndef ROUSE_DHCPD_SAVER_H
#define ROUSE_DHCPD_SAVER_H

#include "core/err.h"
#include "dhcpd/leasefile.h"
#include "io/loop.h"

struct saver;

struct saver_options {
	struct loop *loop;
	struct leasefile *file; /* outlives the saver */
	const struct lease_table *(*leases)(void *data);
	void (*on_failed)(void *data, int reason); /* an errno; the old file stands */
	void *data;
};

MUST_CHECK enum err saver_open(const struct saver_options *options, struct saver **ret_saver);
/* Does nothing while a save is under way. */
void saver_begin(struct saver *saver, const char *timeline);
/* A save that is under way comes to nothing. Accepts NULL. */
void saver_close(struct saver *saver);

#endif
