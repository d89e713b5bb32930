/*
 * simnet - a network that loses, doubles, reorders and delays datagrams, on a simulated clock.
 *
 *	simnet_open(&net, seed, weather);
 *	simnet_post(&net, true, &packet);			to the client
 *	while (simnet_take(&net, &datagram))			what has arrived by net.now_ms
 *		...
 *	simnet_close(&net);
 */
#ifndef ROUSE_TESTS_SIMNET_H
#define ROUSE_TESTS_SIMNET_H

#include "unit.h"

#include <stdlib.h>

#include "core/bytes.h"
#include "tftpd/packet.h"

#define SIMNET_FLIGHT_MAX 4096
#define SIMNET_DATAGRAM_MAX 1600

struct weather {
	unsigned loss, doubling; /* of a hundred datagrams */
	unsigned jitter_ms;	 /* 1 + up to so much on the way: reorders */
};

struct datagram {
	uint64_t at_ms;
	uint64_t number; /* in the order of sending */
	bool is_for_client;
	size_t length;
	uint8_t data[SIMNET_DATAGRAM_MAX];
};

struct simnet {
	uint32_t random;
	struct weather weather;
	uint64_t now_ms;
	struct datagram *flight;
	size_t count;
	uint64_t posted, sent_by_server;
};

static inline void simnet_open(struct simnet *net, uint32_t seed, struct weather weather)
{
	*net = (struct simnet){.random = seed * 2654435761U + 1,
			       .weather = weather,
			       .flight = calloc(SIMNET_FLIGHT_MAX, sizeof(struct datagram))};
	assert_non_null(net->flight);
}

static inline void simnet_close(struct simnet *net)
{
	free(net->flight);
}

static inline uint32_t simnet_random(struct simnet *net, uint32_t limit)
{
	net->random ^= net->random << 13;
	net->random ^= net->random >> 17;
	net->random ^= net->random << 5;
	return net->random % limit;
}

static inline void simnet_post(struct simnet *net, bool is_for_client,
			       const struct bytes_writer *packet)
{
	unsigned copies = 1 + (simnet_random(net, 100) < net->weather.doubling);

	assert_false(packet->failed);
	net->sent_by_server += is_for_client;
	for (unsigned i = 0; i < copies; i++) {
		struct datagram *slot = &net->flight[net->count];

		if (simnet_random(net, 100) < net->weather.loss)
			continue;
		assert_true(net->count < SIMNET_FLIGHT_MAX);
		slot->at_ms = net->now_ms + 1 + simnet_random(net, net->weather.jitter_ms + 1);
		slot->number = net->posted++;
		slot->is_for_client = is_for_client;
		slot->length = packet->length;
		memcpy(slot->data, packet->start, packet->length);
		net->count++;
	}
}

/* The datagram that arrives first, in the order of sending within one millisecond. */
static inline size_t simnet_earliest(const struct simnet *net)
{
	size_t best = 0;

	for (size_t i = 1; i < net->count; i++) {
		const struct datagram *a = &net->flight[i];
		const struct datagram *b = &net->flight[best];

		if (a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->number < b->number))
			best = i;
	}
	return best;
}

/* When the next one arrives; UINT64_MAX: nothing is on its way. */
static inline uint64_t simnet_next(const struct simnet *net)
{
	return net->count > 0 ? net->flight[simnet_earliest(net)].at_ms : UINT64_MAX;
}

/* What a client asks for, written and read as it travels. */
static inline struct packet_options simnet_request(enum packet_opcode opcode,
						   uint16_t windowsize, uint16_t blksize)
{
	uint8_t buffer[100];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));
	struct packet_request parsed;

	bytes_put_u16(&out, (uint16_t)opcode);
	bytes_put(&out, "file\0octet", 11);
	if (windowsize > 1)
		packet_write_option(&out, "windowsize", windowsize);
	if (blksize != PACKET_BLKSIZE_DEFAULT)
		packet_write_option(&out, "blksize", blksize);
	assert_int_equal(packet_parse_request(buffer, out.length, &parsed), ERR_OK);
	return parsed.options;
}

static inline bool simnet_take(struct simnet *net, struct datagram *ret_datagram)
{
	size_t i;

	if (simnet_next(net) > net->now_ms)
		return false;
	i = simnet_earliest(net);
	*ret_datagram = net->flight[i];
	net->flight[i] = net->flight[--net->count];
	return true;
}

#endif
