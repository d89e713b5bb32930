#include "tftpd/outbox.h"

#include <assert.h>

/* How many blocks an entry is. */
static unsigned blocks_of(const struct udp_datagram *datagram)
{
	if (datagram->segment == 0)
		return 1;
	return (unsigned)((datagram->length + datagram->segment - 1) / datagram->segment);
}

/* The datagrams from `first` on were not taken: their transfers send them again soon. */
static void hold_rest(struct outbox *outbox, size_t first)
{
	for (size_t i = first; i < outbox->count;) {
		struct transfer *owner = outbox->owners[i];
		unsigned blocks = 0;

		while (i < outbox->count && outbox->owners[i] == owner)
			blocks += blocks_of(&outbox->datagrams[i++]);
		outbox->unsent += blocks;
		if (owner && !owner->is_ended)
			outbox->on_unsent(outbox->data, owner, blocks);
	}
}

void outbox_flush(struct outbox *outbox)
{
	size_t taken;

	if (outbox->count == 0)
		return;
	taken = udp_send(outbox->socket, outbox->datagrams, outbox->count);
	if (taken < outbox->count)
		hold_rest(outbox, taken);
	outbox->count = 0;
	outbox->used = 0;
}

uint8_t *outbox_room(struct outbox *outbox, struct udp *socket, size_t length)
{
	assert(length <= OUTBOX_BYTES);
	if (socket != outbox->socket || outbox->count == UDP_BATCH ||
	    outbox->used + length > OUTBOX_BYTES)
		outbox_flush(outbox);
	outbox->socket = socket;
	return outbox->bytes + outbox->used;
}

void outbox_add(struct outbox *outbox, const struct udp_datagram *where, size_t length,
		struct transfer *owner)
{
	struct udp_datagram *datagram = &outbox->datagrams[outbox->count];

	*datagram = *where;
	datagram->data = outbox->bytes + outbox->used;
	datagram->length = length;
	outbox->owners[outbox->count++] = owner;
	outbox->used += length;
}
