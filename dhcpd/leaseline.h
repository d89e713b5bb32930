/*
 * leaseline - one lease, or the database's timeline, as a line of the saved file: see
 * leasefile.h. The loop's times become those of the clock on the wall, and come back.
 *
 *	leaseline_put(&text, lease, &(struct leaseline_clock){now_ms, time(NULL)});
 */
#ifndef ROUSE_DHCPD_LEASELINE_H
#define ROUSE_DHCPD_LEASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/text.h"
#include "dhcpd/lease.h"

#define LEASELINE_SIZE 700 /* the longest with its end, and the NUL */

/* The same moment on both clocks. */
struct leaseline_clock {
	uint64_t now_ms;
	time_t now;
};

/* An offer is no lease, and has no line. */
bool leaseline_has(const struct lease *lease);
void leaseline_put(struct text *out, const struct lease *lease,
		   const struct leaseline_clock *clock);
void leaseline_put_timeline(struct text *out, const char *timeline);
/*
 * false: it is none, and *ret_lease is not to be used. `client` is where the lease's key is
 * kept. A grant that is still to come, by a clock that was put back, was now.
 */
bool leaseline_read(const char *line, const struct leaseline_clock *clock,
		    struct lease_client *client, struct lease *ret_lease);
/* false: it is none, or does not fit into `size`; then *ret_timeline stays. */
bool leaseline_read_timeline(const char *line, char *ret_timeline, size_t size);

#endif
