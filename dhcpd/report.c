#include "dhcpd/report.h"

#include "core/text.h"
#include "dhcpd/option.h"
#include "io/log.h"

#define DETAIL_SIZE 384
#define OCTETS_FOR_ALL 548 /* in a datagram that each client takes (RFC 2131 section 2) */

static void put_detail(struct text *out, const char *interface, const struct packet *packet,
		       const struct decide_verdict *verdict, size_t sent)
{
	text_put(out, "{\"interface\":\"");
	text_put_json(out, interface);
	text_printf(out, "\",\"xid\":\"%08x\",\"class\":\"%s\"", packet->xid,
		    pxe_class_name(verdict->pxe.class));
	if (verdict->pxe.has_arch)
		text_printf(out, ",\"arch\":%u", verdict->pxe.arch_code);
	if (packet->giaddr != 0) {
		char relay[IP4_TEXT_SIZE];

		ip4_format(packet->giaddr, relay);
		text_printf(out, ",\"relay\":\"%s\"", relay);
	}
	if (*verdict->boot.file) {
		char server[IP4_TEXT_SIZE];

		ip4_format(verdict->boot.next_server, server);
		text_printf(out, ",\"next_server\":\"%s\"", server);
	}
	if (sent > OCTETS_FOR_ALL)
		text_put(out, ",\"is_long\":true");
	if (verdict->lease_seconds > 0)
		text_printf(out, ",\"lease_seconds\":%u", verdict->lease_seconds);
	if (verdict->action == DECIDE_OFFER || verdict->action == DECIDE_ACK) {
		text_put(out, ",\"address_why\":\"");
		text_put_json(out, verdict->reason);
		text_put(out, "\"");
	}
	text_put(out, "}");
}

static void push(struct events *events, struct event *event, const char *interface,
		 const struct packet *packet, const struct decide_verdict *verdict, size_t sent)
{
	char detail[DETAIL_SIZE];
	struct text out = text_into(detail, sizeof(detail));

	if (!events_have_room(events))
		return;
	put_detail(&out, interface, packet, verdict, sent);
	event->stage = pxe_class_stage(verdict->pxe.class);
	event->mac = verdict->has_mac ? &verdict->mac : NULL;
	event->uuid = verdict->pxe.has_uuid ? &verdict->pxe.uuid : NULL;
	event->detail = out.failed ? NULL : detail;
	events_push(events, event);
}

/*
 * A running system's exchange is one event, its end: a campus that renews would otherwise bury
 * the boots, and recording would cost more than leasing does.
 */
static bool is_offer_to_os(const struct decide_verdict *verdict)
{
	return verdict->pxe.class == PXE_CLASS_OS && verdict->action == DECIDE_OFFER;
}

void report_request(struct events *events, const char *interface, const struct packet *packet,
		    const struct decide_verdict *verdict)
{
	struct event event = {.kind = packet_message_name(packet->message)};
	struct decide_verdict bare = {
		.has_mac = verdict->has_mac,
		.mac = verdict->mac,
		.pxe = verdict->pxe,
	};

	if (verdict->pxe.class == PXE_CLASS_OS)
		return; /* as is_offer_to_os() */
	push(events, &event, interface, packet, &bare, 0);
}

static void log_verdict(const char *interface, const struct packet *packet,
			const struct decide_verdict *verdict)
{
	char mac[MAC_TEXT_SIZE] = "-", address[IP4_TEXT_SIZE];
	const char *event = decide_action_name(verdict->action);

	if (verdict->has_mac)
		mac_format(&verdict->mac, mac);
	ip4_format(verdict->address, address);
	if (verdict->action == DECIDE_SILENT && verdict->change == DECIDE_NONE) {
		log_debug(event, "interface=%s mac=%s message=%s reason=%s", interface, mac,
			  packet_message_name(packet->message), log_text(verdict->reason));
		return;
	}
	/* somebody has to look there (RFC 2131 section 4.3.3) */
	if (verdict->change == DECIDE_DECLINE) {
		log_warning("declined", "interface=%s mac=%s address=%s reason=%s remedy=%s",
			    interface, mac, address, log_text(verdict->reason),
			    log_text("find that machine by its card, or take the address out "
				     "of rouse.pools"));
		return;
	}
	log_info(event, "interface=%s mac=%s message=%s address=%s class=%s file=%s reason=%s",
		 interface, mac, packet_message_name(packet->message), address,
		 pxe_class_name(verdict->pxe.class), log_text(verdict->boot.file),
		 log_text(verdict->boot.is_answered ? verdict->boot.reason : verdict->reason));
}

void report_verdict(struct events *events, const char *interface, const struct packet *packet,
		    const struct decide_verdict *verdict, size_t sent)
{
	/* a booting machine's trace tells why it got its file, or why none */
	bool is_booting = verdict->pxe.class != PXE_CLASS_OS &&
			  (verdict->action == DECIDE_OFFER || verdict->action == DECIDE_ACK);
	struct event event = {
		.kind = decide_action_name(verdict->action),
		.address = ip_from_v4(verdict->address),
		.name = verdict->boot.file[0] ? verdict->boot.file : NULL,
		.reason = is_booting ? verdict->boot.reason : verdict->reason,
	};
	char chosen[IP4_TEXT_SIZE];
	uint32_t server;

	log_verdict(interface, packet, verdict);
	if (is_offer_to_os(verdict))
		return;
	/* whose offer it took is what its story is about from now on */
	if (verdict->change == DECIDE_FORGET &&
	    packet_option_u32(packet, OPTION_SERVER_ID, &server)) {
		ip4_format(server, chosen);
		event.name = chosen;
	}
	/* RELEASE and DECLINE are told by the packet itself, with the reason */
	if (verdict->action == DECIDE_SILENT && verdict->change != DECIDE_NONE &&
	    verdict->change != DECIDE_FORGET)
		event.kind = packet_message_name(packet->message);
	push(events, &event, interface, packet, verdict, sent);
}

void report_conflict(struct events *events, const char *interface, const struct packet *packet,
		     const struct report_conflict *conflict)
{
	char address[IP4_TEXT_SIZE], by[MAC_TEXT_SIZE] = "-", client[MAC_TEXT_SIZE] = "-";
	char words[128];
	struct text why = text_into(words, sizeof(words));
	struct decide_verdict bare = {.pxe = pxe_client(packet)};
	struct event event = {
		.kind = "conflict", .address = ip_from_v4(conflict->address), .reason = words};

	bare.has_mac = packet_mac(packet, &bare.mac);
	ip4_format(conflict->address, address);
	if (conflict->by)
		mac_format(conflict->by, by);
	if (bare.has_mac)
		mac_format(&bare.mac, client);
	text_printf(&why, "%s answers by %s, so it is not offered but quarantined", address,
		    inuse_way_name(conflict->way));
	if (conflict->by)
		text_printf(&why, "; the answer is from %s", by);
	log_warning("address_in_use", "interface=%s address=%s way=%s by=%s mac=%s remedy=%s",
		    interface, address, inuse_way_name(conflict->way), by, client,
		    log_text("give that machine another address, or take this one out of "
			     "rouse.pools"));
	push(events, &event, interface, packet, &bare, 0);
}
