/*
 * parking - packets that wait for the database: one for each client, in slots made at the
 * start.
 *
 * A retransmission takes the place of the packet before it, so the answer carries the newest
 * xid and goes where the newest packet came from. After the deadline the packet is forgotten: a
 * reply so late would meet a client that has given up or moved on.
 */
#ifndef ROUSE_DHCPD_PARKING_H
#define ROUSE_DHCPD_PARKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/lease.h"
#include "dhcpd/packet.h"

struct parking;

struct parked {
	struct lease_client client;
	uint32_t address; /* that is being recorded; 0 when only a question was asked */
	bool is_unicast;  /* it was sent to us alone */
	size_t interface; /* position in the server's list */
	size_t length;
	uint8_t packet[PACKET_SIZE_MAX];
};

MUST_CHECK enum err parking_open(size_t slots, struct parking **ret_parking);
/* A copy, in place of what the client had there. ERR_SPACE: every slot is taken. */
MUST_CHECK enum err parking_put(struct parking *parking, const struct parked *parked,
				uint64_t deadline_ms);
/* NULL when the client has nothing parked. */
const struct parked *parking_find(const struct parking *parking,
				  const struct lease_client *client);
/* Takes it out, into the caller's. ERR_ABSENT, also when it is past its deadline now. */
MUST_CHECK enum err parking_take(struct parking *parking, const struct lease_client *client,
				 uint64_t now_ms, struct parked *ret_parked);
/* Forgets what is past its deadline; how many there were. */
size_t parking_expire(struct parking *parking, uint64_t now_ms);
size_t parking_count(const struct parking *parking);
void parking_close(struct parking *parking);

#endif
