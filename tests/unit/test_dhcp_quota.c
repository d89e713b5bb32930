/* Limits to the addresses of a group: behind one port of a switch, with one prefix of the MAC.
 */
#include "test_dhcp_samples.h"

#include <stdio.h>

#include "dhcpd/fresh.h"

#define NOW 100000U
#define RELAY IP(10, 77, 0, 254)

static struct quotas quotas;
static struct decide_verdict verdict;
static struct site_setting settings[] = {{"dhcp_port_addresses_max", "2"}};

/* A DISCOVER of this machine by a relay that names the port; its verdict, carried out. */
static enum decide_action discover(uint8_t mac, const char *circuit, uint64_t now_ms)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.quotas = &quotas,
		.packet = &packet,
		.now_ms = now_ms,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	sample_header(&sample, mac, 0, 0, RELAY);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER));
	if (circuit) {
		char agent[32] = {1, (char)strlen(circuit)};

		memcpy(agent + 2, circuit, strlen(circuit));
		assert_true(option_put(&sample.out, OPTION_RELAY_AGENT, agent,
				       strlen(circuit) + 2));
	}
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	if (verdict.action == DECIDE_OFFER) {
		sample_lease(mac, verdict.address, LEASE_BOUND, now_ms + 60000);
		fresh_note(&quotas, &question, &verdict);
	}
	return verdict.action;
}

static int setup(void **state)
{
	memset(&quotas, 0, sizeof(quotas));
	(void)sample_setup(state);
	sample_site.settings = settings;
	sample_site.setting_count = 1;
	return 0;
}

static void a_port_gets_so_many_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(discover(21, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(22, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(23, "eth1", NOW), DECIDE_SILENT);
	/* who has one keeps it, a port beside it and a relay without ports are untouched */
	assert_int_equal(discover(22, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(23, "eth2", NOW), DECIDE_OFFER);
	assert_int_equal(discover(24, NULL, NOW), DECIDE_OFFER);
	assert_int_equal(discover(25, NULL, NOW), DECIDE_OFFER);
	/* once they have ended, others may */
	assert_int_equal(discover(26, "eth1", NOW + 200000), DECIDE_OFFER);
	assert_int_equal(discover(27, "eth1", NOW + 200000), DECIDE_OFFER);
	assert_int_equal(discover(28, "eth1", NOW + 200000), DECIDE_SILENT);
}

/* A flood need not ask for offers: a REQUEST of a fresh address counts as well. */
static void a_request_without_an_offer_is_no_way_around(void **state)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.quotas = &quotas,
		.packet = &packet,
		.now_ms = NOW,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};

	(void)state;
	assert_int_equal(discover(21, "eth1", NOW), DECIDE_OFFER);
	sample_header(&sample, 23, 0, 0, RELAY);
	assert_true(option_put_u8(&sample.out, OPTION_MESSAGE_TYPE, PACKET_REQUEST));
	sample_u32(&sample, OPTION_SERVER_ID, SERVER);
	sample_u32(&sample, OPTION_REQUESTED_ADDRESS,
		   verdict.address == POOL_LAST ? POOL_FIRST : POOL_LAST);
	assert_true(option_put(&sample.out, OPTION_RELAY_AGENT,
			       "\x01\x04"
			       "eth1",
			       6));
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	assert_int_equal(verdict.action, DECIDE_ACK);
	settings[0].value = "1";
	decide(&question, &verdict);
	settings[0].value = "2";
	assert_int_equal(verdict.action, DECIDE_NAK);
}

static void a_reserved_address_is_no_fresh_one(void **state)
{
	(void)state;
	assert_int_equal(discover(21, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(22, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(discover(0x50, "eth1", NOW), DECIDE_OFFER);
	assert_int_equal(verdict.address, RESERVED);
}

static void zero_is_no_limit(void **state)
{
	(void)state;
	sample_site.setting_count = 0;
	for (uint8_t i = 21; i < 28; i++)
		assert_int_equal(discover(i, "eth1", NOW), DECIDE_OFFER);
}

/* More ports than the table has place for: it forgets, and never writes beyond itself. */
static void more_ports_than_entries(void **state)
{
	char circuit[16];

	(void)state;
	for (unsigned i = 0; i < 3 * QUOTA_GROUPS; i++) {
		(void)snprintf(circuit, sizeof(circuit), "port %u", i);
		assert_int_equal(discover(21, circuit, NOW), DECIDE_OFFER);
	}
}

/* --- by the MAC's prefix --- */

/* A DISCOVER of any card, without a relay; the verdict carried out. */
static enum decide_action discover_card(const struct mac *mac, uint64_t now_ms)
{
	struct sample sample;
	struct packet packet;
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.quotas = &quotas,
		.packet = &packet,
		.now_ms = now_ms,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};
	struct lease lease = {.state = LEASE_BOUND, .ends_ms = NOW + 60000};

	sample_begin(&sample, PACKET_DISCOVER, 0);
	memcpy(sample.data + 28, mac->octet, 6);
	sample_end(&sample, &packet);
	decide(&question, &verdict);
	if (verdict.action == DECIDE_OFFER) {
		lease.address = verdict.address;
		lease.client = lease_key_of(&verdict.client);
		assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
		fresh_note(&quotas, &question, &verdict);
	}
	return verdict.action;
}

static enum decide_action discover_mac(uint8_t first, uint8_t third, uint8_t last)
{
	return discover_card(&(struct mac){{first, 0x16, third, 0, 0, last}}, NOW);
}

static struct site_setting prefix_setting[] = {{"dhcp_prefix_addresses_max", "2"}};

static int setup_prefix(void **state)
{
	(void)setup(state);
	sample_site.settings = prefix_setting;
	return 0;
}

static void a_prefix_gets_so_many_and_no_more(void **state)
{
	struct mac late = {{0, 0x16, 0x36, 0, 0, 9}};

	(void)state;
	assert_int_equal(discover_mac(0, 0x36, 1), DECIDE_OFFER);
	assert_int_equal(discover_mac(0, 0x36, 2), DECIDE_OFFER);
	assert_int_equal(discover_mac(0, 0x36, 3), DECIDE_SILENT);
	assert_non_null(strstr(verdict.reason, "dhcp_prefix_addresses_max"));
	/* who has one keeps it; the next maker's cards are others */
	assert_int_equal(discover_mac(0, 0x36, 2), DECIDE_OFFER);
	assert_int_equal(discover_mac(0, 0x37, 3), DECIDE_OFFER);
	/* once they have ended, others may */
	assert_int_equal(discover_card(&late, NOW + 200000), DECIDE_OFFER);
}

/* Who makes up addresses makes up their prefix, too. */
static void what_no_maker_gave_is_one_group(void **state)
{
	(void)state;
	assert_int_equal(discover_mac(0x02, 1, 1), DECIDE_OFFER);
	assert_int_equal(discover_mac(0xde, 2, 2), DECIDE_OFFER);
	assert_int_equal(discover_mac(0x06, 3, 3), DECIDE_SILENT);
	assert_int_equal(discover_mac(0x01, 4, 4), DECIDE_SILENT);
	assert_int_equal(discover_mac(0x00, 5, 5), DECIDE_OFFER);
}

/* Nor do they use up what others may have. */
static void known_hosts_and_reservations_are_under_no_limit(void **state)
{
	static const uint8_t before[] = {1, 0x50};
	struct mac card = {{0x52, 0x54, 0, 0, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(before); i++) {
		card.octet[5] = before[i];
		assert_int_equal(discover_card(&card, NOW), DECIDE_OFFER);
	}
	for (uint8_t last = 0x60; last < 0x62; last++) {
		card.octet[5] = last;
		assert_int_equal(discover_card(&card, NOW), DECIDE_OFFER);
	}
	card.octet[5] = 0x62;
	assert_int_equal(discover_card(&card, NOW), DECIDE_SILENT);
	card.octet[5] = 2;
	assert_int_equal(discover_card(&card, NOW), DECIDE_OFFER);
}

/* Else a flood would only have to give back what it takes. */
static void what_is_kept_from_others_counts_also_released_or_declined(void **state)
{
	static const enum lease_state ends[] = {LEASE_RELEASED, LEASE_DECLINED};

	for (size_t i = 0; i < 2; i++) {
		(void)setup_prefix(state);
		assert_int_equal(discover_mac(0, 0x36, 1), DECIDE_OFFER);
		lease_end(&sample_table, verdict.address, ends[i], NOW + 60000);
		assert_int_equal(discover_mac(0, 0x36, 2), DECIDE_OFFER);
		lease_end(&sample_table, verdict.address, ends[i], NOW + 60000);
		assert_int_equal(discover_mac(0, 0x36, 3), DECIDE_SILENT);
	}
	/* its own declines leave a client one address of two */
	assert_int_equal(discover_mac(0, 0x36, 2), DECIDE_OFFER);
}

/* What somebody outside uses was taken by none of the group. */
static void an_address_in_use_elsewhere_counts_for_nobody(void **state)
{
	struct decide_question question = {.leases = &sample_table, .now_ms = NOW};

	(void)state;
	for (uint8_t last = 1; last <= 2; last++) {
		assert_int_equal(discover_mac(0, 0x36, last), DECIDE_OFFER);
		fresh_forget(&quotas, &question, verdict.address);
	}
	assert_int_equal(discover_mac(0, 0x36, 3), DECIDE_OFFER);
	assert_int_equal(discover_mac(0, 0x36, 4), DECIDE_OFFER);
	assert_int_equal(discover_mac(0, 0x36, 5), DECIDE_SILENT);
}

static void a_client_cannot_decline_a_whole_pool(void **state)
{
	(void)state;
	sample_site.setting_count = 0;
	for (uint32_t i = 0; i < FRESH_DECLINES_MAX; i++)
		sample_lease(21, IP(10, 88, 0, 10) + i, LEASE_DECLINED, NOW + 60000);
	assert_int_equal(discover(21, NULL, NOW), DECIDE_SILENT);
	assert_non_null(strstr(verdict.reason, "declined"));
	assert_int_equal(discover(22, NULL, NOW), DECIDE_OFFER);
	assert_int_equal(discover(21, NULL, NOW + 120000), DECIDE_OFFER);
}

/* --- the table --- */

LEASE_STORAGE(many_storage, 1000);
static struct lease_table many;

/* So many live leases, each of a client of its own, at addresses from 1 on. */
static void lease_many(size_t count, uint64_t ends_ms)
{
	lease_table_init(&many, &many_storage, (struct hash_key){5, 6});
	for (size_t i = 0; i < count; i++) {
		struct lease lease = {
			.address = (uint32_t)i + 1,
			.state = LEASE_BOUND,
			.ends_ms = ends_ms,
			.client = {3, {{1, (uint8_t)(i >> 8), (uint8_t)i}}},
		};

		assert_int_equal(lease_put(&many, &lease), ERR_OK);
	}
}

/* Whatever came before, the count is that of the members that live. */
static void a_group_of_hundreds_is_counted_right(void **state)
{
	struct lease_client other = {1, {9}}, own;
	struct quota_now now = {&many, &other, NOW};
	struct quota_table *table = &quotas.prefixes;

	(void)state;
	lease_many(1000, NOW + 1000);
	for (uint32_t address = 1; address <= 1000; address++) {
		quota_note(table, 7, address, &now);
		quota_note(table, 7, address, &now);
		assert_false(quota_is_full(table, 7, address + 1, &now));
	}
	assert_true(quota_is_full(table, 7, 1000, &now));
	assert_false(quota_is_full(table, 8, 1, &now));
	/* the client's own does not count */
	lease_key_copy(&many_storage_leases[500].client, &own);
	now.client = &own;
	assert_false(quota_is_full(table, 7, 1000, &now));
	assert_true(quota_is_full(table, 7, 999, &now));
	/* an address that another group has is no longer this one's */
	quota_note(table, 8, 1, &now);
	assert_true(quota_is_full(table, 8, 1, &now));
	assert_false(quota_is_full(table, 7, 999, &now));
	/* the dead do not count, and give their places to the living */
	now.ms = NOW + 2000;
	assert_false(quota_is_full(table, 7, 1, &now));
	lease_many(10, NOW + 9000);
	for (uint32_t address = 1; address <= 10; address++)
		quota_note(table, 7, address, &now);
	assert_true(quota_is_full(table, 7, 10, &now));
	assert_false(quota_is_full(table, 7, 11, &now));
	for (uint32_t address = 2000; address < 6000; address++)
		quota_note(table, 7, address, &now);
	assert_true(quota_is_full(table, 7, 10, &now));
	assert_true(table->groups[7].count < 100);
}

/* More addresses than the table has place for: it forgets, and stays whole. */
static void more_members_than_places(void **state)
{
	struct lease_client other = {1, {9}};
	struct quota_now now = {&many, &other, NOW};
	struct quota_table *table = &quotas.prefixes;
	size_t linked = 0, used = 0;

	(void)state;
	lease_many(1000, NOW + 1000);
	/* each of a thousand groups has each of the addresses for a while; most never live */
	for (uint32_t i = 0; i < 3 * QUOTA_MEMBERS; i++)
		quota_note(table, 1 + i % 1013, 1 + i % (2 * QUOTA_MEMBERS), &now);
	for (size_t i = 0; i < QUOTA_MEMBERS; i++)
		used += table->members[i].address != 0;
	for (size_t i = 0; i < QUOTA_GROUPS; i++) {
		size_t count = 0;

		for (uint32_t at = table->groups[i].first; at != 0;
		     at = table->members[at - 1].next) {
			assert_int_equal(table->members[at - 1].group, i);
			count++;
		}
		assert_int_equal(count, table->groups[i].count);
		linked += count;
	}
	assert_int_equal(linked, used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_port_gets_so_many_and_no_more, setup),
		cmocka_unit_test_setup(a_request_without_an_offer_is_no_way_around, setup),
		cmocka_unit_test_setup(a_reserved_address_is_no_fresh_one, setup),
		cmocka_unit_test_setup(zero_is_no_limit, setup),
		cmocka_unit_test_setup(more_ports_than_entries, setup),
		cmocka_unit_test_setup(a_prefix_gets_so_many_and_no_more, setup_prefix),
		cmocka_unit_test_setup(what_no_maker_gave_is_one_group, setup_prefix),
		cmocka_unit_test_setup(known_hosts_and_reservations_are_under_no_limit,
				       setup_prefix),
		cmocka_unit_test_setup(
			what_is_kept_from_others_counts_also_released_or_declined,
			setup_prefix),
		cmocka_unit_test_setup(an_address_in_use_elsewhere_counts_for_nobody,
				       setup_prefix),
		cmocka_unit_test_setup(a_client_cannot_decline_a_whole_pool, setup),
		cmocka_unit_test_setup(a_group_of_hundreds_is_counted_right, setup),
		cmocka_unit_test_setup(more_members_than_places, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
