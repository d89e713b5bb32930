/*
 * inquiry - addresses that are being asked for before they are offered: which, for whom, until
 * when. One for each client, so many at once at most; the caller's storage. Times are
 * milliseconds on the caller's monotonic clock.
 *
 *	const struct inquiry *inquiry = inquiry_of(&table, &client);
 *	if (inquiry_put(&table, &fresh) != ERR_OK)
 *		... too many already
 */
#ifndef ROUSE_DHCPD_INQUIRY_H
#define ROUSE_DHCPD_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "dhcpd/inuse.h"
#include "dhcpd/lease_table.h"

#define INQUIRY_MAX 256

struct inquiry {
	struct lease_client client; /* whom the address is for */
	bool has_mac;
	struct mac mac; /* the client's own: its own answer is no conflict */
	uint32_t address;
	enum inuse_way way;
	size_t interface;   /* where it is asked by ARP */
	unsigned conflicts; /* addresses before this one that were in use */
	bool is_repeated;   /* a frame may be lost: it is asked twice */
	uint64_t repeat_ms, ends_ms;
};

struct inquiry_table {
	struct inquiry entries[INQUIRY_MAX]; /* the first `count` are in use */
	size_t count;
};

/* NULL: no address is being asked for on behalf of this client. */
const struct inquiry *inquiry_of(const struct inquiry_table *table,
				 const struct lease_client *client);
bool inquiry_has_room(const struct inquiry_table *table);
/* In place of the client's former one. ERR_SPACE: INQUIRY_MAX are under way. */
MUST_CHECK enum err inquiry_put(struct inquiry_table *table, const struct inquiry *inquiry);
/*
 * Whom the answer hits: the inquiry whose address is in use; NULL when nobody asked in this
 * way, or when it is the client itself that answered.
 */
const struct inquiry *inquiry_hit_by(const struct inquiry_table *table,
				     const struct inuse_answer *answer);
/* Takes the client's out. ERR_ABSENT. */
MUST_CHECK enum err inquiry_take(struct inquiry_table *table, const struct lease_client *client,
				 struct inquiry *ret_inquiry);

#endif
