#include "tftpd/request.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tftpd/admit.h"
#include "tftpd/fold.h"
#include "tftpd/generate.h"
#include "tftpd/packet.h"
#include "tftpd/repair.h"
#include "tftpd/report.h"
#include "tftpd/resolve.h"

#define SCRIPT_SIZE 16384
#define NETWORK_HEADERS 32   /* IPv4, UDP and TFTP before a block's octets */
#define BLKSIZE_CAREFUL 1468 /* fits Ethernet */
#define BLKSIZE_KNOWN_MS 1000

/* One request on its way to a transfer. */
struct asked {
	struct server *server;
	const struct udp_datagram *datagram;
	struct packet_request request;
	struct resolved resolved;
	struct mac mac;
	bool has_mac;
	unsigned repaired; /* what had to be mended in the name, a set of 1 << enum repair */
	char mapped[PATH_SIZE]; /* the name by the site's rules */
	char served[PATH_SIZE]; /* the file's own name, when it is another than was asked */
	bool is_loop;		/* iPXE asked for its own binary: it gets its script */
	const char *stage;
};

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

/* An ERROR comes from a transfer socket as RFC 1350 wants, and costs no transfer. */
static void refuse(const struct asked *asked, enum packet_code code, const char *reason)
{
	struct udp_datagram where = {.peer = asked->datagram->peer,
				     .local = asked->datagram->local};
	bool is_clean = asked->resolved.path.name[0] != '\0';
	const char *request_name = asked->request.name ? asked->request.name : "";
	struct report_refusal refusal = {
		.peer = &asked->datagram->peer,
		.mac = asked->has_mac ? &asked->mac : NULL,
		.stage = asked->stage,
		.name = is_clean ? asked->resolved.path.name : request_name,
		.code = code,
		.reason = reason,
	};

	server_send_error(asked->server, server_turn_tid(asked->server), &where, code, reason);
	report_refusal(asked->server, &refusal);
}

static bool is_same_request(const struct transfer *transfer, const struct asked *asked)
{
	if (strcmp(transfer->name, asked->resolved.path.name) != 0)
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
	bool is_repeat = is_same_request(transfer, asked) &&
			 session_may_be_asked_again(&transfer->session, now);
	struct session_event event = {.kind = is_repeat ? SESSION_ASKED_AGAIN
							: SESSION_REPLACED};

	server_step(asked->server, transfer, &event);
	return is_repeat;
}

/* Is there room for one more? If not, the client is told or, when all is full, asks again. */
static bool is_admitted(const struct asked *asked)
{
	enum admit_verdict verdict =
		admit_request(asked->server, asked->datagram->peer.sin_addr);

	if (verdict == ADMIT_TOO_MANY)
		refuse(asked, PACKET_UNDEFINED,
		       "too many transfers at once from this address: ask again later");
	return verdict == ADMIT_YES;
}

static enum err make_script(const struct asked *asked, const struct resolve_client *client,
			    const struct resolve_verdict *verdict, struct source *ret_source)
{
	char buffer[SCRIPT_SIZE];
	struct text text = text_into(buffer, sizeof(buffer));
	enum err err = resolve_render(client, verdict, &text);

	if (err == ERR_OK)
		err = source_from_text(buffer, text.length, ret_source);
	if (err != ERR_OK) {
		log_error("script_failed", "file=%s reason=%s remedy=%s",
			  asked->resolved.path.name, err_text(err),
			  log_text("menud_urls must hold one to sixteen URLs"));
		refuse(asked, PACKET_UNDEFINED, "the script could not be made: see the log");
	}
	return err;
}

/* Where the client's loader ought to have asked. */
static enum err open_in_other_folder(struct asked *asked, struct source *ret_source,
				     const char **ret_reason)
{
	struct repair_paths others;

	if (!(asked->server->repairs >> REPAIR_FOLDER & 1))
		return ERR_ABSENT;
	repair_folders(backend_site(asked->server->backend), resolve_file(&asked->resolved),
		       &others);
	for (size_t i = 0; i < others.count; i++) {
		enum err err = source_open(&asked->server->roots, others.path[i], ret_source,
					   ret_reason);

		if (err == ERR_ABSENT)
			continue;
		asked->repaired |= 1U << REPAIR_FOLDER;
		memcpy(asked->served, others.path[i], sizeof(asked->served));
		return err;
	}
	return ERR_ABSENT;
}

static enum err open_in_other_case(struct asked *asked, struct source *ret_source,
				   const char **ret_reason)
{
	const struct source_roots *roots = &asked->server->roots;

	if (!(asked->server->repairs >> REPAIR_CASE & 1) ||
	    fold_find(&asked->server->folds, roots, resolve_file(&asked->resolved),
		      asked->served) != ERR_OK)
		return ERR_ABSENT;
	asked->repaired |= 1U << REPAIR_CASE;
	return source_open(roots, asked->served, ret_source, ret_reason);
}

static struct resolve_client client_of(const struct asked *asked)
{
	return (struct resolve_client){
		.site = backend_site(asked->server->backend),
		.mac = asked->has_mac ? &asked->mac : NULL,
		.address = ntohl(asked->datagram->peer.sin_addr.s_addr),
		.menud_urls = asked->server->settings->menud_urls,
	};
}

/* The client's own version of the file, where the site has one. */
static enum err open_in_view(struct asked *asked, struct source *ret_source,
			     const char **ret_reason)
{
	struct resolve_client client = client_of(asked);
	char views[RESOLVE_VIEWS][PATH_SIZE];
	size_t count = 0;

	if (asked->server->settings->client_views && !asked->resolved.is_raw)
		count = resolve_views(&client, asked->resolved.path.name, views);
	for (size_t i = 0; i < count; i++) {
		enum err err =
			source_open(&asked->server->roots, views[i], ret_source, ret_reason);

		if (err == ERR_ABSENT)
			continue;
		log_debug("view_served", "file=%s", log_text(views[i]));
		return err;
	}
	return ERR_ABSENT;
}

/* A file of a root. ERR_ABSENT is for the caller to answer, anything else is refused here. */
static enum err open_file(struct asked *asked, struct source *ret_source)
{
	const char *reason = "";
	enum err err = open_in_view(asked, ret_source, &reason);

	if (err == ERR_ABSENT)
		err = source_open(&asked->server->roots, resolve_file(&asked->resolved),
				  ret_source, &reason);
	if (err == ERR_ABSENT && resolve_is_of_site(backend_site(asked->server->backend),
						    resolve_file(&asked->resolved)))
		err = source_open(&asked->server->boot_roots, resolve_file(&asked->resolved),
				  ret_source, &reason);
	if (err == ERR_ABSENT)
		err = open_in_other_folder(asked, ret_source, &reason);
	if (err == ERR_ABSENT)
		err = open_in_other_case(asked, ret_source, &reason);

	if (err == ERR_REFUSED)
		refuse(asked, PACKET_ACCESS, reason);
	if (err == ERR_SYSTEM) {
		log_error("file_failed", "file=%s reason=%s",
			  log_text(asked->resolved.path.name), log_text(strerror(errno)));
		refuse(asked, PACKET_UNDEFINED, "the server could not open it: see its log");
	}
	return err;
}

/* The policy first; then the site's own file; then what is made. */
static enum err open_script(struct asked *asked, struct source *ret_source)
{
	struct resolve_client client = client_of(asked);
	struct resolve_verdict verdict = resolve_decide(&client);
	enum err err = ERR_ABSENT;

	if (verdict.answer == RESOLVE_FORBID) {
		refuse(asked, PACKET_ACCESS, verdict.reason);
		return ERR_REFUSED;
	}
	if (verdict.answer == RESOLVE_ALLOW)
		err = open_file(asked, ret_source);
	return err == ERR_ABSENT ? make_script(asked, &client, &verdict, ret_source) : err;
}

/* Is there a file under the name that this search ends with? Then the site has its own way. */
static bool has_own_config(const struct asked *asked, const struct search *search)
{
	struct source source;
	const char *reason;

	if (source_open(&asked->server->roots, search->last, &source, &reason) != ERR_OK)
		return false;
	source_close(&source);
	return true;
}

/* The site's own file; else what is made for the machine. */
static enum err open_config(struct asked *asked, struct source *ret_source)
{
	struct generate_ask ask = {.datagram = asked->datagram,
				   .name = asked->resolved.path.name,
				   .client = client_of(asked)};
	const char *reason = "no such file in any root, and none is made of that name";
	enum err err = open_file(asked, ret_source);

	if (err != ERR_ABSENT)
		return err;
	if (search_parse(ask.name, &ask.search) && !has_own_config(asked, &ask.search))
		err = generate_config(asked->server, &ask, ret_source, &reason);
	if (err == ERR_ABSENT)
		refuse(asked, PACKET_NOT_FOUND, reason);
	else if (err == ERR_REFUSED)
		refuse(asked, PACKET_ACCESS, reason);
	else if (err != ERR_OK && err != ERR_AWAY)
		refuse(asked, PACKET_UNDEFINED,
		       "the configuration could not be made: see the log");
	return err;
}

static enum err open_source(struct asked *asked, struct source *ret_source)
{
	enum err err;

	if (asked->resolved.kind == RESOLVE_SCRIPT)
		return open_script(asked, ret_source);
	if (asked->resolved.kind == RESOLVE_CONFIG)
		return open_config(asked, ret_source);
	err = open_file(asked, ret_source);
	if (err == ERR_ABSENT)
		refuse(asked, PACKET_NOT_FOUND, "no such file in any root");
	return err;
}

/* The largest block that the interface carries in one piece. */
static uint16_t blksize_of(unsigned interface)
{
	struct ifreq wanted = {.ifr_ifindex = (int)interface};
	int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int most = BLKSIZE_CAREFUL;

	if (handle < 0)
		return BLKSIZE_CAREFUL;
	if (ioctl(handle, SIOCGIFNAME, &wanted) == 0 && ioctl(handle, SIOCGIFMTU, &wanted) == 0)
		most = wanted.ifr_mtu - NETWORK_HEADERS;
	(void)close(handle);
	if (most < PACKET_BLKSIZE_DEFAULT)
		return PACKET_BLKSIZE_DEFAULT;
	return (uint16_t)(most > PACKET_BLKSIZE_MAX ? PACKET_BLKSIZE_MAX : most);
}

/* Four system calls are much for a file of a few octets: good for a second. */
static uint16_t blksize_at(struct server *server, unsigned interface)
{
	struct server_blksize *known = &server->blksize;
	uint64_t now = loop_now_ms(server->loop);

	if (server->settings->blksize_max > 0)
		return (uint16_t)server->settings->blksize_max;
	if (known->interface != interface || now >= known->until_ms)
		*known = (struct server_blksize){interface, blksize_of(interface),
						 now + BLKSIZE_KNOWN_MS};
	return known->blksize;
}

static void begin(const struct asked *asked, struct source *source, unsigned last_tid)
{
	struct server *server = asked->server;
	struct session_limits limits = {.blksize =
						blksize_at(server, asked->datagram->interface),
					.windowsize = SESSION_WINDOW_MAX};
	struct transfer *transfer = transfer_new(&server->transfers, &asked->datagram->peer);
	const struct session_event event = {.kind = SESSION_START};
	struct session_terms terms;

	if (!transfer) {
		source_close(source);
		refuse(asked, PACKET_UNDEFINED, "the server is out of memory");
		return;
	}
	transfer->tid = server_turn_tid(server)->number;
	/* stragglers of the last transfer must not meet the new one */
	if (transfer->tid == last_tid)
		transfer->tid = server_other_tid(server, last_tid)->number;
	transfer->local = asked->datagram->local;
	transfer->asked = asked->request.options;
	transfer->source = *source;
	transfer->stage = asked->stage;
	transfer->mac = asked->mac;
	transfer->has_mac = asked->has_mac;
	transfer->started_ms = loop_now_ms(server->loop);
	(void)snprintf(transfer->name, sizeof(transfer->name), "%s", asked->resolved.path.name);
	terms = session_agree(&transfer->asked, &limits, source->size);
	session_begin(&transfer->session, &terms, transfer->started_ms);
	server_step(server, transfer, &event);
}

/* The octets as the client's mode wants them; false when it was refused. */
static bool suits_mode(const struct asked *asked, struct source *source)
{
	enum err err = ERR_OK;

	if (asked->request.mode == PACKET_NETASCII)
		err = source_to_netascii(source);
	if (err == ERR_OK)
		return true;
	source_close(source);
	refuse(asked, PACKET_UNDEFINED,
	       err == ERR_SPACE ? "too large for mode netascii: ask in mode octet"
				: "the file could not be read");
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

	if (last && !last->is_ended)
		last = hear_out(asked, last);
	if (last && !last->is_ended && goes_on(asked, last))
		return;
	if (!is_admitted(asked) || open_source(asked, &source) != ERR_OK ||
	    !suits_mode(asked, &source))
		return;
	tell_of_name(asked);
	begin(asked, &source, last ? last->tid : SERVER_TIDS);
}

/* iPXE that asks for iPXE would ask so for ever: from here on it has asked for its script. */
static void break_loop(struct asked *asked)
{
	struct resolve_client client = client_of(asked);

	asked->is_loop = resolve_is_loop(&client, &asked->resolved, &asked->request.options,
					 asked->server->settings->loop_breaker);
	if (asked->is_loop)
		asked->resolved = resolve_name("default.ipxe", strlen("default.ipxe"));
}

/* What the request itself forbids; false when it was refused. */
static bool is_acceptable(struct asked *asked)
{
	const struct packet_request *request = &asked->request;

	if (request->opcode == PACKET_WRQ) {
		refuse(asked, PACKET_ACCESS, "this server takes no files, it only gives them");
		return false;
	}
	if (request->mode == PACKET_MODE_OTHER) {
		refuse(asked, PACKET_ILLEGAL,
		       "only modes octet and netascii are served: say 'binary' to your client");
		return false;
	}
	if (asked->resolved.kind == RESOLVE_REFUSED) {
		refuse(asked, asked->resolved.code, asked->resolved.reason);
		return false;
	}
	if (asked->repaired & ~asked->server->repairs) {
		refuse(asked, PACKET_NOT_FOUND,
		       "the name has to be mended, and that is switched off: see 'repairs'");
		return false;
	}
	return true;
}

/* The site's rules speak before anything else looks at the name; false when it was refused. */
static bool follow_map(struct asked *asked)
{
	struct packet_request *request = &asked->request;
	enum err err;

	if (asked->server->map.count == 0)
		return true;
	err = map_apply(&asked->server->map, request->opcode == PACKET_WRQ,
			ntohl(asked->datagram->peer.sin_addr.s_addr), request->name,
			asked->mapped);
	if (err != ERR_OK) {
		refuse(asked, PACKET_ACCESS,
		       err == ERR_REFUSED ? "a rule of the map file refuses this name"
					  : "the map file's rules make the name too long");
		return false;
	}
	if (strcmp(asked->mapped, request->name) == 0)
		return true;
	asked->server->counts.mapped++;
	log_debug("name_mapped", "asked=%s name=%s", log_text(request->name),
		  log_text(asked->mapped));
	request->name = asked->mapped;
	request->name_length = strlen(asked->mapped);
	return true;
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

void request_take(struct server *server, const struct udp_datagram *datagram)
{
	uint16_t opcode = packet_opcode(datagram->data, datagram->length);
	struct asked asked = {.server = server, .datagram = datagram, .stage = "tftp_nbp"};

	/* anything else at this port gets no answer, lest servers answer each other */
	if ((opcode != PACKET_RRQ && opcode != PACKET_WRQ) ||
	    is_reflecting_port(ntohs(datagram->peer.sin_port))) {
		server->counts.dropped++;
		return;
	}
	server->counts.requests++;
	asked.has_mac = neigh_find(&server->neigh, datagram->interface, datagram->peer.sin_addr,
				   &asked.mac) == ERR_OK;
	if (packet_parse_request(datagram->data, datagram->length, &asked.request) != ERR_OK) {
		refuse(&asked, PACKET_ILLEGAL,
		       "the request is cut off: name or mode is missing");
		return;
	}
	if (!is_named(&asked) || !follow_map(&asked))
		return;
	asked.resolved = resolve_name(asked.request.name, asked.request.name_length);
	asked.repaired = repair_of_path(&asked.resolved.path);
	break_loop(&asked);
	asked.stage = resolve_stage(backend_site(server->backend), asked.resolved.path.name);
	if (is_acceptable(&asked))
		serve(&asked);
}
