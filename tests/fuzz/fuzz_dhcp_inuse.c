/*
 * Any octets as an answer to the question whether an address is in use: an ARP packet, an IPv4
 * packet with an echo reply, and what the inquiries under way make of it.
 *
 * The first octet chooses which of the two it is.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dhcpd/inquiry.h"

#define TOKEN 0x1122334455667788U
#define FIRST 0x0a4d0014U /* 10.77.0.20 */

static struct inquiry_table table;

static void seed(void)
{
	table.count = 0;
	for (uint8_t i = 0; i < 4; i++) {
		struct inquiry inquiry = {
			.client = {7, {1, 0x52, 0x54, 0, 0, 0, i}},
			.has_mac = true,
			.mac = {{0x52, 0x54, 0, 0, 0, i}},
			.address = FIRST + i,
			.way = i % 2 ? INUSE_ICMP : INUSE_ARP,
		};

		if (inquiry_put(&table, &inquiry) != ERR_OK)
			abort();
	}
}

static void check(const struct inuse_answer *answer)
{
	const struct inquiry *hit = inquiry_hit_by(&table, answer);
	struct inquiry taken;

	if (answer->address == 0)
		abort();
	if (!hit)
		return;
	if (hit->address != answer->address || answer->has_mac != (hit->way == INUSE_ARP) ||
	    (answer->has_mac && mac_equal(&answer->mac, &hit->mac)))
		abort();
	if (inquiry_take(&table, &hit->client, &taken) != ERR_OK || table.count != 3 ||
	    inquiry_of(&table, &taken.client))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inuse_answer answer;
	enum err err;

	if (size == 0)
		return 0;
	seed();
	if (data[0] & 1)
		err = inuse_read_echo(data + 1, size - 1, TOKEN, &answer);
	else
		err = inuse_read_arp(data + 1, size - 1, &answer);
	if (err == ERR_OK)
		check(&answer);
	return 0;
}
