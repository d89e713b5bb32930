/*
 * A site and requests for the tests of dhcpd's pure files: subnet 10.77.0.0/24 with a pool of
 * eight addresses, one reservation, one disabled host.
 */
#ifndef ROUSE_TESTS_DHCP_SAMPLES_H
#define ROUSE_TESTS_DHCP_SAMPLES_H

#include "unit.h"

#include "core/site.h"
#include "dhcpd/decide.h"
#include "dhcpd/option.h"
#include "dhcpd/packet.h"
#include "lease_storage.h"

#define IP(a, b, c, d)                                                                         \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define SERVER IP(10, 77, 0, 1)
#define POOL_FIRST IP(10, 77, 0, 100)
#define POOL_LAST IP(10, 77, 0, 107)
#define RESERVED IP(10, 77, 0, 50)
#define LEASES_MAX 64

static struct site_subnet sample_subnets[] = {
	{.id = 1,
	 .net = {IP(10, 77, 0, 0), 24},
	 .routers = {SERVER},
	 .router_count = 1,
	 .dns = {IP(10, 77, 0, 2), IP(10, 77, 0, 3)},
	 .dns_count = 2,
	 .domain_name = "lab.example",
	 .lease_seconds = 3600,
	 .menud_urls = ""},
	{.id = 2,
	 .net = {IP(10, 88, 0, 0), 24},
	 .domain_name = "",
	 .lease_seconds = 600,
	 .menud_urls = ""},
};
static struct site_pool sample_pools[] = {{1, POOL_FIRST, POOL_LAST},
					  {2, IP(10, 88, 0, 10), IP(10, 88, 0, 20)}};
/* sorted by card */
static struct site_reservation sample_reservations[] = {
	{{{0x52, 0x54, 0, 0, 0, 0x50}}, RESERVED, "printer"},
	{{{0x52, 0x54, 0, 0, 0, 0x51}}, IP(10, 77, 0, 103), ""},
};
static struct host sample_hosts[] = {
	{.id = 1,
	 .name = "lab-01",
	 .product = "Z840",
	 .state = HOST_ACTIVE,
	 .macs = {{{0x52, 0x54, 0, 0, 0, 1}}},
	 .mac_count = 1},
	{.id = 2,
	 .name = "lab-02",
	 .product = "",
	 .state = HOST_DISABLED,
	 .macs = {{{0x52, 0x54, 0, 0, 0, 2}}},
	 .mac_count = 1},
};
static struct site_boot_file sample_boot_files[] = {
	{0, false, "", "undionly.kpxe"},
	{7, false, "", "ipxe.efi"},
	{7, false, "Z840", "snponly.efi"},
	{16, true, "", "efi/ipxe x64.efi"},
};
static struct boot_rule sample_rules[] = {
	{.position = 100,
	 .name = "out of service",
	 .host_state = 1U << HOST_DISABLED | 1U << HOST_RETIRED,
	 .answer = BOOT_NOTHING,
	 .argument = "",
	 .reason = "the host is disabled or retired"},
	{.position = 200,
	 .name = "iPXE",
	 .stage = 1U << BOOT_STAGE_DHCP,
	 .loader = 1U << BOOT_LOADER_IPXE,
	 .answer = BOOT_SCRIPT,
	 .argument = "",
	 .reason = "iPXE needs its script"},
	{.position = 300,
	 .name = "firmware",
	 .stage = 1U << BOOT_STAGE_DHCP,
	 .answer = BOOT_FIRST_STAGE,
	 .argument = "",
	 .reason = "firmware needs a first stage"},
};
static uint32_t sample_reserved[2];
static uint32_t sample_index[2][16];
static struct site sample_site;

LEASE_STORAGE(sample_storage, LEASES_MAX);
static union lease_box sample_boxes[4];
static struct lease_table sample_table;

/* A fresh site and an empty table. */
static inline int sample_setup(void **state)
{
	size_t bad;

	(void)state;
	memset(sample_index, 0, sizeof(sample_index));
	sample_site = (struct site){
		.subnets = sample_subnets,
		.subnet_count = 2,
		.pools = sample_pools,
		.pool_count = 2,
		.reservations = sample_reservations,
		.reserved = sample_reserved,
		.reservation_count = 2,
		.hosts = sample_hosts,
		.host_count = 2,
		.boot_files = sample_boot_files,
		.boot_file_count = 4,
		.rules = sample_rules,
		.rule_count = 3,
		.mac_index = sample_index[0],
		.uuid_index = sample_index[1],
		.index_size = 16,
	};
	assert_int_equal(site_index_size(&sample_site), 16);
	assert_int_equal(site_index(&sample_site, &bad), ERR_OK);
	lease_table_init(&sample_table, &sample_storage, (struct hash_key){1, 2});
	lease_table_add_boxes(&sample_table, sample_boxes, 4);
	return 0;
}

/* A request in the making. */
struct sample {
	uint8_t data[PACKET_SIZE_MAX];
	struct bytes_writer out;
};

static inline void sample_header(struct sample *sample, uint8_t last_of_mac, uint16_t flags,
				 uint32_t ciaddr, uint32_t giaddr)
{
	uint8_t chaddr[16] = {0x52, 0x54, 0, 0, 0, last_of_mac};
	struct packet_header header = {
		.op = PACKET_BOOTREQUEST,
		.htype = 1,
		.hlen = 6,
		.xid = 0x11223344,
		.flags = flags,
		.ciaddr = ciaddr,
		.giaddr = giaddr,
		.chaddr = chaddr,
		.file = "",
	};

	sample->out = bytes_writer(sample->data, sizeof(sample->data));
	packet_put_header(&sample->out, &header);
}

static inline void sample_begin(struct sample *sample, enum packet_message message,
				uint8_t last_of_mac)
{
	sample_header(sample, last_of_mac, 0, 0, 0);
	assert_true(option_put_u8(&sample->out, OPTION_MESSAGE_TYPE, (uint8_t)message));
}

static inline void sample_text(struct sample *sample, uint8_t code, const char *text)
{
	assert_true(option_put_text(&sample->out, code, text));
}

static inline void sample_u32(struct sample *sample, uint8_t code, uint32_t value)
{
	assert_true(option_put_u32(&sample->out, code, value));
}

/* PXE firmware, as OVMF and vendors' ROMs introduce themselves. */
static inline void sample_firmware(struct sample *sample, const char *class, uint16_t arch)
{
	uint8_t code[2] = {(uint8_t)(arch >> 8), (uint8_t)arch};

	sample_text(sample, OPTION_VENDOR_CLASS, class);
	assert_true(option_put(&sample->out, OPTION_CLIENT_ARCH, code, sizeof(code)));
}

static inline void sample_end(struct sample *sample, struct packet *ret_packet)
{
	bytes_put_u8(&sample->out, OPTION_END);
	assert_false(sample->out.failed);
	assert_int_equal(packet_parse(sample->data, sample->out.length, ret_packet), ERR_OK);
}

static inline struct lease_client sample_client(uint8_t last_of_mac)
{
	return (struct lease_client){7, {1, 0x52, 0x54, 0, 0, 0, last_of_mac}};
}

/* A lease as the database would have it. */
static inline void sample_lease(uint8_t last_of_mac, uint32_t address, enum lease_state state,
				uint64_t ends_ms)
{
	struct lease_client client = sample_client(last_of_mac);
	struct lease lease = {
		.address = address,
		.state = state,
		.ends_ms = ends_ms,
		.has_mac = true,
		.mac = {{0x52, 0x54, 0, 0, 0, last_of_mac}},
		.client = lease_key_of(&client),
	};

	assert_int_equal(lease_put(&sample_table, &lease), ERR_OK);
}

#endif
