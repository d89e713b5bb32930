#include "tftpd/asked.h"

#include "tftpd/deliver.h"
#include "tftpd/report.h"

const char *asked_mac(const struct asked *asked, char *text)
{
	if (!asked->has_mac)
		return "unknown";
	mac_format(&asked->mac, text);
	return text;
}

void asked_refuse(const struct asked *asked, enum packet_code code, const char *reason)
{
	struct udp_datagram where = udp_reply_to(asked->datagram);
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

	deliver_error(asked->server, server_turn_tid(asked->server), &where, code, reason);
	report_refusal(asked->server, &refusal);
}

struct resolve_client asked_client(const struct asked *asked)
{
	return (struct resolve_client){
		.site = backend_site(asked->server->backend),
		.mac = asked->has_mac ? &asked->mac : NULL,
		.arch = asked->has_arch ? &asked->arch : NULL,
		.address = ip_v4(&asked->datagram->peer.address),
		.menud_urls = asked->server->settings->menud_urls,
	};
}
