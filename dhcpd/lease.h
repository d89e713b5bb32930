/*
 * lease - who has an address and until when, and by which key its client is known. Times are
 * milliseconds on the caller's monotonic clock.
 *
 *	const struct lease *lease = lease_at(&table, address);
 *	if (lease && lease_is_of(lease, &client) && lease_is_bound(lease, now_ms))
 */
#ifndef ROUSE_DHCPD_LEASE_H
#define ROUSE_DHCPD_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip4.h"
#include "core/mac.h"
#include "dhcpd/packet.h"

#define LEASE_CLIENT_MAX 256
#define LEASE_LAG_MS 600000 /* more than any standby lags behind and is still promoted */

/* A client's key, as the database has it: ff and option 61, or hardware type and address. */
struct lease_client {
	uint16_t length;
	uint8_t octets[LEASE_CLIENT_MAX];
};

/*
 * The same key within a lease, or a view of one that lives elsewhere. Nearly all are short: a
 * card's has 7 octets, a system's identifier (RFC 4361) rarely more than 20.
 */
#define LEASE_KEY_NEAR 24

struct lease_key {
	uint16_t length;
	union {
		uint8_t near[LEASE_KEY_NEAR];
		const uint8_t *far; /* when it is longer than that */
	};
};

/* Where the table keeps a long key. */
union lease_box {
	union lease_box *next_free;
	uint8_t octets[LEASE_CLIENT_MAX];
};

enum lease_state {
	LEASE_OFFERED, /* only held: the database knows nothing of it */
	LEASE_BOUND,
	LEASE_RELEASED,
	LEASE_DECLINED,
	LEASE_EXPIRED,
};

struct lease {
	uint32_t address;
	enum lease_state state : 8;
	bool has_mac;
	uint16_t load; /* the load from the database that last saw it */
	struct mac mac;
	struct lease_key client;
	uint64_t ends_ms;    /* the recorded end; a declined one: of its quarantine */
	uint64_t held_ms;    /* offered to this client until then; 0: not offered */
	uint64_t granted_ms; /* when this process last had it recorded; 0: others did */
};

/*
 * The key of the client that sent the packet. One machine is one client whatever identifier its
 * ROM, its loader and its system send, unless `by_identifier`. ERR_ABSENT: it has neither a
 * hardware address nor an identifier.
 */
MUST_CHECK enum err lease_client_of(const struct packet *packet, bool by_identifier,
				    struct lease_client *ret_client);
bool lease_client_equal(const struct lease_client *a, const struct lease_client *b);
/* A view: of a long key it is valid as long as `client` is. */
struct lease_key lease_key_of(const struct lease_client *client);
const uint8_t *lease_key_octets(const struct lease_key *key);
void lease_key_copy(const struct lease_key *key, struct lease_client *ret_client);
/* Is it this client's? */
bool lease_is_of(const struct lease *lease, const struct lease_client *client);

bool lease_is_bound(const struct lease *lease, uint64_t now_ms);
bool lease_is_held(const struct lease *lease, uint64_t now_ms);
/*
 * May this client have the address now? NULL is an address nobody had. Another's address is
 * free once its recorded end and the grace behind it are past, even if it was released early:
 * so no daemon that was cut off from the database can be contradicted.
 */
bool lease_is_free_for(const struct lease *lease, const struct lease_client *client,
		       uint64_t now_ms, uint64_t grace_ms);
/*
 * Would a standby that is promoted now perhaps lack this lease? What lagged behind was granted
 * shortly before the newest one, however long ago that was.
 */
bool lease_may_be_lost(const struct lease *lease, uint64_t newest_grant_ms);
/* Whole seconds until its recorded end, 0 when past. */
uint32_t lease_seconds_left(const struct lease *lease, uint64_t now_ms);

#endif
