#include "dhcpd/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dhcpd/beside.h"
#include "dhcpd/decide.h"
#include "dhcpd/fqdn.h"
#include "dhcpd/option.h"
#include "dhcpd/reply.h"
#include "dhcpd/report.h"
#include "dhcpd/route.h"
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

static void send_reply(struct exchange *e)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct server *server = e->interface->server;
	struct reply reply;
	struct route route;

	if (reply_encode(&e->packet, &e->verdict, buffer, &reply) != ERR_OK) {
		log_debug("reply_too_long", "xid=%08x", e->packet.xid);
		server->left_out++;
		return;
	}
	server->left_out += reply.left_out;
	route = route_reply(&e->packet, reply.message, reply.yiaddr);
	if (route.way != ROUTE_LINK) {
		send_datagram(e, &route, buffer, reply.length);
		return;
	}
	server->answered +=
		link_send(e->interface->link, &route.mac,
			  &(struct frame){e->verdict.source, route.address, ROUTE_PORT_SERVER,
					  route.port, buffer, reply.length});
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
		.seconds = e->verdict.lease_seconds,
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
		break;
	case DECIDE_RELEASE:
		store_end(store, &verdict->client, verdict->address, LEASE_RELEASED);
		break;
	case DECIDE_DECLINE:
		store_end(store, &verdict->client, verdict->address, LEASE_DECLINED);
		break;
	case DECIDE_NONE:
	case DECIDE_GRANT:
		break;
	}
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
	if (e->verdict.action == DECIDE_OFFER || e->verdict.action == DECIDE_ACK)
		port_note(e->interface->server->ports, &e->packet, e->verdict.address,
			  e->question.leases, e->question.now_ms);
	if (e->verdict.action == DECIDE_ACK)
		origins_note(backend_origins(e->interface->server->backend), &e->packet,
			     &e->verdict.client, e->verdict.address);
	if (e->verdict.action != DECIDE_SILENT)
		send_reply(e);
	report_verdict(events, link_name(e->interface->link), &e->packet, &e->verdict);
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
		.ports = server->ports,
		.packet = &e->packet,
		.now_ms = loop_now_ms(server->loop),
		.server = link_address(interface->link),
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

static void on_batch(void *data, const struct udp_datagram *datagrams, size_t count)
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
			beside_hear_request(server->beside, position, &e.packet);
			continue;
		}
		report_arrival(&e);
		if (backend_has_site(server->backend))
			carry_out(&e);
		else
			log_debug("silent", "reason=%s",
				  log_text("no configuration was read yet"));
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

void server_on_site(void *data, const struct site *site)
{
	struct server *server = data;
	bool is_on = site_setting_truth(site, "ipv6_router_advertisement", true);

	for (size_t i = 0; i < server->interface_count; i++)
		link_set_adverts(server->interfaces[i].link, is_on);
}

static enum err say_bind_failed(const char *name)
{
	const char *remedy = "look at the reason";

	if (errno == EADDRINUSE)
		remedy = "another DHCP server runs here: `ss -lunp sport = :67` names it; stop "
			 "it or give it other interfaces";
	else if (errno == EACCES || errno == EPERM)
		remedy = "start dhcpd as root, or with the capabilities CAP_NET_RAW and "
			 "CAP_NET_BIND_SERVICE";
	log_error("bind_failed", "interface=%s port=%d reason=%s remedy=%s", name,
		  ROUTE_PORT_SERVER, log_text(strerror(errno)), log_text(remedy));
	return ERR_SYSTEM;
}

static enum err open_interface(struct server *server, const char *name, enum settings_mode mode)
{
	struct server_interface *interface = &server->interfaces[server->interface_count];
	struct udp_options options = {
		.port = ROUTE_PORT_SERVER,
		.device = name,
		.broadcast = true,
		.on_batch = on_batch,
		.data = interface,
	};
	enum err err = link_open(server->loop, name, &interface->link);

	if (err != ERR_OK)
		return err;
	interface->server = server;
	server->interface_count++;
	if (mode == SETTINGS_SERVER &&
	    udp_open(server->loop, &options, &interface->socket) != ERR_OK)
		return say_bind_failed(name);
	err = beside_add(server->beside, interface->link);
	if (err != ERR_OK)
		return err;
	if (link_address(interface->link) == 0)
		log_warning("no_address", "interface=%s remedy=%s", name,
			    log_text("nobody is answered there until it has an IPv4 address"));
	return ERR_OK;
}

static enum err open_ports(struct server *server)
{
	server->ports = calloc(1, sizeof(*server->ports));
	if (!server->ports)
		return ERR_MEMORY;
	if (getrandom(&server->ports->seed, sizeof(server->ports->seed), 0) !=
	    (ssize_t)sizeof(server->ports->seed)) {
		log_error("no_randomness", "reason=%s remedy=%s", log_text(strerror(errno)),
			  log_text("the kernel must give random numbers: see getrandom(2)"));
		return ERR_SYSTEM;
	}
	return ERR_OK;
}

enum err server_open(struct server *server, struct loop *loop, const struct settings *settings)
{
	const char *at = settings->interface + strspn(settings->interface, " ");
	char name[64];
	enum err err;

	server->loop = loop;
	err = open_ports(server);
	if (err != ERR_OK)
		return err;
	err = beside_open(&(struct beside_options){loop, settings, &server->backend},
			  &server->beside);
	if (err != ERR_OK)
		return err;
	while (*at) {
		size_t length = strcspn(at, " ");

		if (server->interface_count == SERVER_INTERFACES_MAX) {
			log_error("too_many_interfaces", "most=%d remedy=%s",
				  SERVER_INTERFACES_MAX,
				  log_text("run a second dhcpd for the others"));
			return ERR_RANGE;
		}
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
		err = open_interface(server, name, settings_mode(settings));
		if (err != ERR_OK)
			return err;
		at += length;
		at += strspn(at, " ");
	}
	return ERR_OK;
}

struct foreign_self server_self(void *data)
{
	const struct server *server = data;

	return beside_self(server->beside);
}

const char *server_status(void *data)
{
	struct server *server = data;
	struct store *store = backend_store(server->backend);
	struct store_counts counts = store_counts(store);
	char mode[128];
	uint64_t adverts = 0;
	struct text out;

	for (size_t i = 0; i < server->interface_count; i++)
		adverts += link_adverts_sent(server->interfaces[i].link);
	beside_status(server->beside, mode, sizeof(mode));
	(void)snprintf(
		server->status, sizeof(server->status),
		"%s; %zu interfaces, %zu leases; %llu packets, %llu replies, %llu grants in "
		"%llu statements, %llu late, %llu malformed, %llu router waits ended",
		mode, server->interface_count, store_leases(store)->count,
		(unsigned long long)server->received, (unsigned long long)server->answered,
		(unsigned long long)counts.granted, (unsigned long long)counts.statements,
		(unsigned long long)counts.expired, (unsigned long long)server->malformed,
		(unsigned long long)adverts);
	out = text_into(server->status + strlen(server->status),
			sizeof(server->status) - strlen(server->status));
	text_put(&out, server->drops.reason_count > 0 ? "; unanswered: " : "");
	drops_put(&server->drops, &out);
	return server->status;
}

void server_close(struct server *server)
{
	for (size_t i = 0; i < server->interface_count; i++) {
		udp_close(server->interfaces[i].socket);
		link_close(server->interfaces[i].link);
	}
	server->interface_count = 0;
	free(server->ports);
	server->ports = NULL;
	beside_close(server->beside);
	server->beside = NULL;
}
