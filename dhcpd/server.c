#include "dhcpd/server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "dhcpd/beside.h"
#include "dhcpd/decide.h"
#include "dhcpd/fqdn.h"
#include "dhcpd/fresh.h"
#include "dhcpd/inquirer.h"
#include "dhcpd/option.h"
#include "dhcpd/reply.h"
#include "dhcpd/report.h"
#include "dhcpd/route.h"
#include "dhcpd/server_internal.h"
#include "io/log.h"

/* One packet on its way. */
struct exchange {
	struct server_interface *interface;
	const uint8_t *octets;
	size_t length;
	struct packet packet;
	struct decide_question question;
	struct decide_verdict verdict;
};

static void send_datagram(struct exchange *e, const struct route *route, const uint8_t *octets,
			  size_t length)
{
	struct udp_datagram datagram = {
		.data = octets,
		.length = length,
		.peer = {.address = ip_from_v4(route->address), .port = route->port},
		.local = ip_from_v4(e->verdict.source),
		.interface = link_index(e->interface->link),
	};

	/* what the kernel does not take is lost like any datagram: the client asks again */
	e->interface->server->answered += udp_send(e->interface->socket, &datagram, 1);
}

/* The octets that were sent. */
static size_t send_reply(struct exchange *e)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct server *server = e->interface->server;
	struct reply reply;
	struct route route;

	if (reply_encode(&e->packet, &e->verdict, buffer, &reply) != ERR_OK) {
		log_debug("reply_too_long", "xid=%08x", e->packet.xid);
		drops_count(&server->drops,
			    "what must be answered is longer than the client takes");
		return 0;
	}
	server->left_out += reply.left_out;
	route = route_reply(&e->packet, reply.message, reply.yiaddr);
	if (route.way != ROUTE_LINK) {
		send_datagram(e, &route, buffer, reply.length);
		return reply.length;
	}
	server->answered +=
		link_send(e->interface->link, &route.mac,
			  &(struct frame){e->verdict.source, route.address, ROUTE_PORT_SERVER,
					  route.port, buffer, reply.length});
	return reply.length;
}

/* A copy of a foreign option as a string; a NUL in it ends it. */
static void copy_option(const struct packet *packet, uint8_t code, char *text, size_t size)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, code, &length);

	if (!octets)
		length = 0;
	if (length >= size)
		length = size - 1;
	if (length > 0)
		memcpy(text, octets, length);
	text[length] = '\0';
}

static void park(struct exchange *e, struct parked *parked)
{
	struct server *server = e->interface->server;

	parked->client = e->verdict.client;
	parked->address = e->verdict.address;
	parked->is_unicast = e->question.is_unicast;
	parked->interface = (size_t)(e->interface - server->interfaces);
	parked->length = e->length;
	memcpy(parked->packet, e->octets, e->length);
}

static void ask_for_grant(struct exchange *e)
{
	struct grant grant = {
		.client = e->verdict.client,
		.address = e->verdict.address,
		.seconds = e->verdict.lease_seconds + e->verdict.spare_seconds,
		.has_mac = e->verdict.has_mac,
		.mac = e->verdict.mac,
	};
	struct parked parked;

	fqdn_client_name(&e->packet, grant.host_name, sizeof(grant.host_name));
	copy_option(&e->packet, OPTION_VENDOR_CLASS, grant.class, sizeof(grant.class));
	park(e, &parked);
	(void)store_grant(backend_store(e->interface->server->backend), &parked, &grant);
}

static void ask_who_it_is(struct exchange *e)
{
	struct parked parked;

	park(e, &parked);
	(void)store_ask(backend_store(e->interface->server->backend), &parked);
}

/* Before the address is offered: does somebody use it already? */
static void ask_who_uses_it(struct exchange *e)
{
	struct server *server = e->interface->server;
	long wait_ms = site_setting_number(e->question.site, "dhcp_probe_ms", 300);
	struct inquiry inquiry = {
		.client = e->verdict.client,
		.has_mac = e->verdict.has_mac,
		.mac = e->verdict.mac,
		.address = e->verdict.address,
		.way = e->verdict.probe,
		.interface = (size_t)(e->interface - server->interfaces),
		.conflicts = e->question.conflicts,
	};
	struct parked parked;

	park(e, &parked);
	if (inquirer_ask(server->inquirer, &parked, &inquiry, (unsigned)wait_ms) != ERR_OK)
		abort(); /* decide() has looked whether there is room */
}

static void note_unprobed(struct exchange *e)
{
	unsigned long left_out;

	if (e->verdict.probe != INUSE_NOT_ASKED &&
	    log_repeat_due(&e->interface->server->unprobed_log, e->question.now_ms, 10000,
			   &left_out))
		log_warning("offered_unprobed", "left_out=%lu reason=%s", left_out,
			    log_text("too many addresses are being probed already"));
}

/* Another server answers on this segment: what came by a relay may have been heard
 * elsewhere.
 */
static void note_choice(const struct exchange *e)
{
	struct server *server = e->interface->server;
	uint32_t chosen;

	if (e->packet.giaddr == 0 && packet_option_u32(&e->packet, OPTION_SERVER_ID, &chosen))
		beside_hear_choice(server->beside, (size_t)(e->interface - server->interfaces),
				   chosen);
}

/* What the verdict changes in memory at once. */
static void apply_change(struct exchange *e)
{
	struct store *store = backend_store(e->interface->server->backend);
	const struct decide_verdict *verdict = &e->verdict;
	struct lease_holder holder = {verdict->address, &verdict->client,
				      verdict->has_mac ? &verdict->mac : NULL, 0};

	switch (verdict->change) {
	case DECIDE_HOLD:
		store_hold(store, &holder, e->question.now_ms + DECIDE_OFFER_MS);
		break;
	case DECIDE_FORGET:
		store_forget(store, &verdict->client, &verdict->subnet->net);
		inquirer_forget(e->interface->server->inquirer, &verdict->client);
		note_choice(e);
		break;
	case DECIDE_RELEASE:
		store_release(store, &verdict->client, verdict->address);
		break;
	case DECIDE_DECLINE:
		store_decline(store, &verdict->client, verdict->address);
		break;
	case DECIDE_NONE:
	case DECIDE_GRANT:
		break;
	}
}

/* A server that does not answer leaves no other trace than a client that is heard no more. */
static void check_boot_server(const struct exchange *e)
{
	const struct decide_verdict *verdict = &e->verdict;

	if (verdict->action == DECIDE_ACK && verdict->pxe.class == PXE_CLASS_FIRMWARE)
		bootchecker_want(backend_bootchecker(e->interface->server->backend),
				 BOOTCHECK_TFTP, verdict->boot.next_server, verdict->boot.file);
}

static void carry_out(struct exchange *e)
{
	struct events *events = backend_events(e->interface->server->backend);

	decide(&e->question, &e->verdict);
	if (e->verdict.action == DECIDE_ASK) {
		ask_who_it_is(e);
		return;
	}
	if (e->verdict.change == DECIDE_GRANT) {
		ask_for_grant(e);
		return;
	}
	drops_note(&e->interface->server->drops, &e->verdict);
	apply_change(e);
	if (e->verdict.change == DECIDE_HOLD || e->verdict.action == DECIDE_ACK ||
	    e->verdict.action == DECIDE_BOOTP)
		fresh_note(e->interface->server->quotas, &e->question, &e->verdict);
	if (e->verdict.action == DECIDE_PROBE) {
		ask_who_uses_it(e);
		return;
	}
	if (e->verdict.action == DECIDE_OFFER)
		note_unprobed(e);
	if (e->verdict.action == DECIDE_ACK || e->verdict.action == DECIDE_BOOTP)
		origins_note(backend_origins(e->interface->server->backend), &e->packet,
			     &e->verdict.client, e->verdict.address);
	report_verdict(events, link_name(e->interface->link), &e->packet, &e->verdict,
		       e->verdict.action == DECIDE_SILENT ? 0 : send_reply(e));
	check_boot_server(e);
}

static const char *fault_of(enum err err)
{
	switch (err) {
	case ERR_SHORT:
		return "shorter than a header";
	case ERR_RANGE:
		return "longer than any message";
	default:
		return "a hardware address longer than its field";
	}
}

static bool begin(struct exchange *e, struct server_interface *interface, const void *octets,
		  size_t length, bool is_unicast)
{
	struct server *server = interface->server;
	enum err err;

	e->interface = interface;
	e->octets = octets;
	e->length = length;
	err = packet_parse(octets, length, &e->packet);
	if (err != ERR_OK) {
		server->malformed++;
		drops_count(&server->drops, fault_of(err));
		log_debug("malformed", "interface=%s length=%zu", link_name(interface->link),
			  length);
		return false;
	}
	e->question = (struct decide_question){
		.site = backend_site(server->backend),
		.leases = store_leases(backend_store(server->backend)),
		.quotas = server->quotas,
		.inquiries = inquirer_table(server->inquirer),
		.packet = &e->packet,
		.now_ms = loop_now_ms(server->loop),
		.server = link_address(interface->link),
		.ours = &server->ours,
		.is_database_up = backend_is_up(server->backend),
	};
	e->question.is_unicast = is_unicast;
	return true;
}

/* Who it is, before anything is decided: for the event of its arrival. */
static void report_arrival(struct exchange *e)
{
	struct decide_verdict *verdict = &e->verdict;

	*verdict = (struct decide_verdict){.reason = ""};
	verdict->has_mac = packet_mac(&e->packet, &verdict->mac);
	verdict->pxe = pxe_client(&e->packet);
	if (e->packet.op == PACKET_BOOTREQUEST && e->packet.message != PACKET_RELEASE &&
	    e->packet.message != PACKET_DECLINE)
		report_request(backend_events(e->interface->server->backend),
			       link_name(e->interface->link), &e->packet, verdict);
	if (verdict->has_mac && e->packet.message == PACKET_DISCOVER &&
	    verdict->pxe.class != PXE_CLASS_OS)
		link_note_booting(e->interface->link, &verdict->mac);
}

void server_on_batch(void *data, const struct udp_datagram *datagrams, size_t count)
{
	struct server_interface *interface = data;
	struct server *server = interface->server;
	size_t position = (size_t)(interface - server->interfaces);
	struct exchange e;
	bool is_unicast;

	for (size_t i = 0; i < count; i++) {
		server->received++;
		is_unicast = ip_equal(&datagrams[i].destination, &datagrams[i].local);
		if (!begin(&e, interface, datagrams[i].data, datagrams[i].length, is_unicast))
			continue;
		if (!beside_is_serving(server->beside, position)) {
			drops_count(&server->drops, "another server is in the way, or was "
						    "not asked for yet");
			beside_hear_request(server->beside, position, &e.packet);
			continue;
		}
		packet_adopt_source(&e.packet, ip_v4(&datagrams[i].peer.address));
		report_arrival(&e);
		if (backend_has_site(server->backend))
			carry_out(&e);
		else
			drops_count(&server->drops, "no configuration was read yet");
	}
}

void server_on_answer(void *data, const struct parked *parked, uint32_t seconds)
{
	struct server *server = data;
	struct exchange e;

	if (!begin(&e, &server->interfaces[parked->interface], parked->packet, parked->length,
		   parked->is_unicast))
		return;
	e.question.has_asked = true;
	/* an outage that begins in this moment must not take back what is recorded */
	if (seconds > 0) {
		e.question.is_database_up = true;
		e.question.recorded_address = parked->address;
		e.question.recorded_seconds = seconds;
	}
	carry_out(&e);
}

static void note_conflict(struct exchange *e, enum inuse_way way,
			  const struct inuse_answer *answer)
{
	struct server *server = e->interface->server;
	const struct mac *by = answer->has_mac ? &answer->mac : NULL;
	struct lease_client user;

	inuse_client(answer, &user);
	e->question.conflicts++;
	fresh_forget(server->quotas, &e->question, answer->address);
	store_quarantine(backend_store(server->backend),
			 &(struct lease_holder){answer->address, &user, by, 0});
	report_conflict(backend_events(server->backend), link_name(e->interface->link),
			&e->packet, &(struct report_conflict){answer->address, way, by});
}

void server_on_inquired(void *data, const struct inquirer_result *result)
{
	struct server *server = data;
	const struct inquiry *inquiry = result->inquiry;
	const struct parked *parked = result->parked;
	struct exchange e;

	if (!begin(&e, &server->interfaces[parked->interface], parked->packet, parked->length,
		   parked->is_unicast))
		return;
	e.question.has_asked = true;
	e.question.conflicts = inquiry->conflicts;
	if (result->answer)
		note_conflict(&e, inquiry->way, result->answer);
	else
		e.question.cleared = inquiry->address;
	carry_out(&e);
}
