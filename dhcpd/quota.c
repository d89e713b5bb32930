#include "dhcpd/quota.h"

#include "dhcpd/relay.h"

#define PROBES 8
#define SWEEP_LEAST 32
#define PORT_WORDS_MAX (4 + 1 + 255 + 255)
/* of a MAC's first octet: no maker gave it (IEEE 802-2014 section 8.2) */
#define MAC_LOCAL 2

static uint64_t key_of(const struct quota_table *table, const uint8_t *words, size_t length)
{
	uint64_t key = hash_octets(&table->seed, words, length);

	return key != 0 ? key : 1;
}

uint64_t quota_key_of_port(const struct quota_table *table, const struct packet *packet)
{
	struct relay_info relay = relay_read(packet);
	uint8_t words[PORT_WORDS_MAX];
	struct bytes_writer out = bytes_writer(words, sizeof(words));

	if (!relay.circuit_id && !relay.remote_id)
		return 0;
	bytes_put_u32(&out, packet->giaddr);
	bytes_put_u8(&out, (uint8_t)relay.circuit_length);
	if (relay.circuit_length > 0)
		bytes_put(&out, relay.circuit_id, relay.circuit_length);
	if (relay.remote_length > 0)
		bytes_put(&out, relay.remote_id, relay.remote_length);
	return key_of(table, words, out.length);
}

uint64_t quota_key_of_prefix(const struct quota_table *table, const struct mac *mac)
{
	static const uint8_t no_maker[3] = {MAC_LOCAL};
	bool has_maker = mac && !(mac->octet[0] & MAC_LOCAL);

	return key_of(table, has_maker ? mac->octet : no_maker, sizeof(no_maker));
}

/* The group of this key, or the place for it: free, or without members, or any. */
static size_t group_at(const struct quota_table *table, uint64_t key)
{
	size_t place = key % QUOTA_GROUPS;

	for (size_t i = 0; i < PROBES; i++) {
		size_t at = (key + i) % QUOTA_GROUPS;

		if (table->groups[at].key == key || table->groups[at].key == 0)
			return at;
		if (table->groups[at].count == 0 && table->groups[place].count > 0)
			place = at;
	}
	return place;
}

/*
 * The lease that keeps an address from others, or NULL. One that was released or declined does
 * so, too, until its end: otherwise a flood would only have to give back what it takes.
 */
static const struct lease *live(uint32_t address, const struct quota_now *now)
{
	const struct lease *lease = address != 0 ? lease_at(now->leases, address) : NULL;

	if (!lease || (!lease_is_held(lease, now->ms) &&
		       (lease->state == LEASE_OFFERED || lease->ends_ms <= now->ms)))
		return NULL;
	return lease;
}

/* The member of this address, or the place for it: free or dead, or any. */
static uint32_t member_at(const struct quota_table *table, uint32_t address,
			  const struct quota_now *now)
{
	uint8_t octets[4];
	struct bytes_writer out = bytes_writer(octets, sizeof(octets));
	uint32_t home, place;
	bool is_found = false;

	bytes_put_u32(&out, address);
	home = (uint32_t)(hash_octets(&table->seed, octets, sizeof(octets)) % QUOTA_MEMBERS);
	place = home;
	for (uint32_t i = 0; i < PROBES; i++) {
		uint32_t at = (home + i) % QUOTA_MEMBERS;

		if (table->members[at].address == address)
			return at;
		if (!is_found && !live(table->members[at].address, now)) {
			place = at;
			is_found = true;
		}
	}
	return place;
}

static void unlink_member(struct quota_table *table, uint32_t at)
{
	struct quota_member *member = &table->members[at];
	struct quota_group *group = &table->groups[member->group];

	if (member->before != 0)
		table->members[member->before - 1].next = member->next;
	else
		group->first = member->next;
	if (member->next != 0)
		table->members[member->next - 1].before = member->before;
	member->address = 0;
	group->count--;
}

static void link_member(struct quota_table *table, uint32_t at, size_t group_position,
			uint32_t address)
{
	struct quota_group *group = &table->groups[group_position];

	table->members[at] = (struct quota_member){
		.address = address, .group = (uint32_t)group_position, .next = group->first};
	if (group->first != 0)
		table->members[group->first - 1].before = at + 1;
	group->first = at + 1;
	group->count++;
}

/* Takes out the members that `now` knows to be dead, or all without it. */
static void sweep(struct quota_table *table, struct quota_group *group,
		  const struct quota_now *now)
{
	uint32_t next;

	for (uint32_t at = group->first; at != 0; at = next) {
		next = table->members[at - 1].next;
		if (!now || !live(table->members[at - 1].address, now))
			unlink_member(table, at - 1);
	}
	/* so that the next one is due after as many notes as it costs */
	group->sweep_at = 2 * group->count + SWEEP_LEAST;
}

bool quota_is_full(const struct quota_table *table, uint64_t key, size_t most,
		   const struct quota_now *now)
{
	const struct quota_group *group = &table->groups[group_at(table, key)];
	const struct lease *lease;
	size_t count = 0;

	if (key == 0 || group->key != key || group->count < most)
		return false;
	for (uint32_t at = group->first; at != 0 && count < most;
	     at = table->members[at - 1].next) {
		lease = live(table->members[at - 1].address, now);
		count += lease && !lease_is_of(lease, now->client);
	}
	return count >= most;
}

void quota_note(struct quota_table *table, uint64_t key, uint32_t address,
		const struct quota_now *now)
{
	size_t position = group_at(table, key);
	struct quota_group *group = &table->groups[position];
	uint32_t at;

	if (key == 0)
		return;
	if (group->key != key) {
		sweep(table, group, NULL);
		group->key = key;
	}
	at = member_at(table, address, now);
	if (table->members[at].address == address && table->members[at].group == position)
		return;
	if (table->members[at].address != 0)
		unlink_member(table, at);
	if (group->count >= group->sweep_at)
		sweep(table, group, now);
	link_member(table, at, position, address);
}

void quota_forget(struct quota_table *table, uint32_t address, const struct quota_now *now)
{
	uint32_t at = member_at(table, address, now);

	if (address != 0 && table->members[at].address == address)
		unlink_member(table, at);
}
