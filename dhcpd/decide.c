#include "dhcpd/decide.h"

#include "dhcpd/asker.h"
#include "dhcpd/fresh.h"
#include "dhcpd/option.h"
#include "dhcpd/place.h"
#include "dhcpd/pool.h"
#include "dhcpd/terms.h"

/* One decision in the making. */
struct deciding {
	const struct decide_question *question;
	const struct packet *packet;
	struct decide_verdict *verdict;
	struct pool_question pool;
	bool is_renewal;	   /* it was sent to us alone, not to every server */
	const struct lease *lease; /* the client's best entry in the subnet, or NULL */
};

static void stay_silent(struct deciding *d, const char *reason)
{
	d->verdict->action = DECIDE_SILENT;
	d->verdict->reason = reason;
}

static void refuse(struct deciding *d, const char *reason)
{
	d->verdict->action = DECIDE_NAK;
	d->verdict->reason = reason;
}

/* The client's own entry of exactly this address, if the database is known to have it. */
static const struct lease *recorded_lease(const struct deciding *d, uint32_t address)
{
	const struct lease *lease = lease_at(d->question->leases, address);

	if (!lease || lease->state == LEASE_OFFERED || !lease_is_of(lease, &d->verdict->client))
		return NULL;
	return lease;
}

/* Has the database recorded all of this promise? */
static bool is_recorded(const struct deciding *d, uint32_t address, uint32_t seconds)
{
	const struct decide_question *question = d->question;
	const struct lease *lease = recorded_lease(d, address);

	if (address == question->recorded_address)
		return true;
	return lease && d->verdict->spare_seconds > 0 &&
	       terms_are_recorded(lease, d->packet, seconds, question->now_ms);
}

static void promise(struct deciding *d, enum decide_action action, uint32_t address,
		    const char *reason)
{
	const struct decide_question *question = d->question;
	struct decide_verdict *verdict = d->verdict;
	uint32_t seconds = terms_lease_seconds(verdict->subnet, d->packet);

	if (action == DECIDE_ACK && address == question->recorded_address &&
	    seconds > question->recorded_seconds)
		seconds = question->recorded_seconds;
	verdict->action = action;
	verdict->spare_seconds = terms_spare_seconds(question->site, seconds);
	verdict->change = DECIDE_GRANT;
	if (action == DECIDE_ACK && is_recorded(d, address, seconds))
		verdict->change = DECIDE_NONE;
	verdict->address = address;
	verdict->lease_seconds = seconds;
	verdict->renewal_seconds = seconds / 2;
	verdict->rebinding_seconds = seconds - seconds / 8;
	verdict->reason = reason;
}

/* An address is kept for who it is offered to, also while it is asked whether it is in use. */
static void offer(struct deciding *d, uint32_t address, const char *reason)
{
	const struct decide_question *question = d->question;
	enum inuse_way way = fresh_probe(question, d->verdict, address);
	bool is_waiting = way != INUSE_NOT_ASKED &&
			  (inquiry_of(question->inquiries, &d->verdict->client) ||
			   inquiry_has_room(question->inquiries));

	promise(d, is_waiting ? DECIDE_PROBE : DECIDE_OFFER, address, reason);
	d->verdict->change = DECIDE_HOLD;
	d->verdict->probe = way;
}

/*
 * The outage rule: while the database is away nothing is promised that it has not recorded. Who
 * holds a recorded lease gets what is left of it; nobody gets a new one; nobody is refused.
 */
static void decide_outage(struct deciding *d, enum decide_action action, uint32_t address)
{
	const struct lease *lease = recorded_lease(d, address);
	uint32_t left;

	if (!lease || !lease_is_bound(lease, d->question->now_ms) ||
	    !pool_permits(&d->pool, address)) {
		stay_silent(d, "the database is away: only recorded leases are answered");
		return;
	}
	left = lease_seconds_left(lease, d->question->now_ms);
	if (left == 0) {
		stay_silent(d, "the database is away and the recorded lease is at its end");
		return;
	}
	promise(d, action, address, "the database is away: what is left of the recorded lease");
	d->verdict->change = DECIDE_NONE;
	/* what is recorded beyond the usual time is spare */
	if (left > d->verdict->lease_seconds)
		left = d->verdict->lease_seconds;
	d->verdict->lease_seconds = left;
	/* ask again late: an earlier renewal could not make it longer */
	d->verdict->renewal_seconds = left - left / 8;
	d->verdict->rebinding_seconds = left - left / 16;
}

static void enter_subnet(struct deciding *d, const struct site_subnet *subnet)
{
	d->verdict->subnet = subnet;
	d->pool.subnet = subnet;
	d->lease = lease_of_client(d->question->leases, &d->verdict->client, &subnet->net);
}

/*
 * Any address of the link: of this subnet, or if it is full, of one beside it. false: all are
 * taken, and the verdict says so.
 */
static bool pick_any(struct deciding *d, uint32_t *ret_address)
{
	const struct site_subnet *first = d->verdict->subnet;

	do {
		if (pool_pick(&d->pool, ret_address) == ERR_OK) {
			d->verdict->is_from_pool = true;
			return true;
		}
		enter_subnet(d, site_subnet_beside(d->question->site, d->verdict->subnet));
	} while (d->verdict->subnet != first);
	d->verdict->is_exhausted = true;
	stay_silent(d, "no address of the subnet's pools is free: enlarge rouse.pools");
	return false;
}

/* What it had is its own still; or it is held since nobody answered for it. */
static void offer_own(struct deciding *d)
{
	if (d->lease->address == d->question->cleared)
		offer(d, d->lease->address, "nobody answered for this free address");
	else
		offer(d, d->lease->address, "the client had this address before");
}

static void decide_discover(struct deciding *d)
{
	uint32_t reserved = d->pool.mac ? pool_reserved_for(d->question->site,
							    d->verdict->subnet, d->pool.mac)
					: 0;
	const char *limit;
	uint32_t address;

	if (!d->question->is_database_up) {
		decide_outage(d, DECIDE_OFFER, d->lease ? d->lease->address : 0);
		return;
	}
	/*
	 * Whoever the table does not know is new, or was granted an address by another dhcpd
	 * within the last second; that one offers the same, for the search begins at the same
	 * place. An offer is no promise: the grant will show.
	 *
	 * RFC 2131 section 4.3.1: its reservation, its address of before, its wish, any.
	 */
	if (reserved != 0 && pool_is_free(&d->pool, reserved))
		offer(d, reserved, "the address is reserved for this card");
	else if (d->lease && pool_is_free(&d->pool, d->lease->address))
		offer_own(d);
	else if ((limit = fresh_limit(d->question, d->verdict)))
		stay_silent(d, limit);
	else if (d->question->conflicts >= DECIDE_CONFLICTS_MAX)
		stay_silent(d, "one address after the other is in use: does a router answer "
			       "ARP for all of them?");
	else if (packet_option_u32(d->packet, OPTION_REQUESTED_ADDRESS, &address) &&
		 pool_is_free(&d->pool, address))
		offer(d, address, "the client wished for this address");
	else if (pick_any(d, &address))
		offer(d, address, "a free address of the pool");
}

/* An address that the client names: it is the database's to give, or it is refused. */
static void grant_or_refuse(struct deciding *d, uint32_t address, const char *reason)
{
	uint32_t reserved = d->pool.mac ? pool_reserved_for(d->question->site,
							    d->verdict->subnet, d->pool.mac)
					: 0;
	const struct lease *lease = lease_at(d->question->leases, address);
	const char *limit;

	/* a reservation made or moved on a live server: the client must come for it */
	if (reserved != 0 && reserved != address && pool_is_free(&d->pool, reserved))
		refuse(d, "another address is reserved for this card");
	else if (!pool_permits(&d->pool, address))
		refuse(d,
		       "the address is not in the pools, or it is reserved for another card");
	else if (!lease_is_free_for(lease, &d->verdict->client, d->question->now_ms,
				    d->pool.grace_ms))
		refuse(d, "the address is another client's or was declined");
	else if ((!lease || !lease_is_of(lease, &d->verdict->client)) && reserved != address &&
		 (limit = fresh_limit(d->question, d->verdict)))
		refuse(d, limit);
	else
		promise(d, DECIDE_ACK, address, reason);
}

/*
 * Under any address of ours (RFC 2131 section 4.1), or under the one by which the relay plays
 * us.
 */
static bool is_ours(const struct deciding *d, uint32_t server)
{
	return server == d->question->server || server == d->verdict->server ||
	       ours_hold(d->question->ours, server);
}

static void decide_selecting(struct deciding *d, uint32_t chosen_server)
{
	uint32_t address;

	if (!is_ours(d, chosen_server)) {
		d->verdict->change = DECIDE_FORGET;
		stay_silent(d, "the client chose another server");
		return;
	}
	/* renewals of RFC 1541 look so */
	if (!packet_option_u32(d->packet, OPTION_REQUESTED_ADDRESS, &address))
		address = d->packet->ciaddr;
	if (address == 0) {
		stay_silent(d, "a REQUEST names this server and no address (option 50)");
		return;
	}
	if (!d->question->is_database_up)
		decide_outage(d, DECIDE_ACK, address);
	else
		grant_or_refuse(d, address, "the client chose this offer");
}

static void ask_or_stay_silent(struct deciding *d)
{
	if (d->question->has_asked) {
		if (site_setting_truth(d->question->site, "dhcp_nak_unknown_client", false))
			refuse(d, "nobody knows this lease");
		else
			stay_silent(
				d, "the lease is unknown here: perhaps it is another server's");
		return;
	}
	d->verdict->action = DECIDE_ASK;
	d->verdict->reason = "the table does not know this lease";
}

static void refuse_wrong_network(struct deciding *d)
{
	const char *reason = "the address belongs to another network";

	if (site_setting_truth(d->question->site, "dhcp_nak_wrong_network", true))
		refuse(d, reason);
	else
		stay_silent(d, reason);
}

/*
 * The client woke up and wants the address it remembers. Refused when it is on another network
 * than it thinks, or when the database has another address for it; silence when nothing is
 * known of it (RFC 2131 section 4.3.2).
 */
static void decide_init_reboot(struct deciding *d, uint32_t address)
{
	if (!d->question->is_database_up)
		decide_outage(d, DECIDE_ACK, address);
	else if (!ip4_net_holds(&d->verdict->subnet->net, address))
		refuse_wrong_network(d);
	else if (recorded_lease(d, address))
		grant_or_refuse(d, address, "the client came back with its address");
	else if (d->question->has_asked && d->lease && d->lease->state != LEASE_OFFERED)
		refuse(d, "another address is recorded for this client");
	else
		ask_or_stay_silent(d);
}

/* Unicast to us: the lease was ours, so we may also say that it is lost. */
static void decide_renewing(struct deciding *d, uint32_t address)
{
	const struct lease *lease = lease_at(d->question->leases, address);

	if (!d->question->is_database_up)
		decide_outage(d, DECIDE_ACK, address);
	else if (recorded_lease(d, address))
		grant_or_refuse(d, address, "the client renews its lease");
	else if (d->question->has_asked &&
		 !lease_is_free_for(lease, &d->verdict->client, d->question->now_ms,
				    d->pool.grace_ms))
		refuse(d, "the address is another client's now");
	else
		ask_or_stay_silent(d);
}

/*
 * Broadcast to all servers: an unknown lease in our own network may be another server's, and is
 * never refused; an address of another network is wrong here whoever gave it.
 */
static void decide_rebinding(struct deciding *d, uint32_t address)
{
	if (!d->question->is_database_up)
		decide_outage(d, DECIDE_ACK, address);
	else if (!ip4_net_holds(&d->verdict->subnet->net, address))
		refuse_wrong_network(d);
	else if (recorded_lease(d, address))
		grant_or_refuse(d, address, "the client asks anyone to extend its lease");
	else
		ask_or_stay_silent(d);
}

static void decide_request(struct deciding *d)
{
	uint32_t server, address;

	if (packet_option_u32(d->packet, OPTION_SERVER_ID, &server))
		decide_selecting(d, server);
	else if (d->packet->ciaddr != 0 && d->is_renewal)
		decide_renewing(d, d->packet->ciaddr);
	else if (d->packet->ciaddr != 0)
		decide_rebinding(d, d->packet->ciaddr);
	else if (packet_option_u32(d->packet, OPTION_REQUESTED_ADDRESS, &address))
		decide_init_reboot(d, address);
	else
		stay_silent(d, "a REQUEST names no address");
}

/* RELEASE and DECLINE: address and client must agree; the database looks again. */
static void decide_end(struct deciding *d, uint32_t address, enum decide_change change,
		       const char *reason)
{
	const struct lease *lease = lease_at(d->question->leases, address);
	uint32_t server;

	if (packet_option_u32(d->packet, OPTION_SERVER_ID, &server) && !is_ours(d, server)) {
		stay_silent(d, "it is meant for another server");
		return;
	}
	if (!ip4_net_holds(&d->verdict->subnet->net, address) ||
	    (lease && !lease_is_of(lease, &d->verdict->client))) {
		stay_silent(d, "the address is not this client's");
		return;
	}
	d->verdict->address = address;
	d->verdict->change = change;
	stay_silent(d, reason);
}

static void decide_decline(struct deciding *d)
{
	uint32_t address;

	if (packet_option_u32(d->packet, OPTION_REQUESTED_ADDRESS, &address))
		decide_end(d, address, DECIDE_DECLINE,
			   "somebody else answers at the address: it is quarantined");
	else
		stay_silent(d, "a DECLINE names no address (option 50)");
}

static void decide_inform(struct deciding *d)
{
	/* RFC 2131 section 4.3.5; the answer goes to that address, so it may not be anybody's
	 */
	if (!place_holds(d->question->site, d->verdict->subnet, d->packet->ciaddr)) {
		stay_silent(d, "an INFORM's address (ciaddr, or its source) is none of its "
			       "link");
		return;
	}
	d->verdict->action = DECIDE_INFORM;
	d->verdict->reason = "the client has an address and asks for options";
}

static void answer_bootp(struct deciding *d, uint32_t address, enum decide_change change,
			 const char *reason)
{
	d->verdict->action = DECIDE_BOOTP;
	d->verdict->change = change;
	d->verdict->address = address;
	d->verdict->reason = reason;
}

/* An address of the pools, leased to a client that has never heard of leases. */
static void lease_to_bootp(struct deciding *d, uint32_t seconds)
{
	const struct decide_question *question = d->question;
	const char *limit;
	uint32_t address;

	d->verdict->lease_seconds = seconds;
	if (question->recorded_address != 0)
		answer_bootp(d, question->recorded_address, DECIDE_NONE,
			     "an address of the pool, leased to a BOOTP client");
	else if (!question->is_database_up && d->lease && d->lease->state != LEASE_OFFERED &&
		 lease_is_bound(d->lease, question->now_ms))
		answer_bootp(d, d->lease->address, DECIDE_NONE,
			     "the database is away: the recorded lease of a BOOTP client");
	else if (!question->is_database_up)
		stay_silent(d, "the database is away: only recorded leases are answered");
	else if (d->lease && pool_is_free(&d->pool, d->lease->address))
		answer_bootp(d, d->lease->address, DECIDE_GRANT,
			     "the client had this address before");
	else if ((limit = fresh_limit(question, d->verdict)))
		stay_silent(d, limit);
	else if (pick_any(d, &address))
		answer_bootp(d, address, DECIDE_GRANT, "a free address of the pool");
}

/*
 * A BOOTP client keeps its address for ever, so it gets one that is kept for it; or where the
 * site says for how long such a machine runs at most, one of the pools (RFC 1534 section 2).
 */
static void decide_bootp(struct deciding *d)
{
	long seconds = site_setting_number(d->question->site, "dhcp_bootp_seconds", 0);
	uint32_t reserved = d->pool.mac ? pool_reserved_for(d->question->site,
							    d->verdict->subnet, d->pool.mac)
					: 0;

	if (reserved != 0 && pool_is_free(&d->pool, reserved))
		answer_bootp(d, reserved, DECIDE_NONE, "the address is reserved for this card");
	else if (seconds > 0)
		lease_to_bootp(d, (uint32_t)seconds);
	else
		stay_silent(d, "a BOOTP client needs an address in rouse.reservations, or the "
			       "setting dhcp_bootp_seconds");
}

static void decide_message(struct deciding *d)
{
	switch (d->packet->message) {
	case PACKET_DISCOVER:
		decide_discover(d);
		break;
	case PACKET_REQUEST:
		decide_request(d);
		break;
	case PACKET_DECLINE:
		decide_decline(d);
		break;
	case PACKET_RELEASE:
		decide_end(d, d->packet->ciaddr, DECIDE_RELEASE, "the client gives it back");
		break;
	case PACKET_INFORM:
		decide_inform(d);
		break;
	case PACKET_BOOTP:
		decide_bootp(d);
		break;
	default:
		stay_silent(d, "a message type that no client sends");
	}
}

void decide(const struct decide_question *question, struct decide_verdict *ret_verdict)
{
	struct decide_verdict *verdict = ret_verdict;
	struct deciding d = {question, question->packet, verdict, {0}, false, NULL};
	long grace = site_setting_number(question->site, "lease_grace_seconds", 60);
	const char *reason;

	*verdict = (struct decide_verdict){.site = question->site,
					   .server = question->server,
					   .source = question->server,
					   .reason = ""};
	reason = asker_identify(question, verdict, &d.is_renewal);
	if (reason) {
		stay_silent(&d, reason);
		return;
	}
	d.lease = lease_of_client(question->leases, &verdict->client, &verdict->subnet->net);
	d.pool = (struct pool_question){
		.site = question->site,
		.subnet = verdict->subnet,
		.leases = question->leases,
		.client = &verdict->client,
		.mac = verdict->has_mac ? &verdict->mac : NULL,
		.server = question->server,
		.ours = question->ours,
		.now_ms = question->now_ms,
		.grace_ms = grace > 0 ? (uint64_t)grace * 1000 : 0,
	};
	decide_message(&d);
	if (verdict->action == DECIDE_OFFER || verdict->action == DECIDE_ACK ||
	    verdict->action == DECIDE_INFORM || verdict->action == DECIDE_BOOTP)
		bootfile_choose(&(struct bootfile_question){question->site, verdict->subnet,
							    verdict->host, &verdict->pxe,
							    question->server},
				&verdict->boot);
}

const char *decide_action_name(enum decide_action action)
{
	static const char *const names[] = {"silent", "offer", "ack", "nak",
					    "inform", "bootp", "ask", "probe"};

	return names[action];
}
