/*
 * decide - what does this client get? RFC 2131 section 4.3, one literal branch for each state
 * of the client, over what operators configured and what the lease table remembers.
 *
 * Nothing is sent, stored or changed here: the verdict says what should be. The database has
 * the last word: an ACK whose change is DECIDE_GRANT may leave only after its row has
 * committed, and a REQUEST for a lease that the table does not know is DECIDE_ASK, to be
 * decided again with the answer.
 *
 *	struct decide_verdict verdict;
 *	decide(&(struct decide_question){.site = site, .packet = &packet, ...}, &verdict);
 *	if (verdict.action == DECIDE_OFFER)
 */
#ifndef ROUSE_DHCPD_DECIDE_H
#define ROUSE_DHCPD_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/site.h"
#include "dhcpd/bootfile.h"
#include "dhcpd/inquiry.h"
#include "dhcpd/lease_table.h"
#include "dhcpd/ours.h"
#include "dhcpd/packet.h"
#include "dhcpd/pxe.h"
#include "dhcpd/quota.h"

#define DECIDE_OFFER_MS 60000  /* how long an offer stands */
#define DECIDE_CONFLICTS_MAX 8 /* addresses in use that one DISCOVER may come upon */

enum decide_action {
	DECIDE_SILENT,
	DECIDE_OFFER,
	DECIDE_ACK,
	DECIDE_NAK,
	DECIDE_INFORM, /* an ACK of options alone */
	DECIDE_BOOTP,  /* a reply without a message type and without times (RFC 1534) */
	DECIDE_ASK,    /* rouse_daemon.lease_find(client), then decide again */
	DECIDE_PROBE,  /* is the address in use? Then decide again */
};

enum decide_change {
	DECIDE_NONE,
	DECIDE_HOLD,	/* keep the address for the offer */
	DECIDE_FORGET,	/* the client chose another server */
	DECIDE_GRANT,	/* record the lease */
	DECIDE_RELEASE, /* end it: the client gives it back */
	DECIDE_DECLINE, /* end it: somebody else uses the address */
};

struct decide_question {
	const struct site *site;
	const struct lease_table *leases;
	const struct quotas *quotas;	       /* NULL: there are no limits */
	const struct inquiry_table *inquiries; /* under way; NULL: addresses are not probed */
	const struct packet *packet;
	uint64_t now_ms;
	uint32_t server;	 /* our address on the interface; 0: it has none */
	const struct ours *ours; /* our other addresses, too; NULL: there are none */
	bool is_unicast;	 /* sent to our address, not to everybody */
	bool is_database_up;	 /* grants are being recorded: otherwise the outage rule */
	bool has_asked;		 /* the table holds the database's answer for this client */
	/* Nobody answered for this address; 0: none was asked for. */
	uint32_t cleared;
	unsigned conflicts; /* addresses in use that this DISCOVER came upon */
	/* The lease that the database has recorded for this packet, 0 for none: send its ACK.
	 */
	uint32_t recorded_address, recorded_seconds;
};

struct decide_verdict {
	enum decide_action action;
	enum decide_change change;
	const char *reason; /* in words; never NULL */
	struct lease_client client;
	bool has_mac;
	struct mac mac;
	const struct site *site;	  /* the question's */
	const struct site_subnet *subnet; /* NULL: none was found */
	const struct host *host;	  /* NULL: unknown */
	struct pxe_client pxe;
	uint32_t address;  /* the lease's */
	uint32_t server;   /* as option 54: ours, or the relay's that plays us (RFC 5107) */
	uint32_t source;   /* where the reply comes from: always ours */
	bool by_selection; /* option 118 goes back (RFC 3011) */
	uint32_t lease_seconds, renewal_seconds, rebinding_seconds;
	uint32_t spare_seconds; /* for DECIDE_GRANT: to be recorded beyond lease_seconds */
	enum inuse_way probe;	/* how; with DECIDE_OFFER: there was no place to wait for it */
	bool is_from_pool;	/* a fresh address, that a pool had free */
	bool is_exhausted;	/* silent because every address of the link is taken */
	struct bootfile boot;	/* for every reply but a NAK */
};

void decide(const struct decide_question *question, struct decide_verdict *ret_verdict);
/* "offer", "ack" and so on, the kinds of rouse.events. */
const char *decide_action_name(enum decide_action action);

#endif
