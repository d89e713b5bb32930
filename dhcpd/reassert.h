/*
 * reassert - after a failover: the new primary may lack what the old one had committed and this
 * process has acknowledged. Every such lease of the last minutes before is recorded again
 * before anything new is granted. Where another client was given the address meanwhile, the
 * database puts it into quarantine, and an error names it.
 *
 * The table is looked over in slices, however many leases there are.
 *
 * With synchronous replication there is nothing to repair, and this finds every lease in its
 * place.
 */
#ifndef ROUSE_DHCPD_REASSERT_H
#define ROUSE_DHCPD_REASSERT_H

#include <stddef.h>

#include "core/err.h"
#include "db/conn.h"
#include "dhcpd/lease_table.h"
#include "io/loop.h"

struct reassert;

struct reassert_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	/* All are recorded (NULL, or the last answer), or this answer says why not. */
	void (*on_done)(void *data, const struct db_answer *answer);
	void *data;
};

MUST_CHECK enum err reassert_open(const struct reassert_options *options,
				  struct reassert **ret_reassert);
/*
 * The table stays as it is meanwhile but for offers: nothing is granted before the answer.
 * on_done() comes once, never from within, unless it is stopped.
 */
void reassert_begin(struct reassert *reassert, const struct lease_table *leases,
		    const char *timeline);
/* The timeline that the last reassert_begin() was told. */
void reassert_timeline(const struct reassert *reassert, char *timeline, size_t size);
void reassert_stop(struct reassert *reassert);
void reassert_close(struct reassert *reassert);

#endif
