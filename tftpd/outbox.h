/*
 * outbox - datagrams on their way out, gathered so that one system call sends many.
 *
 * Everything that one turn of the loop has to say on one socket leaves together. What the
 * kernel does not take is not waited for: on_unsent() is told, and the transfer sends it a
 * little later. A window is one entry: the kernel cuts it into its blocks.
 */
#ifndef ROUSE_TFTPD_OUTBOX_H
#define ROUSE_TFTPD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/udp.h"
#include "tftpd/transfer.h"

/* Room for some windows, one of them as large as a datagram can be; still in the processor's
 * cache. */
#define OUTBOX_BYTES ((size_t)192 * 1024)

struct outbox {
	struct udp *socket; /* where the gathered ones leave */
	struct udp_datagram datagrams[UDP_BATCH];
	struct transfer *owners[UDP_BATCH]; /* whose DATA it is; NULL for anything else */
	size_t count;
	size_t used;	 /* of bytes */
	uint64_t unsent; /* datagrams that the kernel did not take, in all */
	/* The last `blocks` of what the transfer sent were not taken: to be sent again soon. */
	void (*on_unsent)(void *data, struct transfer *transfer, unsigned blocks);
	void *data;
	uint8_t bytes[OUTBOX_BYTES];
};

/* Room for up to `length` octets on that socket; valid until outbox_add(). */
uint8_t *outbox_room(struct outbox *outbox, struct udp *socket, size_t length);
/*
 * Adds what was written there. `where` gives peer, local, interface and segment; data and
 * length are set here. `owner` is NULL unless it is a block of DATA.
 */
void outbox_add(struct outbox *outbox, const struct udp_datagram *where, size_t length,
		struct transfer *owner);
/* Sends all. */
void outbox_flush(struct outbox *outbox);

#endif
