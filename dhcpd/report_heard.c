#include "dhcpd/report_heard.h"

#include "core/text.h"
#include "io/log.h"

#define DETAIL_SIZE 320

static void put_interface(struct text *out, const char *interface, const struct packet *packet)
{
	text_put(out, "{\"interface\":\"");
	text_put_json(out, interface);
	text_put(out, "\"");
	if (packet)
		text_printf(out, ",\"xid\":\"%08x\"", packet->xid);
}

static void put_address(struct text *out, const char *name, uint32_t value)
{
	char address[IP4_TEXT_SIZE];

	if (value == 0)
		return;
	ip4_format(value, address);
	text_printf(out, ",\"%s\":\"%s\"", name, address);
}

static void push(struct events *events, struct event *event, struct text *detail)
{
	text_put(detail, "}");
	event->detail = detail->failed ? NULL : detail->start;
	events_push(events, event);
}

void report_heard_request(struct events *events, const char *interface,
			  const struct packet *packet)
{
	char buffer[DETAIL_SIZE];
	struct text detail = text_into(buffer, sizeof(buffer));
	struct pxe_client client = pxe_client(packet);
	struct mac mac;
	bool has_mac = packet_mac(packet, &mac);
	struct event event = {
		.stage = pxe_class_stage(client.class),
		.kind = packet_message_name(packet->message),
		.mac = has_mac ? &mac : NULL,
		.uuid = client.has_uuid ? &client.uuid : NULL,
		.address = ip_from_v4(packet->ciaddr),
	};

	put_interface(&detail, interface, packet);
	text_printf(&detail, ",\"class\":\"%s\"", pxe_class_name(client.class));
	if (client.has_arch)
		text_printf(&detail, ",\"arch\":%u", client.arch_code);
	put_address(&detail, "relay", packet->giaddr);
	push(events, &event, &detail);
}

void report_heard_reply(struct events *events, const char *interface,
			const struct packet *packet, enum pxe_class class,
			const struct observe_answer *answer)
{
	char buffer[DETAIL_SIZE], reason[64], server[IP4_TEXT_SIZE];
	struct text detail = text_into(buffer, sizeof(buffer));
	struct text why = text_into(reason, sizeof(reason));
	struct mac mac;
	bool has_mac = packet_mac(packet, &mac);
	struct event event = {
		.stage = answer && answer->is_proxy ? "proxy" : pxe_class_stage(class),
		.kind = packet_message_name(packet->message),
		.mac = has_mac ? &mac : NULL,
		.address = ip_from_v4(packet->yiaddr),
		.name = answer && answer->boot_file[0] ? answer->boot_file : NULL,
		.reason = reason,
	};

	put_interface(&detail, interface, packet);
	text_put(&why, "heard from another server");
	if (answer) {
		ip4_format(answer->server, server);
		text_printf(&why, ", %s", server);
		text_printf(&detail, ",\"server\":\"%s\"", server);
		put_address(&detail, "router", answer->router);
		put_address(&detail, "next_server", observe_boot_server(answer));
		if (answer->says_pxe)
			text_put(&detail, ",\"pxe\":true");
	}
	push(events, &event, &detail);
}

void report_heard_inference(struct events *events, const char *interface, const struct mac *mac,
			    const struct observe_inference *inference)
{
	char buffer[DETAIL_SIZE], reason[96], server[IP4_TEXT_SIZE];
	struct text detail = text_into(buffer, sizeof(buffer));
	struct text why = text_into(reason, sizeof(reason));
	struct event event = {
		.stage = pxe_class_stage(inference->class),
		.kind = "ack",
		.mac = mac,
		.address = ip_from_v4(inference->address),
		.reason = reason,
	};

	ip4_format(inference->server, server);
	text_printf(&why, "inferred: %s must have sent it, since the client went on", server);
	put_interface(&detail, interface, NULL);
	text_printf(&detail, ",\"server\":\"%s\",\"inferred\":true", server);
	push(events, &event, &detail);
}

void report_heard_solicit(struct events *events, const char *interface, const struct mac *mac,
			  const struct solicit *solicit)
{
	char buffer[DETAIL_SIZE];
	struct text detail = text_into(buffer, sizeof(buffer));
	struct event event = {
		.stage = pxe_class_stage(solicit->class),
		.kind = "solicit",
		.mac = mac,
		.reason = "it asks for an address by IPv6 (DHCPv6)",
	};

	put_interface(&detail, interface, NULL);
	text_printf(&detail, ",\"class\":\"%s\"", pxe_class_name(solicit->class));
	if (solicit->has_arch)
		text_printf(&detail, ",\"arch\":%u", solicit->arch_code);
	push(events, &event, &detail);
}

void report_heard_proxy(struct events *events, const char *interface,
			const struct packet *packet, const struct proxy_verdict *verdict)
{
	char buffer[DETAIL_SIZE], mac[MAC_TEXT_SIZE] = "-";
	struct text detail = text_into(buffer, sizeof(buffer));
	const char *kind =
		verdict->message != 0 ? packet_message_name(verdict->message) : "silent";
	bool is_named = verdict->message != 0 && !verdict->is_promise;
	struct event event = {
		.stage = "proxy",
		.kind = kind,
		.mac = verdict->has_mac ? &verdict->mac : NULL,
		.uuid = verdict->pxe.has_uuid ? &verdict->pxe.uuid : NULL,
		.address = ip_from_v4(packet->ciaddr),
		.name = is_named ? verdict->boot.file : NULL,
		.reason = verdict->reason,
	};

	if (verdict->has_mac)
		mac_format(&verdict->mac, mac);
	/* the other server's clients are its own: no event, and no line but for debugging */
	if (verdict->message == 0 && verdict->pxe.class == PXE_CLASS_OS) {
		log_debug("silent", "interface=%s mac=%s reason=%s", interface, mac,
			  log_text(verdict->reason));
		return;
	}
	log_info(verdict->message != 0 ? "proxy" : "proxy_silent",
		 "interface=%s mac=%s answer=%s class=%s file=%s reason=%s", interface, mac,
		 kind, pxe_class_name(verdict->pxe.class),
		 log_text(is_named ? verdict->boot.file : ""), log_text(verdict->reason));
	put_interface(&detail, interface, packet);
	text_printf(&detail, ",\"class\":\"%s\",\"arch\":%u",
		    pxe_class_name(verdict->pxe.class), verdict->pxe.arch_code);
	if (is_named)
		put_address(&detail, "next_server", verdict->boot.next_server);
	push(events, &event, &detail);
}
