#include "dhcpd/proxy.h"

#include <string.h>

#include "dhcpd/option.h"

#define ARCH_CODE_BIOS 0

/* What this message can be answered with, before anybody looks at who sent it; 0: nothing. */
static enum packet_message answer_to(const struct proxy_question *question)
{
	enum packet_message message = question->packet->message;

	if (question->packet->op != PACKET_BOOTREQUEST)
		return PACKET_BOOTP;
	if (!question->is_proxy_port)
		return message == PACKET_DISCOVER ? PACKET_OFFER : PACKET_BOOTP;
	/* some firmware, and Windows' loader, ask by INFORM */
	if (message == PACKET_REQUEST || message == PACKET_INFORM || message == PACKET_DISCOVER)
		return PACKET_ACK;
	return PACKET_BOOTP;
}

/* NULL: it boots, and understands a proxy; otherwise why it is left alone. */
static const char *why_not(const struct proxy_question *question,
			   const struct proxy_verdict *verdict)
{
	uint32_t chosen;

	switch (verdict->pxe.class) {
	case PXE_CLASS_OS:
		return "no sign of booting from the network: the other server's client";
	case PXE_CLASS_UBOOT:
		return "U-Boot takes its file from the server of its address alone";
	default:
		break;
	}
	if (question->server == 0)
		return "the interface has no IPv4 address: give it one";
	/* on port 4011 a REQUEST may still name the server of the address, or another proxy */
	if (question->is_proxy_port && question->packet->message == PACKET_REQUEST &&
	    packet_option_u32(question->packet, OPTION_SERVER_ID, &chosen) &&
	    chosen != question->server && question->packet->ciaddr == 0)
		return "it is meant for another server";
	return NULL;
}

static void choose_file(const struct proxy_question *question, struct proxy_verdict *verdict)
{
	/* the other server knows the subnets: a row of ours only adds what differs there */
	static const struct site_subnet anywhere = {.domain_name = "", .menud_urls = ""};
	const struct packet *packet = question->packet;
	uint32_t link = question->server;
	const struct site_subnet *subnet;

	if (packet->giaddr != 0)
		link = packet->giaddr;
	else if (packet->ciaddr != 0)
		link = packet->ciaddr;
	subnet = site_subnet_of(question->site, link);
	bootfile_choose(
		&(struct bootfile_question){
			question->site, subnet ? subnet : &anywhere,
			site_host_of(question->site, &verdict->mac, verdict->has_mac,
				     verdict->pxe.has_uuid ? &verdict->pxe.uuid : NULL),
			&verdict->pxe, question->server},
		&verdict->boot);
}

void proxy_decide(const struct proxy_question *question, struct proxy_verdict *ret_verdict)
{
	struct proxy_verdict *verdict = ret_verdict;
	enum packet_message answer = answer_to(question);

	*verdict = (struct proxy_verdict){.server = question->server};
	verdict->has_mac = packet_mac(question->packet, &verdict->mac);
	verdict->pxe = pxe_client(question->packet);
	verdict->reason = "the other server's business";
	if (answer == PACKET_BOOTP)
		return;
	verdict->reason = why_not(question, verdict);
	if (verdict->reason)
		return;
	choose_file(question, verdict);
	verdict->reason = verdict->boot.reason;
	if (!verdict->boot.is_answered)
		return;
	verdict->message = answer;
	verdict->is_promise = answer == PACKET_OFFER &&
			      verdict->pxe.class == PXE_CLASS_FIRMWARE &&
			      verdict->pxe.arch_code != ARCH_CODE_BIOS;
}

/* Option 60 makes it a proxy's answer; a BIOS ROM also wants to hear that it may stop looking.
 */
static bool put_class(struct bytes_writer *out, const struct packet *request,
		      const struct proxy_verdict *verdict)
{
	bool is_http = verdict->pxe.class == PXE_CLASS_HTTP;

	return option_put_text(out, OPTION_VENDOR_CLASS,
			       is_http ? "HTTPClient" : "PXEClient") &&
	       pxe_put_vendor_specific(out, &verdict->pxe, request);
}

/* Option 97 goes back as it came (RFC 4578 section 2.3), 61 too (RFC 6842). */
static bool echo(struct bytes_writer *out, const struct packet *request, uint8_t code)
{
	size_t length;
	const uint8_t *octets = packet_option(request, code, &length);

	return !octets || length == 0 || option_put(out, code, octets, length);
}

/* The file, with a PAD behind it that old EDK2 may overwrite; the relay's own; the end. */
static bool put_tail(struct bytes_writer *out, const struct packet *request,
		     const struct proxy_verdict *verdict)
{
	bool done = true;

	if (!verdict->is_promise && *verdict->boot.file) {
		done = option_put_text(out, OPTION_BOOT_FILE, verdict->boot.file);
		bytes_put_u8(out, OPTION_PAD);
	}
	done = echo(out, request, OPTION_RELAY_AGENT) && done;
	bytes_put_u8(out, OPTION_END);
	if (!out->failed && out->length < PACKET_SIZE_MIN)
		bytes_put_zeros(out, PACKET_SIZE_MIN - out->length);
	return done;
}

static void put_header(struct bytes_writer *out, const struct packet *request,
		       const struct proxy_verdict *verdict)
{
	bool is_named = !verdict->is_promise && strlen(verdict->boot.file) < PACKET_FILE_SIZE;
	struct packet_header header = {
		.op = PACKET_BOOTREPLY,
		.htype = request->htype,
		.hlen = request->hlen,
		.xid = request->xid,
		.flags = request->flags,
		.ciaddr = verdict->message == PACKET_ACK ? request->ciaddr : 0,
		/* EDK2 asks siaddr's port 4011, which is ours, wherever tftpd may be */
		.siaddr = verdict->is_promise ? verdict->server : verdict->boot.next_server,
		.giaddr = request->giaddr,
		.chaddr = request->chaddr,
		.file = is_named ? verdict->boot.file : "",
	};

	packet_put_header(out, &header);
}

enum err proxy_encode(const struct packet *request, const struct proxy_verdict *verdict,
		      uint8_t *buffer, size_t *ret_length)
{
	struct bytes_writer out = bytes_writer(buffer, packet_reply_max(request));
	bool done;

	put_header(&out, request, verdict);
	done = option_put_u8(&out, OPTION_MESSAGE_TYPE, (uint8_t)verdict->message) &&
	       option_put_u32(&out, OPTION_SERVER_ID, verdict->server) &&
	       put_class(&out, request, verdict) && echo(&out, request, OPTION_CLIENT_UUID) &&
	       echo(&out, request, OPTION_CLIENT_ID);
	done = put_tail(&out, request, verdict) && done;
	if (!done || out.failed)
		return ERR_SPACE;
	*ret_length = out.length;
	return ERR_OK;
}
