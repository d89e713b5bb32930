/*
 * throttle - how often something may be tried: so many times at once, then once in a while.
 * Pure; a fixed number of counters.
 *
 *	static struct throttle throttle = {.every_ms = 12000, .burst = 5, .seed = random};
 *	uint64_t wait_ms = throttle_take(&throttle, &address, sizeof(address), now_ms);
 *	if (wait_ms > 0)
 *		... not now ...
 *
 * Each counter leaks: one try comes back in every_ms. A key's counter is found by a keyed hash,
 * without a list of keys: nothing can be flooded out of it, and what two keys share by accident
 * makes it stricter, never laxer.
 */
#ifndef ROUSE_MENUD_THROTTLE_H
#define ROUSE_MENUD_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_SIZE 4096

struct throttle {
	uint64_t seed; /* secret, so that nobody can aim at another's counter */
	uint32_t every_ms;
	uint32_t burst;
	struct throttle_counter {
		uint64_t at_ms;	   /* when `spent_ms` was right */
		uint64_t spent_ms; /* burst * every_ms: nothing is left */
	} counters[THROTTLE_SIZE];
};

/* Counts a try. Not 0: it may not be made, and is not counted, for so many milliseconds more.
 */
uint64_t throttle_take(struct throttle *throttle, const void *key, size_t length,
		       uint64_t now_ms);
/* Gives a try back: it was a good one. */
void throttle_give_back(struct throttle *throttle, const void *key, size_t length);

#endif
