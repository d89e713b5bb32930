/*
 * foreign - the DHCP servers beside us: who they are, for rouse.foreign_dhcp, and which of them
 * are rouse's own, which only the database knows. Each stranger is told to the log once.
 *
 *	foreign_note(foreign, &heard.mac, &answer);
 *	if (foreign_judge(foreign, server, false) == FOREIGN_STRANGER)
 */
#ifndef ROUSE_DHCPD_FOREIGN_H
#define ROUSE_DHCPD_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "db/conn.h"
#include "dhcpd/observe.h"

#define FOREIGN_KNOWN_MAX 64 /* strangers remembered; further ones are counted */
#define FOREIGN_ADDRESSES_MAX 16

struct foreign;

enum foreign_kind {
	FOREIGN_NOT_KNOWN, /* the database has not named our peers since it was heard first */
	FOREIGN_PEER,
	FOREIGN_STRANGER,
};

/* What we are, for our peers; asked for again and again, since it changes. */
struct foreign_self {
	uint32_t addresses[FOREIGN_ADDRESSES_MAX];
	size_t count;
	const char *answers_as; /* "server", "proxy", or NULL: we only listen */
};

struct foreign_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	struct foreign_self (*self)(void *data);
	void *data;
};

MUST_CHECK enum err foreign_open(const struct foreign_options *options,
				 struct foreign **ret_foreign);
/* An answer of somebody else was heard. */
void foreign_note(struct foreign *foreign, const struct mac *mac,
		  const struct observe_answer *answer);
enum foreign_kind foreign_judge(const struct foreign *foreign, uint32_t address, bool is_proxy);
/* The connection is up, or what we are has changed: tell it now. */
void foreign_announce(struct foreign *foreign);
/* Accepts NULL. Call before db_close. */
void foreign_close(struct foreign *foreign);

#endif
