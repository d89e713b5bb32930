#include "dhcpd/buckets.h"

void buckets_init(struct buckets *index, struct buckets_cell *cells, uint32_t *heads)
{
	*index = (struct buckets){.cells = cells, .heads = heads, .count = 1, .mask = 0};
	heads[0] = 0;
}

void buckets_move_to(struct buckets *index, struct buckets_cell *cells, uint32_t *heads)
{
	index->cells = cells;
	index->heads = heads;
}

/* Buckets that are not split off yet are still part of the one half their number away. */
static uint32_t bucket_of(const struct buckets *index, uint32_t hash)
{
	uint32_t bucket = hash & index->mask;

	return bucket < index->count ? bucket : hash & index->mask >> 1;
}

/* From this link of a chain on. */
static uint32_t find_from(const struct buckets *index, uint32_t link, uint32_t hash)
{
	while (link != 0 && index->cells[link - 1].hash != hash)
		link = index->cells[link - 1].next;
	return link != 0 ? link - 1 : BUCKETS_NONE;
}

uint32_t buckets_find(const struct buckets *index, uint32_t hash)
{
	return find_from(index, index->heads[bucket_of(index, hash)], hash);
}

uint32_t buckets_next(const struct buckets *index, uint32_t position)
{
	const struct buckets_cell *cell = &index->cells[position];

	return find_from(index, cell->next, cell->hash);
}

static void push(struct buckets *index, uint32_t bucket, uint32_t link)
{
	index->cells[link - 1].next = index->heads[bucket];
	index->heads[bucket] = link;
}

/* One more bucket; it takes its share of the one that had it. */
static void split(struct buckets *index)
{
	uint32_t fresh = index->count, old, link;

	if (fresh > index->mask)
		index->mask = index->mask << 1 | 1;
	index->count++;
	old = fresh & index->mask >> 1;
	link = index->heads[old];
	index->heads[old] = 0;
	index->heads[fresh] = 0;
	while (link != 0) {
		uint32_t next = index->cells[link - 1].next;

		push(index, bucket_of(index, index->cells[link - 1].hash), link);
		link = next;
	}
}

void buckets_add(struct buckets *index, uint32_t hash, uint32_t position)
{
	if (position >= index->count)
		split(index);
	index->cells[position].hash = hash;
	push(index, bucket_of(index, hash), position + 1);
}

/* The link that leads to this position. */
static uint32_t *link_to(const struct buckets *index, uint32_t position)
{
	uint32_t *link = &index->heads[bucket_of(index, index->cells[position].hash)];

	while (*link != position + 1)
		link = &index->cells[*link - 1].next;
	return link;
}

void buckets_remove(struct buckets *index, uint32_t position)
{
	*link_to(index, position) = index->cells[position].next;
}

void buckets_rename(struct buckets *index, uint32_t from, uint32_t to)
{
	*link_to(index, from) = to + 1;
	index->cells[to] = index->cells[from];
}
