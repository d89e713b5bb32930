#include "tftpd/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "io/notify.h"
#include "tftpd/archs.h"
#include "tftpd/deliver.h"
#include "tftpd/drain.h"
#include "tftpd/lessee.h"
#include "tftpd/report.h"
#include "tftpd/request.h"

#define FILES_BESIDES 256 /* descriptors that are no transfer's */
#define AWAKE_BYTES 32768
#define AWAKE_US 50    /* an answer that is to come so soon is waited for awake */
#define REPLY_MAX 1536 /* an ERROR with a long text; an ACK is four octets */

/* The one timer is due at the earliest of what waits; later is found when it fires. */
void server_wake(struct server *server, uint64_t due_ms)
{
	uint64_t now = loop_now_ms(server->loop);

	if (server->timer_due_ms != 0 && server->timer_due_ms <= due_ms)
		return;
	server->timer_due_ms = due_ms > now ? due_ms : now + 1;
	loop_timer_start(&server->timer, server->timer_due_ms - now, 0);
}

void server_await(struct server *server, struct transfer *transfer, uint64_t due_ms)
{
	wheel_set(&server->transfers.wheel, &transfer->waits, loop_now_ms(server->loop),
		  due_ms);
	server_wake(server, due_ms);
}

static void on_unsent(void *data, struct transfer *transfer, unsigned blocks)
{
	struct server *server = data;

	session_hold(&transfer->session, blocks, loop_now_ms(server->loop));
	server_await(server, transfer, transfer->session.wait_until_ms);
}

void server_settle(struct server *server)
{
	uint64_t now = loop_now_ms(server->loop);
	uint64_t due;

	/* what is more takes the client longer than waking up takes us */
	if (server->outbox.count > 0 && server->outbox.used <= AWAKE_BYTES)
		loop_stay_awake(server->loop, AWAKE_US);
	outbox_flush(&server->outbox);
	transfer_forget(&server->transfers, now, (size_t)server->settings->transfers_max);
	due = transfer_forget_due(&server->transfers);
	if (due != 0)
		server_wake(server, due);
	/* not closed here: whoever called may look at its sockets again */
	if (drain_is_idle(server))
		server_wake(server, now + DRAIN_LOOK_MS);
}

static void on_time(void *data)
{
	struct server *server = data;
	uint64_t now = loop_now_ms(server->loop);
	const struct session_event event = {.kind = SESSION_TIMER};
	uint64_t next;

	server->timer_due_ms = 0;
	for (struct transfer *due; (due = transfer_take_due(&server->transfers, now));)
		deliver_step(server, due, &event);
	server_settle(server);
	next = wheel_next(&server->transfers.wheel);
	if (next != 0)
		server_wake(server, next);
	drain_look(server);
}

/* The client of an upload that is whole repeats its last block: our ACK was lost. */
static bool is_dallying(const struct transfer *transfer, const struct udp_datagram *datagram,
			struct packet_reply *ret_reply)
{
	return transfer && transfer->is_ended && transfer->is_upload &&
	       packet_parse_reply(datagram->data, datagram->length, ret_reply) == ERR_OK &&
	       ret_reply->opcode == PACKET_DATA && transfer->is_whole &&
	       receive_is_last(&transfer->receive, ret_reply->number);
}

/* A datagram at a transfer socket from a client that has no transfer there. */
static void answer_stranger(struct server *server, const struct server_tid *tid,
			    const struct transfer *other, const struct udp_datagram *datagram)
{
	uint16_t opcode = packet_opcode(datagram->data, datagram->length);
	struct udp_datagram where = udp_reply_to(datagram);

	/* a straggler of the client's last transfer is no error; an ERROR is never answered,
	   nor anything but a request at the request port */
	if (other || tid->socket == server->listener ||
	    (opcode != PACKET_ACK && opcode != PACKET_DATA) || datagram->peer.port == 0) {
		server->counts.dropped++;
		return;
	}
	deliver_error(server, tid, &where, PACKET_UNKNOWN_TID,
		      "no transfer of yours is open here");
}

static enum session_event_kind kind_of(enum packet_opcode opcode)
{
	if (opcode == PACKET_ERROR)
		return SESSION_ERROR;
	return opcode == PACKET_ACK ? SESSION_ACK : SESSION_DATA;
}

static void take_reply(struct server_tid *tid, const struct udp_datagram *datagram)
{
	struct server *server = tid->server;
	struct transfer *transfer = transfer_find(&server->transfers, &datagram->peer);
	struct session_event event;
	struct packet_reply reply;

	if (is_dallying(transfer, datagram, &reply) && transfer->tid == tid->number) {
		deliver_ack(server, transfer, reply.number);
		return;
	}
	if (!transfer || transfer->is_ended || transfer->tid != tid->number) {
		answer_stranger(server, tid, transfer, datagram);
		return;
	}
	if (packet_parse_reply(datagram->data, datagram->length, &reply) != ERR_OK ||
	    reply.opcode == (transfer->is_upload ? PACKET_ACK : PACKET_DATA)) {
		server->counts.dropped++;
		return;
	}
	transfer_prove(&server->transfers, transfer);
	event = (struct session_event){.kind = kind_of(reply.opcode),
				       .number = reply.number,
				       .message = reply.message,
				       .message_length = reply.message_length};
	deliver_step(server, transfer, &event);
}

static void on_replies(void *data, const struct udp_datagram *datagrams, size_t count)
{
	struct server_tid *tid = data;

	for (size_t i = 0; i < count; i++)
		take_reply(tid, &datagrams[i]);
	server_settle(tid->server);
}

/* Only "port unreachable" says that the client has gone; a route may come back. */
static void on_icmp(void *data, const struct udp_peer *peer, int error)
{
	struct server_tid *tid = data;
	struct transfer *transfer = transfer_find(&tid->server->transfers, peer);
	const struct session_event event = {.kind = SESSION_UNREACHABLE};

	if (error != ECONNREFUSED || !transfer || transfer->is_ended ||
	    transfer->tid != tid->number)
		return;
	deliver_step(tid->server, transfer, &event);
	server_settle(tid->server);
}

static void on_listener_icmp(void *data, const struct udp_peer *peer, int error)
{
	struct server *server = data;

	if (server->tids[0].socket == server->listener)
		on_icmp(&server->tids[0], peer, error);
}

/* Where transfers run on the request port, their replies come to it, too. */
static bool is_reply(const struct server *server, const struct udp_datagram *datagram)
{
	uint16_t opcode = packet_opcode(datagram->data, datagram->length);

	return server->tids[0].socket == server->listener &&
	       (opcode == PACKET_ACK || opcode == PACKET_DATA || opcode == PACKET_ERROR);
}

static void on_requests(void *data, const struct udp_datagram *datagrams, size_t count)
{
	struct server *server = data;

	server->turn_tid = server_other_tid(server, server->turn_tid)->number;
	for (size_t i = 0; i < count; i++) {
		if (is_reply(server, &datagrams[i]))
			take_reply(&server->tids[0], &datagrams[i]);
		else if (server->drain_until_ms == 0)
			request_take(server, &datagrams[i]);
	}
	server_settle(server);
}

void server_take_again(struct server *server, const struct udp_datagram *datagram, bool is_read)
{
	server->turn_tid = server_other_tid(server, server->turn_tid)->number;
	request_take_again(server, datagram, is_read);
	server_settle(server);
}

struct server_tid *server_turn_tid(struct server *server)
{
	return &server->tids[server->turn_tid];
}

struct server_tid *server_other_tid(struct server *server, unsigned number)
{
	return &server->tids[(number + 1) % server->tid_count];
}

static const char *remedy_for(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another TFTP server holds it: find it with 'ss -ulpn', stop it, or set "
		       "'listen' or 'port'";
	case EACCES:
		return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
	case EINVAL:
	case ENODEV:
		return "the zone in 'listen' (behind %) must name an interface of this machine";
	case EADDRNOTAVAIL:
		return "'listen' must be an address of this machine, or :: for all";
	default:
		return "see the reason";
	}
}

static enum err open_listener(struct server *server)
{
	const struct settings *settings = server->settings;
	struct udp_options options = {.address = settings_address(settings),
				      .scope = settings_scope(settings),
				      .both = settings_is_both(settings),
				      .port = (uint16_t)settings->port,
				      .activated = notify_socket("tftp"),
				      .reuse_port = settings->reuse_port,
				      .on_batch = on_requests,
				      .on_error = on_listener_icmp,
				      .data = server};
	enum err err = udp_open(server->loop, &options, &server->listener);

	if (err != ERR_OK)
		log_error("port_unusable", "address=%s port=%ld reason=%s remedy=%s",
			  log_text(settings->listen), settings->port,
			  log_text(err == ERR_SYSTEM ? strerror(errno) : err_text(err)),
			  log_text(remedy_for(err == ERR_SYSTEM ? errno : 0)));
	return err;
}

static enum err open_tid(struct server *server, uint16_t port)
{
	struct server_tid *tid = &server->tids[server->tid_count];
	bool may_upload = server->settings->upload_root[0] != '\0';
	struct udp_options options = {.address = settings_address(server->settings),
				      .scope = settings_scope(server->settings),
				      .both = settings_is_both(server->settings),
				      .port = port,
				      .datagram_max = may_upload ? 0 : REPLY_MAX,
				      .on_batch = on_replies,
				      .on_error = on_icmp,
				      .data = tid};
	enum err err = udp_open(server->loop, &options, &tid->socket);

	if (err != ERR_OK)
		return err;
	tid->server = server;
	tid->number = server->tid_count++;
	return ERR_OK;
}

/* As many of the range as are free: another process may hold some. */
static enum err open_range(struct server *server, struct ports ports)
{
	enum err err = ERR_ABSENT;

	for (uint32_t port = ports.first; port <= ports.last && server->tid_count < SERVER_TIDS;
	     port++) {
		err = open_tid(server, (uint16_t)port);
		if (err != ERR_OK && (err != ERR_SYSTEM || errno != EADDRINUSE))
			return err;
	}
	return server->tid_count > 0 ? ERR_OK : err;
}

static enum err open_any(struct server *server)
{
	while (server->tid_count < SERVER_TIDS) {
		enum err err = open_tid(server, 0);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err open_tids(struct server *server)
{
	struct ports ports = settings_ports(server->settings);
	enum err err;

	if (ports.is_same) {
		server->tids[0] =
			(struct server_tid){.server = server, .socket = server->listener};
		server->tid_count = 1;
		return ERR_OK;
	}
	err = ports.first ? open_range(server, ports) : open_any(server);
	if (err != ERR_OK)
		log_error("socket_failed", "address=%s transfer_ports=%s reason=%s remedy=%s",
			  log_text(server->settings->listen),
			  log_text(server->settings->transfer_ports),
			  log_text(err == ERR_SYSTEM ? strerror(errno) : err_text(err)),
			  log_text("name ports that nobody else uses, or set transfer_ports "
				   "to any"));
	return err;
}

static enum err open_folders(const char *key, const char *value, struct source_roots *roots)
{
	enum err err = source_roots_parse(value, roots);

	if (err != ERR_OK && err != ERR_ABSENT)
		log_error("bad_setting", "key=%s value=%s reason=%s remedy=%s", key,
			  log_text(value), err_text(err),
			  log_text("name one to eight folders, parted by blanks"));
	return err;
}

static enum err open_roots(struct server *server)
{
	const struct settings *settings = server->settings;
	enum err err = open_folders("root", settings->root, &server->roots);

	if (err == ERR_ABSENT)
		log_error("bad_setting", "key=root value=%s remedy=%s",
			  log_text(settings->root), log_text("name a folder to serve"));
	if (err != ERR_OK)
		return err;
	err = open_folders("boot_root", settings->boot_root, &server->boot_roots);
	/* without any, kernels are served from the roots alone */
	return err == ERR_ABSENT ? ERR_OK : err;
}

/* Each transfer holds its file open. */
static void raise_file_limit(const struct server *server)
{
	rlim_t wanted = (rlim_t)server->settings->transfers_max + FILES_BESIDES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted; /* root may */
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	log_warning(
		"files_few", "transfers_max=%ld reason=%s remedy=%s",
		server->settings->transfers_max, log_text(strerror(errno)),
		log_text("raise LimitNOFILE= of the unit (ulimit -n), or lower transfers_max"));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

enum err server_open(struct server *server, struct loop *loop, const struct settings *settings)
{
	enum err err;

	server->loop = loop;
	server->settings = settings;
	server->repairs = settings_repairs(settings);
	server->lessees.kind = &lessee_kind;
	server->archs.kind = &archs_kind;
	server->outbox.on_unsent = on_unsent;
	server->outbox.data = server;
	raise_file_limit(server);
	loop_timer_open(loop, &server->timer, on_time, server);
	if (neigh_open(&server->neigh) != ERR_OK)
		log_warning("neighbours_unknown", "reason=%s effect=%s",
			    log_text(strerror(errno)),
			    log_text("clients are named by address only"));
	err = map_read(settings->map_file, &server->map);
	if (err != ERR_OK)
		return ERR_FORMAT;
	err = open_roots(server);
	if (err == ERR_OK)
		err = open_listener(server);
	return err == ERR_OK ? open_tids(server) : err;
}

const char *server_status(void *data)
{
	struct server *server = data;
	const struct server_counts *counts = &server->counts;
	struct text out = text_into(server->status, sizeof(server->status));

	text_printf(&out,
		    "%zu transfers open; %" PRIu64 " requests, %" PRIu64 " sent, %" PRIu64
		    " received, %" PRIu64 " missing, %" PRIu64 " refused, %" PRIu64
		    " aborted, %" PRIu64 " timed out, %" PRIu64 " loops broken",
		    server->transfers.open_count, counts->requests, counts->sent,
		    counts->received, counts->missing, counts->refused, counts->aborted,
		    counts->timeouts, counts->loops_broken);
	for (unsigned i = 0; i < REPAIRS; i++)
		text_printf(&out, "%s%s %" PRIu64, i == 0 ? "; repaired: " : ", ",
			    repair_name((enum repair)i), counts->repaired[i]);
	return server->status;
}

void server_stop_requests(struct server *server)
{
	/* where transfers run on it, their replies still come */
	if (server->tids[0].socket != server->listener) {
		udp_close(server->listener);
		server->listener = NULL;
	}
	parked_close(&server->offers);
	parked_close(&server->cold);
	inquiry_close(&server->lessees);
	inquiry_close(&server->archs);
}

void server_close(struct server *server)
{
	const struct session_event event = {.kind = SESSION_STOPPING};

	server_stop_requests(server);
	while (transfer_any(&server->transfers))
		deliver_step(server, transfer_any(&server->transfers), &event);
	outbox_flush(&server->outbox);
	loop_timer_close(&server->timer);
	/* the listener is one of them, or closed already */
	for (unsigned i = 0; i < server->tid_count; i++)
		udp_close(server->tids[i].socket);
	transfer_table_free(&server->transfers);
	kept_close(&server->kept);
	map_free(&server->map);
	folds_free(&server->folds);
	source_roots_free(&server->roots);
	source_roots_free(&server->boot_roots);
	neigh_close(&server->neigh);
}
