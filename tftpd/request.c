#include "tftpd/request.h"

#include <stdio.h>
#include <string.h>

#include "core/search.h"
#include "tftpd/admit.h"
#include "tftpd/archs.h"
#include "tftpd/asked.h"
#include "tftpd/cold.h"
#include "tftpd/deliver.h"
#include "tftpd/lessee.h"
#include "tftpd/open.h"
#include "tftpd/report.h"
#include "tftpd/wrq.h"

/* Ports whose services answer anything: two servers would talk to each other for ever. */
static bool is_reflecting_port(uint16_t port)
{
	static const uint16_t ports[] = {0, 7, 17, 19, 53, 69, 123};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (port == ports[i])
			return true;
	}
	return false;
}

/*
 * RFC 1123 section 4.2.3.5: a request to a broadcast address is not answered. Then `local` is
 * another one. It is none for IPv6's multicast, and for what came to a socket before it was
 * ours and had its options (systemd.socket(5), PassPacketInfo=).
 */
static bool is_for_us(const struct server *server, const struct udp_datagram *datagram)
{
	if (server->settings->broadcasts)
		return true;
	return ip_is_none(&datagram->local)
		       ? !ip_is_multicast(&datagram->destination)
		       : ip_equal(&datagram->destination, &datagram->local);
}

static bool is_same_request(const struct transfer *transfer, const struct asked *asked)
{
	if (transfer->is_upload != (asked->request.opcode == PACKET_WRQ) ||
	    strcmp(transfer->name, asked->resolved.path.name) != 0)
		return false;
	for (int i = 0; i < PACKET_OPTIONS; i++) {
		if (transfer->asked.option[i].is_asked !=
			    asked->request.options.option[i].is_asked ||
		    transfer->asked.option[i].value != asked->request.options.option[i].value)
			return false;
	}
	return true;
}

/* The client's transfer before this request: goes on (true), or ends. */
static bool goes_on(const struct asked *asked, struct transfer *transfer)
{
	uint64_t now = loop_now_ms(asked->server->loop);
	bool may_be_repeat = transfer->is_upload
				     ? receive_may_be_asked_again(&transfer->receive, now)
				     : session_may_be_asked_again(&transfer->session, now);
	bool is_repeat = may_be_repeat && is_same_request(transfer, asked);
	struct session_event event = {.kind = is_repeat ? SESSION_ASKED_AGAIN
							: SESSION_REPLACED};

	deliver_step(asked->server, transfer, &event);
	return is_repeat;
}

/* Is there room for one more? If not, the client is told or, when all is full, asks again. */
static bool is_admitted(const struct asked *asked)
{
	enum admit_verdict verdict =
		admit_request(asked->server, &asked->datagram->peer.address);

	if (verdict == ADMIT_TOO_MANY)
		asked_refuse(asked, PACKET_UNDEFINED,
			     "too many transfers at once from this address: ask again later");
	return verdict == ADMIT_YES;
}

/* The largest block that this client is granted. */
static uint16_t blksize_for(const struct asked *asked)
{
	struct server *server = asked->server;

	if (server->settings->blksize_max > 0)
		return (uint16_t)server->settings->blksize_max;
	return mtu_blksize(&server->mtu, asked->datagram->interface,
			   &asked->datagram->peer.address, loop_now_ms(server->loop));
}

/* A transfer with everything but its octets; NULL when it was refused. */
static struct transfer *open_transfer(const struct asked *asked, unsigned last_tid)
{
	struct server *server = asked->server;
	struct transfer *transfer = transfer_new(&server->transfers, &asked->datagram->peer);

	if (!transfer) {
		asked_refuse(asked, PACKET_UNDEFINED, "the server is out of memory");
		return NULL;
	}
	transfer->tid = server_turn_tid(server)->number;
	/* stragglers of the last transfer must not meet the new one */
	if (transfer->tid == last_tid)
		transfer->tid = server_other_tid(server, last_tid)->number;
	transfer->local = asked->datagram->local;
	transfer->interface = asked->datagram->interface;
	transfer->asked = asked->request.options;
	transfer->stage = asked->stage;
	transfer->is_netascii = asked->request.mode == PACKET_NETASCII;
	transfer->mac = asked->mac;
	transfer->has_mac = asked->has_mac;
	transfer->started_ms = loop_now_ms(server->loop);
	(void)snprintf(transfer->name, sizeof(transfer->name), "%s", asked->resolved.path.name);
	return transfer;
}

static void begin(const struct asked *asked, struct source *source, unsigned last_tid)
{
	struct session_limits limits = {.blksize = blksize_for(asked),
					.windowsize = SESSION_WINDOW_MAX};
	struct transfer *transfer = open_transfer(asked, last_tid);
	const struct session_event event = {.kind = SESSION_START};
	struct session_terms terms;

	if (!transfer) {
		source_close(source);
		return;
	}
	transfer->source = *source;
	terms = session_agree(&transfer->asked, &limits, source->size);
	session_begin(&transfer->session, &terms, transfer->started_ms);
	deliver_step(asked->server, transfer, &event);
}

static void begin_upload(const struct asked *asked, unsigned last_tid)
{
	const struct packet_options *options = &asked->request.options;
	struct session_limits limits = wrq_limits(options, blksize_for(asked));
	struct session_terms terms =
		session_agree(options, &limits, options->option[PACKET_TSIZE].value);
	const struct session_event event = {.kind = SESSION_START};
	struct transfer *transfer;
	struct upload *upload;

	if (wrq_open(asked, &terms, &upload) != ERR_OK)
		return;
	transfer = open_transfer(asked, last_tid);
	if (!transfer) {
		upload_release(upload);
		return;
	}
	transfer->is_upload = true;
	transfer->upload = upload;
	upload_set_owner(upload, transfer);
	receive_begin(&transfer->receive, &terms, wrq_octets_max(asked->server->settings),
		      transfer->started_ms);
	deliver_step(asked->server, transfer, &event);
}

static void await_disk(const struct asked *asked, const struct source *source)
{
	if (cold_wait(asked->server, asked->datagram, source) != ERR_OK)
		asked_refuse(asked, PACKET_UNDEFINED,
			     "too many wait for the disk: ask again in a moment");
}

/* The octets as the client's mode wants them; false: refused, or parked until they are read. */
static bool suits_mode(const struct asked *asked, struct source *source)
{
	enum err err = ERR_OK;

	if (asked->request.mode == PACKET_NETASCII)
		err = source_to_netascii(source, asked->is_read);
	if (err == ERR_OK)
		return true;
	if (err == ERR_AWAY)
		await_disk(asked, source);
	else
		asked_refuse(asked, PACKET_UNDEFINED,
			     err == ERR_SPACE ? "too large for mode netascii: ask in mode octet"
					      : "the file could not be read");
	source_close(source);
	return false;
}

/* What was done about the name, once it can be served. */
static void tell_of_name(const struct asked *asked)
{
	const struct mac *mac = asked->has_mac ? &asked->mac : NULL;
	struct report_repair repair = {.peer = &asked->datagram->peer,
				       .mac = mac,
				       .stage = asked->stage,
				       .name = asked->request.name,
				       .served = asked->served[0] ? asked->served
								  : asked->resolved.path.name,
				       .repaired = asked->repaired};

	if (asked->is_loop)
		report_loop(asked->server, repair.peer, mac, asked->request.name);
	if (asked->repaired)
		report_repair(asked->server, &repair);
}

/*
 * The client's last word on its transfer was sent before this request, and may still lie unread
 * at the transfer's socket. Reading it may end other transfers too: looked up anew.
 */
static struct transfer *hear_out(const struct asked *asked, const struct transfer *last)
{
	struct server *server = asked->server;

	/* where one socket is for all, what it said before was read before */
	if (server->tids[last->tid].socket != server->listener)
		udp_receive(server->tids[last->tid].socket);
	return transfer_find(&server->transfers, &asked->datagram->peer);
}

static void serve(struct asked *asked)
{
	struct transfer *last =
		transfer_find(&asked->server->transfers, &asked->datagram->peer);
	struct source source;
	unsigned last_tid;

	if (last && !last->is_ended)
		last = hear_out(asked, last);
	if (last && !last->is_ended && goes_on(asked, last))
		return;
	last_tid = last ? last->tid : SERVER_TIDS;
	if (!is_admitted(asked))
		return;
	if (asked->request.opcode == PACKET_WRQ) {
		begin_upload(asked, last_tid);
		return;
	}
	if (open_asked(asked, &source) != ERR_OK || !suits_mode(asked, &source))
		return;
	tell_of_name(asked);
	begin(asked, &source, last_tid);
}

/* iPXE that asks for iPXE would ask so for ever: from here on it has asked for its script. */
static void break_loop(struct asked *asked)
{
	struct resolve_client client = asked_client(asked);

	asked->is_loop = resolve_is_loop(&client, &asked->resolved, &asked->request.options,
					 asked->server->settings->loop_breaker);
	if (asked->is_loop)
		asked->resolved = resolve_name("default.ipxe", strlen("default.ipxe"));
}

/* What the request itself forbids; false when it was refused. */
static bool is_acceptable(struct asked *asked)
{
	const struct packet_request *request = &asked->request;

	if (request->mode == PACKET_MODE_OTHER) {
		asked_refuse(asked, PACKET_ILLEGAL,
			     "only modes octet and netascii are served: say 'binary' to your "
			     "client");
		return false;
	}
	if (asked->resolved.kind == RESOLVE_REFUSED) {
		asked_refuse(asked, asked->resolved.code, asked->resolved.reason);
		return false;
	}
	if (asked->repaired & ~asked->server->repairs) {
		asked_refuse(
			asked, PACKET_NOT_FOUND,
			"the name has to be mended, and that is switched off: see 'repairs'");
		return false;
	}
	return true;
}

/* The site's rules speak before anything else looks at the name; false when it was refused. */
static bool follow_map(struct asked *asked)
{
	struct packet_request *request = &asked->request;
	char mac[MAC_TEXT_SIZE];
	enum err err;

	if (asked->server->map.count == 0)
		return true;
	err = map_apply(&asked->server->map, request->opcode == PACKET_WRQ,
			&asked->datagram->peer.address, request->name, asked->mapped);
	if (err == ERR_REFUSED) {
		asked_refuse(asked, PACKET_ACCESS,
			     asked->mapped[0] ? asked->mapped
					      : "a rule of the map file refuses this name");
		return false;
	}
	if (err != ERR_OK) {
		asked_refuse(asked, PACKET_ACCESS,
			     "the map file's rules make the name too long");
		return false;
	}
	if (strcmp(asked->mapped, request->name) == 0)
		return true;
	log_debug("name_mapped", "mac=%s asked=%s name=%s", asked_mac(asked, mac),
		  log_text(request->name), log_text(asked->mapped));
	request->name = asked->mapped;
	request->name_length = strlen(asked->mapped);
	return true;
}

/* What kind of machine asks; false: the request is parked for the database's word on it. */
static bool is_placed(struct asked *asked)
{
	enum err err;

	if (!asked->server->settings->client_views || !asked->has_mac ||
	    asked->resolved.is_raw || asked->request.opcode == PACKET_WRQ)
		return true;
	err = archs_find(asked->server, asked->datagram, &asked->mac, &asked->arch);
	asked->has_arch = err == ERR_OK;
	return err != ERR_AWAY;
}

/* Who asks, if it can be found; false: the request is parked for the database's word on it. */
static bool is_named(struct asked *asked)
{
	enum err err;

	if (asked->has_mac)
		return true;
	err = lessee_find(asked->server, asked->datagram, &asked->mac);
	asked->has_mac = err == ERR_OK;
	return err != ERR_AWAY;
}

/* Whom neither neighbour table nor lease knows may say it by the name of its configuration. */
static void hear_name(struct asked *asked)
{
	struct search search;

	if (asked->has_mac || asked->resolved.kind != RESOLVE_CONFIG ||
	    !search_parse(asked->resolved.path.name, &search) || search.by != SEARCH_MAC)
		return;
	asked->mac = search.mac;
	asked->has_mac = true;
}

void request_take(struct server *server, const struct udp_datagram *datagram)
{
	uint16_t opcode = packet_opcode(datagram->data, datagram->length);

	/* anything else at this port gets no answer, lest servers answer each other */
	if ((opcode != PACKET_RRQ && opcode != PACKET_WRQ) ||
	    is_reflecting_port(datagram->peer.port) || !is_for_us(server, datagram)) {
		server->counts.dropped++;
		return;
	}
	server->counts.requests++;
	request_take_again(server, datagram, false);
}

void request_take_again(struct server *server, const struct udp_datagram *datagram,
			bool is_read)
{
	struct asked asked = {.server = server,
			      .datagram = datagram,
			      .stage = "tftp_nbp",
			      .is_read = is_read};

	asked.has_mac = neigh_find(&server->neigh, datagram->interface, &datagram->peer.address,
				   &asked.mac) == ERR_OK;
	if (packet_parse_request(datagram->data, datagram->length, &asked.request) != ERR_OK) {
		asked_refuse(&asked, PACKET_ILLEGAL,
			     "the request is cut off: name or mode is missing");
		return;
	}
	if (!is_named(&asked) || !follow_map(&asked))
		return;
	asked.resolved = resolve_name(asked.request.name, asked.request.name_length);
	asked.repaired = repair_of_path(&asked.resolved.path);
	hear_name(&asked);
	if (asked.request.opcode == PACKET_WRQ) {
		asked.stage = "upload";
	} else {
		break_loop(&asked);
		asked.stage =
			resolve_stage(backend_site(server->backend), asked.resolved.path.name);
	}
	if (is_acceptable(&asked) && is_placed(&asked))
		serve(&asked);
}
