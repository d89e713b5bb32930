#include "dhcpd/parking.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct slot {
	struct parked parked;
	uint64_t deadline_ms;
	struct slot *next_free;
	UT_hash_handle hh;
};

struct parking {
	struct slot *slots;
	struct slot *free;
	struct slot *by_client;
};

enum err parking_open(size_t slots, struct parking **ret_parking)
{
	struct parking *parking = calloc(1, sizeof(*parking));

	if (!parking)
		return ERR_MEMORY;
	parking->slots = calloc(slots, sizeof(*parking->slots));
	if (!parking->slots) {
		free(parking);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < slots; i++) {
		parking->slots[i].next_free = parking->free;
		parking->free = &parking->slots[i];
	}
	*ret_parking = parking;
	return ERR_OK;
}

static struct slot *find(const struct parking *parking, const struct lease_client *client)
{
	struct slot *slot;

	HASH_FIND(hh, parking->by_client, client->octets, client->length, slot);
	return slot;
}

enum err parking_put(struct parking *parking, const struct parked *parked, uint64_t deadline_ms)
{
	struct slot *slot = find(parking, &parked->client);

	if (slot) {
		slot->parked = *parked;
		slot->deadline_ms = deadline_ms;
		return ERR_OK;
	}
	slot = parking->free;
	if (!slot)
		return ERR_SPACE;
	parking->free = slot->next_free;
	slot->parked = *parked;
	slot->deadline_ms = deadline_ms;
	HASH_ADD_KEYPTR(hh, parking->by_client, slot->parked.client.octets,
			slot->parked.client.length, slot);
	return ERR_OK;
}

static void release(struct parking *parking, struct slot *slot)
{
	HASH_DELETE(hh, parking->by_client, slot);
	slot->next_free = parking->free;
	parking->free = slot;
}

const struct parked *parking_find(const struct parking *parking,
				  const struct lease_client *client)
{
	const struct slot *slot = find(parking, client);

	return slot ? &slot->parked : NULL;
}

enum err parking_take(struct parking *parking, const struct lease_client *client,
		      uint64_t now_ms, struct parked *ret_parked)
{
	struct slot *slot = find(parking, client);

	/* parking_expire() counts it, and may not have come yet */
	if (!slot || slot->deadline_ms <= now_ms)
		return ERR_ABSENT;
	*ret_parked = slot->parked;
	release(parking, slot);
	return ERR_OK;
}

size_t parking_expire(struct parking *parking, uint64_t now_ms)
{
	struct slot *slot, *next;
	size_t count = 0;

	HASH_ITER(hh, parking->by_client, slot, next)
	{
		if (slot->deadline_ms <= now_ms) {
			release(parking, slot);
			count++;
		}
	}
	return count;
}

size_t parking_count(const struct parking *parking)
{
	return HASH_COUNT(parking->by_client);
}

void parking_close(struct parking *parking)
{
	if (!parking)
		return;
	HASH_CLEAR(hh, parking->by_client);
	free(parking->slots);
	free(parking);
}
