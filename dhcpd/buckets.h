/*
 * buckets - a hash index over the positions of a packed array, which grows by one bucket at a
 * time (linear hashing; Litwin, 1980). No addition ever stops to arrange everything anew, so a
 * table of a million leases answers as evenly as one of a thousand.
 *
 * Whoever uses it hashes the keys, and compares them: positions with an equal hash are
 * candidates. The array is packed: what is added at the end has its length as its position.
 *
 *	for (uint32_t at = buckets_find(&index, hash); at != BUCKETS_NONE;
 *	     at = buckets_next(&index, at))
 *		if (is_what_is_looked_for(&array[at]))
 */
#ifndef ROUSE_DHCPD_BUCKETS_H
#define ROUSE_DHCPD_BUCKETS_H

#include <stdint.h>

#define BUCKETS_NONE UINT32_MAX

/* Belongs to the position of the same number. */
struct buckets_cell {
	uint32_t hash;
	uint32_t next; /* in its bucket: position + 1, 0 behind the last */
};

/* Both arrays are the caller's, and as long as the array that is indexed may become. */
struct buckets {
	struct buckets_cell *cells;
	uint32_t *heads; /* position + 1 of each bucket's first; 0: it is empty */
	uint32_t count;	 /* buckets in use */
	uint32_t mask;	 /* the least power of two that is not below count, less one */
};

/* An empty index; the arrays hold at least one element. They need not be zeroed. */
void buckets_init(struct buckets *index, struct buckets_cell *cells, uint32_t *heads);
/* The same index in longer arrays, into which the caller has copied the old ones. */
void buckets_move_to(struct buckets *index, struct buckets_cell *cells, uint32_t *heads);

/* The first position with this hash, then the next one; BUCKETS_NONE when there is none. */
uint32_t buckets_find(const struct buckets *index, uint32_t hash);
uint32_t buckets_next(const struct buckets *index, uint32_t position);

void buckets_add(struct buckets *index, uint32_t hash, uint32_t position);
void buckets_remove(struct buckets *index, uint32_t position);
/* What was at `from` is at `to` now, where nothing was. */
void buckets_rename(struct buckets *index, uint32_t from, uint32_t to);

#endif
