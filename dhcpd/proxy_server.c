#include "dhcpd/proxy_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dhcpd/proxy.h"
#include "dhcpd/report_heard.h"
#include "dhcpd/route.h"
#include "io/log.h"
#include "io/udp.h"

#define INTERFACES_MAX 16
#define HELD_MAX 256 /* offers held back at once */
#define EVERYBODY 0xffffffffU

/* An offer on its way, or held back. */
struct offer {
	uint64_t due_ms;
	struct link *link;
	uint32_t source, relay; /* relay 0: to everybody on the link */
	size_t length;
	uint8_t octets[PACKET_SIZE_REPLY_MAX];
};

struct proxy_interface {
	struct proxy_server *server;
	struct link *link;
	struct udp *socket;
};

struct proxy_server {
	struct proxy_server_options options;
	struct proxy_interface interfaces[INTERFACES_MAX];
	size_t interface_count;
	int relay_socket;
	struct proxy_server_counts counts;
	/* all are held back for the same time: the oldest leaves first */
	struct offer *held;
	size_t first, held_count;
	struct loop_timer timer;
};

/* Through the kernel's routes, with our own header: port 67 may be taken. */
static bool send_to_relay(struct proxy_server *server, const struct frame *frame)
{
	uint8_t packet[PACKET_SIZE_REPLY_MAX + FRAME_HEADERS_SIZE];
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(frame->destination)};
	size_t length;

	if (frame_encode(frame, packet, sizeof(packet), &length) != ERR_OK)
		return false;
	if (sendto(server->relay_socket, packet, length, MSG_DONTWAIT, (struct sockaddr *)&to,
		   sizeof(to)) >= 0)
		return true;
	log_debug("relay_not_reached", "reason=%s", log_text(strerror(errno)));
	return false;
}

static void send_offer(struct proxy_server *server, const struct offer *offer)
{
	static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct frame frame = {
		.source = offer->source,
		.destination = offer->relay != 0 ? offer->relay : EVERYBODY,
		.source_port = ROUTE_PORT_SERVER,
		.destination_port = offer->relay != 0 ? ROUTE_PORT_SERVER : ROUTE_PORT_CLIENT,
		.payload = offer->octets,
		.payload_length = offer->length,
	};
	bool is_sent = offer->relay != 0 ? send_to_relay(server, &frame)
					 : link_send(offer->link, &everybody, &frame);

	server->counts.offers += is_sent;
}

static void release_held(void *data)
{
	struct proxy_server *server = data;
	uint64_t now = loop_now_ms(server->options.loop);

	while (server->held_count > 0 && server->held[server->first].due_ms <= now) {
		send_offer(server, &server->held[server->first]);
		server->first = (server->first + 1) % HELD_MAX;
		server->held_count--;
	}
	if (server->held_count > 0)
		loop_timer_start(&server->timer, server->held[server->first].due_ms - now, 0);
}

static void hold(struct proxy_server *server, const struct offer *offer)
{
	struct offer *place;

	if (server->held_count == HELD_MAX) {
		server->counts.left_out++;
		return;
	}
	place = &server->held[(server->first + server->held_count) % HELD_MAX];
	*place = *offer;
	place->due_ms = loop_now_ms(server->options.loop) + server->options.delay_ms;
	if (server->held_count++ == 0)
		loop_timer_start(&server->timer, server->options.delay_ms, 0);
}

/* Decides, reports, and writes the reply; false when there is none. */
static bool answer(struct proxy_server *server, struct link *link, const struct packet *packet,
		   bool is_proxy_port, uint8_t *buffer, size_t *ret_length)
{
	struct backend *backend = *server->options.backend;
	struct proxy_question question = {
		.site = backend_site(backend),
		.packet = packet,
		.server = link_address(link),
		.is_proxy_port = is_proxy_port,
	};
	struct proxy_verdict verdict;

	if (!backend_has_site(backend)) {
		log_debug("silent", "reason=%s", log_text("no configuration was read yet"));
		return false;
	}
	proxy_decide(&question, &verdict);
	/* the request for an address is the other server's: nothing to tell */
	if (verdict.message == 0 && !is_proxy_port && packet->message != PACKET_DISCOVER)
		return false;
	if (verdict.message != 0 &&
	    proxy_encode(packet, &verdict, buffer, ret_length) != ERR_OK) {
		verdict.message = 0;
		verdict.reason = "the client takes no reply so long";
		server->counts.left_out++;
	}
	report_heard_proxy(backend_events(backend), link_name(link), packet, &verdict);
	if (verdict.message != 0 && !verdict.is_promise &&
	    verdict.pxe.class == PXE_CLASS_FIRMWARE)
		bootchecker_want(backend_bootchecker(backend), BOOTCHECK_TFTP,
				 verdict.boot.next_server, verdict.boot.file);
	return verdict.message != 0;
}

void proxy_server_hear(struct proxy_server *server, struct link *link,
		       const struct packet *packet)
{
	struct offer offer = {
		.link = link,
		.source = link_address(link),
		.relay = packet->giaddr,
	};

	if (!answer(server, link, packet, false, offer.octets, &offer.length))
		return;
	if (server->options.delay_ms > 0)
		hold(server, &offer);
	else
		send_offer(server, &offer);
}

static void answer_datagram(struct proxy_interface *interface,
			    const struct udp_datagram *datagram)
{
	struct proxy_server *server = interface->server;
	uint8_t buffer[PACKET_SIZE_REPLY_MAX];
	struct packet packet;
	struct udp_datagram reply = {
		.data = buffer,
		.peer = datagram->peer, /* EDK2 asks from 4011 and wants it there, ROMs at 68 */
		.local = ip_from_v4(link_address(interface->link)),
		.interface = link_index(interface->link),
	};

	if (packet_parse(datagram->data, datagram->length, &packet) != ERR_OK)
		return;
	if (packet.op == PACKET_BOOTREQUEST) {
		struct mac mac;
		struct event event = {.stage = "proxy",
				      .kind = packet_message_name(packet.message),
				      .mac = packet_mac(&packet, &mac) ? &mac : NULL,
				      .address = ip_from_v4(packet.ciaddr)};

		events_push(backend_events(*server->options.backend), &event);
	}
	if (!answer(server, interface->link, &packet, true, buffer, &reply.length))
		return;
	if (ip_is_none(&reply.peer.address)) {
		reply.peer.address = ip_from_v4(EVERYBODY);
		reply.peer.port = ROUTE_PORT_CLIENT;
	}
	server->counts.answers += udp_send(interface->socket, &reply, 1);
}

static void on_batch(void *data, const struct udp_datagram *datagrams, size_t count)
{
	for (size_t i = 0; i < count; i++)
		answer_datagram(data, &datagrams[i]);
}

enum err proxy_server_add(struct proxy_server *server, struct link *link)
{
	struct proxy_interface *interface = &server->interfaces[server->interface_count];
	struct udp_options options = {
		.port = PROXY_PORT,
		.device = link_name(link),
		.broadcast = true,
		.on_batch = on_batch,
		.data = interface,
	};

	if (server->interface_count == INTERFACES_MAX)
		return ERR_SPACE;
	interface->server = server;
	interface->link = link;
	if (udp_open(server->options.loop, &options, &interface->socket) != ERR_OK) {
		log_error("bind_failed", "interface=%s port=%d reason=%s remedy=%s",
			  link_name(link), PROXY_PORT, log_text(strerror(errno)),
			  log_text("another proxy DHCP server runs here: `ss -lunp sport = "
				   ":4011` names it; stop it, or use mode = \"observe\""));
		return ERR_SYSTEM;
	}
	server->interface_count++;
	return ERR_OK;
}

enum err proxy_server_follow(struct proxy_server *server, size_t position)
{
	struct proxy_interface *interface = &server->interfaces[position];

	return udp_set_device(interface->socket, link_name(interface->link));
}

enum err proxy_server_open(const struct proxy_server_options *options,
			   struct proxy_server **ret_server)
{
	struct proxy_server *server = calloc(1, sizeof(*server));

	if (!server)
		return ERR_MEMORY;
	server->options = *options;
	server->relay_socket =
		socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (options->delay_ms > 0)
		server->held = calloc(HELD_MAX, sizeof(*server->held));
	if (server->relay_socket >= 0 && (options->delay_ms == 0 || server->held)) {
		loop_timer_open(options->loop, &server->timer, release_held, server);
		*ret_server = server;
		return ERR_OK;
	}
	log_error("raw_socket_failed", "reason=%s remedy=%s", log_text(strerror(errno)),
		  log_text("start dhcpd as root, or with the capability CAP_NET_RAW"));
	if (server->relay_socket >= 0)
		(void)close(server->relay_socket);
	free(server->held);
	free(server);
	return ERR_SYSTEM;
}

struct proxy_server_counts proxy_server_counts(const struct proxy_server *server)
{
	return server->counts;
}

static void on_timer_closed(void *data)
{
	struct proxy_server *server = data;

	free(server->held);
	free(server);
}

void proxy_server_close(struct proxy_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < server->interface_count; i++)
		udp_close(server->interfaces[i].socket);
	(void)close(server->relay_socket);
	loop_timer_close_then(&server->timer, on_timer_closed);
}
