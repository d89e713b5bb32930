#include "dhcpd/inquiry.h"

/* The client's position, or `count`. */
static size_t position_of(const struct inquiry_table *table, const struct lease_client *client)
{
	size_t at = 0;

	while (at < table->count && !lease_client_equal(&table->entries[at].client, client))
		at++;
	return at;
}

const struct inquiry *inquiry_of(const struct inquiry_table *table,
				 const struct lease_client *client)
{
	size_t at = position_of(table, client);

	return at < table->count ? &table->entries[at] : NULL;
}

bool inquiry_has_room(const struct inquiry_table *table)
{
	return table->count < INQUIRY_MAX;
}

enum err inquiry_put(struct inquiry_table *table, const struct inquiry *inquiry)
{
	size_t at = position_of(table, &inquiry->client);

	if (at == INQUIRY_MAX)
		return ERR_SPACE;
	if (at == table->count)
		table->count++;
	table->entries[at] = *inquiry;
	return ERR_OK;
}

const struct inquiry *inquiry_hit_by(const struct inquiry_table *table,
				     const struct inuse_answer *answer)
{
	enum inuse_way way = answer->has_mac ? INUSE_ARP : INUSE_ICMP;

	for (size_t i = 0; i < table->count; i++) {
		const struct inquiry *inquiry = &table->entries[i];

		if (inquiry->address == answer->address && inquiry->way == way &&
		    !(answer->has_mac && inquiry->has_mac &&
		      mac_equal(&answer->mac, &inquiry->mac)))
			return inquiry;
	}
	return NULL;
}

enum err inquiry_take(struct inquiry_table *table, const struct lease_client *client,
		      struct inquiry *ret_inquiry)
{
	size_t at = position_of(table, client);

	if (at == table->count)
		return ERR_ABSENT;
	*ret_inquiry = table->entries[at];
	/* the last one takes its place, so that they stay packed */
	table->entries[at] = table->entries[--table->count];
	return ERR_OK;
}
