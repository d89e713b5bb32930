#include "tftpd/report.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "core/image.h"
#include "core/text.h"
#include "core/tftp_ask.h"
#include "io/log.h"
#include "tftpd/repair.h"

#define DETAIL_SIZE 256
#define CLIENT_SIZE (IP_TEXT_SIZE + 1 + IF_NAMESIZE)

static const char *mac_text(const struct mac *mac, char text[MAC_TEXT_SIZE])
{
	if (!mac)
		return "unknown";
	mac_format(mac, text);
	return text;
}

/* A link-local address says with its interface whom it means. */
static void put_client(const struct udp_peer *peer, char text[CLIENT_SIZE])
{
	char interface[IF_NAMESIZE];
	char address[IP_TEXT_SIZE];

	ip_format(&peer->address, address);
	if (peer->scope != 0 && if_indextoname(peer->scope, interface))
		(void)snprintf(text, CLIENT_SIZE, "%s%%%s", address, interface);
	else
		(void)snprintf(text, CLIENT_SIZE, "%s", address);
}

void report_refusal(struct server *server, const struct report_refusal *refusal)
{
	bool is_missing = refusal->code == PACKET_NOT_FOUND;
	char address[CLIENT_SIZE];
	char mac[MAC_TEXT_SIZE];
	char detail[DETAIL_SIZE];
	struct event event = {.stage = refusal->stage,
			      .kind = is_missing ? "missing" : "refused",
			      .mac = refusal->mac,
			      .address = refusal->peer->address,
			      .name = refusal->name,
			      .reason = refusal->reason,
			      .detail = detail};

	server->counts.missing += is_missing;
	server->counts.refused += !is_missing;
	put_client(refusal->peer, address);
	(void)snprintf(detail, sizeof(detail), "{\"code\":%d}", (int)refusal->code);
	log_info(is_missing ? "file_missing" : "request_refused",
		 "client=%s mac=%s file=%s code=%d reason=%s", address,
		 mac_text(refusal->mac, mac), log_text(refusal->name), (int)refusal->code,
		 log_text(refusal->reason));
	backend_record(server->backend, &event);
}

void report_loop(struct server *server, const struct udp_peer *peer, const struct mac *mac,
		 const char *name)
{
	char address[CLIENT_SIZE];
	char mac_words[MAC_TEXT_SIZE];
	struct event event = {.stage = "script",
			      .kind = "loop_broken",
			      .mac = mac,
			      .address = peer->address,
			      .name = name,
			      .reason = "iPXE asked for its own binary: it got default.ipxe"};

	server->counts.loops_broken++;
	put_client(peer, address);
	log_info("loop_broken", "client=%s mac=%s file=%s remedy=%s", address,
		 mac_text(mac, mac_words), log_text(name),
		 log_text("let DHCP name default.ipxe to clients of user class iPXE"));
	backend_record(server->backend, &event);
}

void report_repair(struct server *server, const struct report_repair *repair)
{
	char address[CLIENT_SIZE];
	char mac[MAC_TEXT_SIZE];
	char reason[DETAIL_SIZE];
	struct text out = text_into(reason, sizeof(reason));
	struct event event = {.stage = repair->stage,
			      .kind = "name_repaired",
			      .mac = repair->mac,
			      .address = repair->peer->address,
			      .name = repair->served,
			      .reason = reason};

	for (unsigned i = 0; i < REPAIRS; i++)
		server->counts.repaired[i] += repair->repaired >> i & 1;
	if (repair->repaired == 1U << REPAIR_SLASH)
		return;
	repair_put(&out, repair->repaired);
	put_client(repair->peer, address);
	log_info("name_repaired", "client=%s mac=%s asked=%s file=%s repairs=%s", address,
		 mac_text(repair->mac, mac), log_text(repair->name), log_text(repair->served),
		 log_text(reason));
	backend_record(server->backend, &event);
}

static void count(struct server_counts *counts, enum session_outcome outcome)
{
	switch (outcome) {
	case SESSION_SENT:
	case SESSION_CLOSED:
		counts->sent++;
		break;
	case SESSION_RECEIVED:
		counts->received++;
		break;
	case SESSION_PROBE:
		counts->probes++;
		break;
	case SESSION_TIMEOUT:
		counts->timeouts++;
		break;
	case SESSION_ABORTED:
	case SESSION_OPEN:
		counts->aborted++;
		break;
	}
}

/*
 * Who it was. A client of IPv6 that knows our hardware address already need not tell its own
 * before it asks; by now we had to find it.
 */
static const struct mac *mac_of(struct server *server, const struct transfer *transfer,
				struct mac *found)
{
	if (transfer->has_mac)
		return &transfer->mac;
	return neigh_find(&server->neigh, transfer->interface, &transfer->peer.address,
			  found) == ERR_OK
		       ? found
		       : NULL;
}

/* How far it came. */
struct figures {
	const struct session_terms *terms;
	uint64_t octets, size, retransmits;
};

static struct figures figures_of(const struct transfer *transfer)
{
	const struct session *session = &transfer->session;
	const struct receive *receive = &transfer->receive;

	if (transfer->is_upload)
		return (struct figures){&receive->terms, receive->octets, receive->terms.size,
					receive->repeats};
	return (struct figures){&session->terms, session_octets_acked(session),
				session->terms.size, session->retransmits};
}

/* Is it something that a machine runs: its first stage, or iPXE's script? */
static bool is_run(const struct transfer *transfer)
{
	const char *suffix = strrchr(transfer->name, '.');

	return strcmp(transfer->stage, "tftp_nbp") == 0 ||
	       (strcmp(transfer->stage, "script") == 0 && suffix &&
		strcmp(suffix, ".ipxe") == 0);
}

/* What that is: whether the machine that fetched it can run it. */
static const char *type_of(const struct transfer *transfer, const struct session_step *step)
{
	uint8_t head[IMAGE_HEAD];
	uint64_t size = transfer->source.size;
	size_t length = size < sizeof(head) ? (size_t)size : sizeof(head);

	if (step->outcome != SESSION_SENT || !is_run(transfer) ||
	    source_read(&transfer->source, 0, head, length) != ERR_OK)
		return NULL;
	return image_type(head, length);
}

static void put_detail(struct text *out, const struct transfer *transfer,
		       const struct figures *figures, uint64_t milliseconds)
{
	text_printf(out,
		    "{\"bytes\":%" PRIu64 ",\"size\":%" PRIu64
		    ",\"blksize\":%u,\"windowsize\":%u,\"milliseconds\":%" PRIu64
		    ",\"retransmits\":%" PRIu64 ",\"client\":\"%s\"",
		    figures->octets, figures->size, figures->terms->blksize,
		    figures->terms->windowsize, milliseconds, figures->retransmits,
		    packet_client_name(&transfer->asked));
	if (transfer->is_netascii)
		text_put(out, ",\"mode\":\"netascii\"");
}

void report_end(struct server *server, const struct transfer *transfer,
		const struct session_step *step, const char *message)
{
	const struct figures figures = figures_of(transfer);
	struct mac found;
	const struct mac *known_mac = mac_of(server, transfer, &found);
	uint64_t milliseconds = loop_now_ms(server->loop) - transfer->started_ms;
	char address[CLIENT_SIZE];
	char mac[MAC_TEXT_SIZE];
	char detail[DETAIL_SIZE];
	struct text out = text_into(detail, sizeof(detail));
	const char *type = type_of(transfer, step);
	struct event event = {.stage = transfer->stage,
			      .kind = session_outcome_name(step->outcome),
			      .mac = known_mac,
			      .address = transfer->peer.address,
			      .name = transfer->name,
			      .reason = message[0] ? message : step->reason,
			      .detail = detail};

	if (event.reason[0] == '\0')
		event.reason = NULL;
	count(&server->counts, step->outcome);
	put_client(&transfer->peer, address);
	put_detail(&out, transfer, &figures, milliseconds);
	if (type)
		text_printf(&out, ",\"type\":\"%s\"", type);
	text_put(&out, "}");
	if (out.failed)
		event.detail = NULL;
	log_write(step->outcome == SESSION_TIMEOUT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		  "transfer_ended",
		  "outcome=%s client=%s mac=%s file=%s bytes=%" PRIu64 " size=%" PRIu64
		  " blksize=%u windowsize=%u milliseconds=%" PRIu64 " retransmits=%" PRIu64
		  " reason=%s",
		  event.kind, address, mac_text(known_mac, mac), log_text(transfer->name),
		  figures.octets, figures.size, figures.terms->blksize,
		  figures.terms->windowsize, milliseconds, figures.retransmits,
		  log_text(event.reason ? event.reason : ""));
	/* dhcpd looks whether the file is served: nobody boots here */
	if (figures.octets > 0 || strcmp(message, TFTP_ASK_END) != 0)
		backend_record(server->backend, &event);
}
