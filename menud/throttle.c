#include "menud/throttle.h"

/* FNV-1a from a secret start, and a final mixing (MurmurHash3's) that spreads it. */
static struct throttle_counter *counter_of(struct throttle *throttle, const void *key,
					   size_t length)
{
	const uint8_t *octets = key;
	uint64_t hash = throttle->seed ^ 14695981039346656037ULL;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ octets[i]) * 1099511628211ULL;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	return &throttle->counters[hash % THROTTLE_SIZE];
}

uint64_t throttle_take(struct throttle *throttle, const void *key, size_t length,
		       uint64_t now_ms)
{
	struct throttle_counter *counter = counter_of(throttle, key, length);
	uint64_t passed = now_ms - counter->at_ms;
	uint64_t most = (uint64_t)throttle->burst * throttle->every_ms;

	counter->spent_ms = counter->spent_ms > passed ? counter->spent_ms - passed : 0;
	counter->at_ms = now_ms;
	if (counter->spent_ms + throttle->every_ms > most)
		return counter->spent_ms + throttle->every_ms - most;
	counter->spent_ms += throttle->every_ms;
	return 0;
}

void throttle_give_back(struct throttle *throttle, const void *key, size_t length)
{
	struct throttle_counter *counter = counter_of(throttle, key, length);

	counter->spent_ms = counter->spent_ms > throttle->every_ms
				    ? counter->spent_ms - throttle->every_ms
				    : 0;
}
