/*
 * Any octets as a datagram to dhcpd's pure core: parse, decide, encode, and read the reply
 * again.
 *
 * The first octet chooses what the server knows (database up or away, asked or not, unicast);
 * the table is seeded with leases of the clients that the corpus plays, so that renewals,
 * releases and refusals are reached and not only strangers' DISCOVERs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/site.h"
#include "dhcpd/reply.h"
#include "dhcpd/route.h"
#include "tests/unit/lease_storage.h"

#define NET 0x0a4d0000U /* 10.77.0.0 */
#define NOW 1000000U

static struct site_subnet subnets[] = {{.id = 1,
					.net = {NET, 24},
					.routers = {NET + 1},
					.router_count = 1,
					.dns = {NET + 2, NET + 3},
					.dns_count = 2,
					.domain_name = "lab.example",
					.lease_seconds = 3600,
					.menud_urls = "http://10.77.0.1:8080"}};
static struct site_pool pools[] = {{1, NET + 100, NET + 110}};
static struct site_reservation reservations[] = {{{{0x52, 0x54, 0, 0, 0, 3}}, NET + 50, ""}};
static struct host hosts[] = {{.id = 1,
			       .name = "lab-01",
			       .product = "",
			       .state = HOST_ACTIVE,
			       .macs = {{{0x52, 0x54, 0, 0, 0, 1}}},
			       .mac_count = 1}};
static struct site_boot_file files[] = {{0, false, "", "undionly.kpxe"},
					{7, false, "", "ipxe.efi"},
					{16, true, "", "ipxe.efi"}};
static const uint8_t filler[700] = {1, 2, 3};
static struct site_option options[] = {
	{SITE_OPTION_GLOBAL, 0, "", 42, false, filler, 8},
	{SITE_OPTION_GLOBAL, 0, "", 224, false, filler, 700},
	{SITE_OPTION_SUBNET, 1, "", 26, true, filler, 2},
	{SITE_OPTION_CLASS, 0, "ipxe", 119, true, filler, 200},
	{SITE_OPTION_CLASS, 0, "udhcp", 17, false, filler, 90},
	{SITE_OPTION_HOST, 1, "", 121, false, filler, 120},
};
static struct boot_rule rules[] = {{.position = 1,
				    .name = "iPXE",
				    .loader = 1U << BOOT_LOADER_IPXE,
				    .answer = BOOT_SCRIPT,
				    .argument = "",
				    .reason = "script"},
				   {.position = 2,
				    .name = "firmware",
				    .answer = BOOT_FIRST_STAGE,
				    .argument = "",
				    .reason = "first stage"}};
static uint32_t mac_index[16], uuid_index[16], reserved[1];
static struct site_setting settings[] = {{"dhcp_subnet_selection", "true"},
					 {"one_machine_one_address", "true"}};
static struct site site = {.settings = settings,
			   .setting_count = 2,
			   .subnets = subnets,
			   .subnet_count = 1,
			   .pools = pools,
			   .pool_count = 1,
			   .reservations = reservations,
			   .reserved = reserved,
			   .reservation_count = 1,
			   .options = options,
			   .option_count = 6,
			   .hosts = hosts,
			   .host_count = 1,
			   .boot_files = files,
			   .boot_file_count = 3,
			   .rules = rules,
			   .rule_count = 2,
			   .mac_index = mac_index,
			   .uuid_index = uuid_index,
			   .index_size = 16};

LEASE_STORAGE(storage, 32);
static union lease_box boxes[2];
static struct inquiry_table inquiries; /* none is under way */
static struct lease_table table;

static void seed(void)
{
	static const enum lease_state states[] = {LEASE_BOUND, LEASE_RELEASED, LEASE_DECLINED,
						  LEASE_EXPIRED, LEASE_OFFERED};
	size_t bad;

	memset(mac_index, 0, sizeof(mac_index));
	if (site_index(&site, &bad) != ERR_OK)
		abort();
	lease_table_init(&table, &storage, (struct hash_key){3, 4});
	lease_table_add_boxes(&table, boxes, 2);
	for (uint8_t i = 1; i <= 10; i++) {
		struct lease_client client = {7, {1, 0x52, 0x54, 0, 0, 0, i}};
		struct lease lease = {
			.address = NET + 99 + i,
			.state = states[i % 5],
			.ends_ms = NOW + (i % 3) * 500000U,
			.held_ms = i % 2 ? NOW + 500 : 0,
			.client = lease_key_of(&client),
		};

		if (lease_put(&table, &lease) != ERR_OK)
			abort();
	}
}

static void check_reply(const struct packet *packet, const struct decide_verdict *verdict)
{
	uint8_t *buffer = malloc(packet_reply_max(packet));
	struct reply reply;
	struct packet again;

	if (!buffer)
		abort();
	if (reply_encode(packet, verdict, buffer, &reply) == ERR_OK) {
		if (reply.length < PACKET_SIZE_MIN || reply.length > packet_reply_max(packet) ||
		    packet_parse(buffer, reply.length, &again) != ERR_OK ||
		    again.message != reply.message || again.xid != packet->xid)
			abort();
		(void)route_reply(packet, reply.message, reply.yiaddr);
	}
	free(buffer);
}

static void check_verdict(const struct decide_question *question,
			  const struct decide_verdict *verdict)
{
	const struct lease *lease = lease_at(question->leases, verdict->address);

	if (verdict->reason[0] == '\0')
		abort();
	if ((verdict->action == DECIDE_PROBE) != (verdict->probe != INUSE_NOT_ASKED) ||
	    (verdict->action == DECIDE_PROBE && verdict->change != DECIDE_HOLD))
		abort();
	if (verdict->action == DECIDE_NAK && !question->is_database_up)
		abort();
	if (verdict->change != DECIDE_HOLD && verdict->change != DECIDE_GRANT)
		return;
	/* nothing is promised that another has, or that no operator permits */
	if (!question->is_database_up ||
	    !lease_is_free_for(lease, &verdict->client, question->now_ms, 60000))
		abort();
	if (verdict->address != NET + 50 &&
	    (verdict->address < NET + 100 || verdict->address > NET + 110))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decide_verdict verdict;
	struct packet packet;
	struct decide_question question = {
		.site = &site,
		.leases = &table,
		.inquiries = &inquiries,
		.packet = &packet,
		.now_ms = NOW,
		.server = NET + 1,
	};

	if (size == 0 || packet_parse(data + 1, size - 1, &packet) != ERR_OK)
		return 0;
	question.is_database_up = !(data[0] & 1);
	question.has_asked = !(data[0] & 2);
	question.is_unicast = data[0] & 4;
	subnets[0].probe = data[0] & 16 ? SITE_PROBE_AUTO : SITE_PROBE_OFF;
	settings[1].value = data[0] & 8 ? "false" : "true";
	seed();
	decide(&question, &verdict);
	check_verdict(&question, &verdict);
	check_reply(&packet, &verdict);
	return 0;
}
