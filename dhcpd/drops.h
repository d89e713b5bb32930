/*
 * drops - what was not answered, counted by reason; and pools that are empty, said once.
 *
 *	drops_count(&drops, "longer than any message");
 *	drops_put(&drops, &text);	 "3 longer than any message, 1 shorter than a header"
 */
#ifndef ROUSE_DHCPD_DROPS_H
#define ROUSE_DHCPD_DROPS_H

#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "dhcpd/decide.h"

#define DROPS_REASONS_MAX 48
#define DROPS_EMPTY_MAX 64

struct drops {
	struct {
		const char *reason;
		uint64_t count;
	} by_reason[DROPS_REASONS_MAX];
	size_t reason_count;
	int64_t empty[DROPS_EMPTY_MAX]; /* subnets whose link has no free address */
	size_t empty_count;
};

/* `reason` is kept as a pointer: a literal. Beyond DROPS_REASONS_MAX the last place takes it.
 */
void drops_count(struct drops *drops, const char *reason);
/* Counts a silent verdict; tells once when a link's pools are empty, and when one is not. */
void drops_note(struct drops *drops, const struct decide_verdict *verdict);
/* "COUNT REASON, ...", the most frequent first, as far as it fits; nothing when nothing was. */
void drops_put(const struct drops *drops, struct text *out);

#endif
