/*
 * inquirer - asks whether addresses are in use before they are offered, and keeps the packets
 * of the clients that wait for it: the sockets and the clock around inquiry.h and inuse.h.
 *
 * An address is asked for twice within the wait (setting dhcp_probe_ms), on the wire of an
 * interface by ARP, elsewhere by ICMP echo. on_result is called once for each inquiry: at the
 * first answer, or when the wait is over without one. A retransmission takes the place of the
 * packet that waits. Nobody else waits meanwhile, and nothing is allocated.
 *
 * The sockets need CAP_NET_RAW only to be opened.
 */
#ifndef ROUSE_DHCPD_INQUIRER_H
#define ROUSE_DHCPD_INQUIRER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/inquiry.h"
#include "dhcpd/link.h"
#include "dhcpd/parking.h"
#include "io/loop.h"

struct inquirer;

struct inquirer_result {
	const struct parked *parked; /* the client's latest packet; its address was asked for */
	const struct inquiry *inquiry;
	const struct inuse_answer *answer; /* NULL: nobody answered */
};

struct inquirer_options {
	struct loop *loop;
	void (*on_result)(void *data, const struct inquirer_result *result);
	void *data;
};

struct inquirer_counts {
	uint64_t asked, in_use;
};

/* A message is written: ERR_SYSTEM, ERR_MEMORY. */
MUST_CHECK enum err inquirer_open(const struct inquirer_options *options,
				  struct inquirer **ret_inquirer);
/* One more interface; they count from 0, as in struct parked. A message is written. */
MUST_CHECK enum err inquirer_add(struct inquirer *inquirer, struct link *link);
/* What is under way. NULL for NULL. */
const struct inquiry_table *inquirer_table(const struct inquirer *inquirer);
/*
 * Asks for parked->address, by `way`, for at most `wait_ms`; or, when that is under way for
 * this client, only takes the newer packet. ERR_SPACE: too many are under way.
 */
MUST_CHECK enum err inquirer_ask(struct inquirer *inquirer, const struct parked *parked,
				 const struct inquiry *inquiry, unsigned wait_ms);
/* The client wants no address from us any more. Accepts NULL. */
void inquirer_forget(struct inquirer *inquirer, const struct lease_client *client);
struct inquirer_counts inquirer_counts(const struct inquirer *inquirer);
/* Frees it when libuv has let go of it. Accepts NULL. */
void inquirer_close(struct inquirer *inquirer);

#endif
