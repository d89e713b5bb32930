#include "dhcpd/reply.h"

#include <string.h>

#include "dhcpd/option.h"
#include "dhcpd/pxe.h"

/* A reply in the making. */
struct writing {
	const struct packet *request;
	const struct decide_verdict *verdict;
	struct bytes_writer out;
	size_t tail; /* octets kept free for options 67 and 82 and END */
	unsigned left_out;
};

static void count(struct writing *w, bool is_put)
{
	w->left_out += !is_put;
}

static bool is_requested(const struct packet *request, uint8_t code)
{
	size_t length;
	const uint8_t *list = packet_option(request, OPTION_PARAMETER_LIST, &length);

	return !list || memchr(list, code, length) != NULL;
}

/* Option 61 goes back as it came, also in a NAK (RFC 6842). */
static void echo_identifier(struct writing *w)
{
	size_t length;
	const uint8_t *identifier = packet_option(w->request, OPTION_CLIENT_ID, &length);

	if (identifier && length > 0)
		count(w, option_put(&w->out, OPTION_CLIENT_ID, identifier, length));
}

static void put_times(struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;

	count(w, option_put_u32(&w->out, OPTION_LEASE_SECONDS, verdict->lease_seconds));
	count(w, option_put_u32(&w->out, OPTION_RENEWAL_SECONDS, verdict->renewal_seconds));
	count(w, option_put_u32(&w->out, OPTION_REBINDING_SECONDS, verdict->rebinding_seconds));
}

/* Mask before routers (RFC 2132 section 3.3); some firmware needs them and asks for neither. */
static void put_network(struct writing *w)
{
	const struct site_subnet *subnet = w->verdict->subnet;
	const struct host *host = w->verdict->host;

	count(w, option_put_u32(&w->out, OPTION_SUBNET_MASK, ip4_mask(&subnet->net)));
	if (subnet->router_count > 0)
		count(w, option_put_addresses(&w->out, OPTION_ROUTERS, subnet->routers,
					      subnet->router_count));
	if (subnet->dns_count > 0)
		count(w, option_put_addresses(&w->out, OPTION_DNS, subnet->dns,
					      subnet->dns_count));
	if (is_requested(w->request, OPTION_BROADCAST))
		count(w,
		      option_put_u32(&w->out, OPTION_BROADCAST, ip4_broadcast(&subnet->net)));
	if (host && *host->name && is_requested(w->request, OPTION_HOST_NAME))
		count(w, option_put_text(&w->out, OPTION_HOST_NAME, host->name));
	if (*subnet->domain_name && is_requested(w->request, OPTION_DOMAIN_NAME))
		count(w, option_put_text(&w->out, OPTION_DOMAIN_NAME, subnet->domain_name));
}

static void put_boot(struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;
	size_t length;
	const uint8_t *list = packet_option(w->request, OPTION_PARAMETER_LIST, &length);
	char next_server[IP4_TEXT_SIZE];

	if (!verdict->boot.is_answered)
		return;
	count(w, pxe_put_options(&w->out, &verdict->pxe, w->request));
	if (list && memchr(list, OPTION_TFTP_SERVER, length)) {
		ip4_format(verdict->boot.next_server, next_server);
		count(w, option_put_text(&w->out, OPTION_TFTP_SERVER, next_server));
	}
}

/* What was kept free: the boot file, a PAD that may be overwritten, the relay's option, END. */
static void put_tail(struct writing *w)
{
	size_t length;
	const uint8_t *agent = packet_option(w->request, OPTION_RELAY_AGENT, &length);
	const char *file = w->verdict->boot.file;

	w->out.size += w->tail;
	if (w->verdict->action != DECIDE_NAK && *file) {
		count(w, option_put_text(&w->out, OPTION_BOOT_FILE, file));
		bytes_put_u8(&w->out, OPTION_PAD);
	}
	if (agent)
		count(w, option_put(&w->out, OPTION_RELAY_AGENT, agent, length));
	bytes_put_u8(&w->out, OPTION_END);
	if (w->out.length < PACKET_SIZE_MIN)
		bytes_put_zeros(&w->out, PACKET_SIZE_MIN - w->out.length);
}

static size_t tail_size(const struct packet *request, const struct decide_verdict *verdict)
{
	size_t length;
	size_t size = 1;

	if (packet_option(request, OPTION_RELAY_AGENT, &length))
		size += length + 2 * (length / 255 + 1);
	if (verdict->action != DECIDE_NAK && *verdict->boot.file)
		size += strlen(verdict->boot.file) + 3;
	return size;
}

static void put_header(struct writing *w, uint32_t yiaddr)
{
	const struct packet *request = w->request;
	const struct decide_verdict *verdict = w->verdict;
	bool is_nak = verdict->action == DECIDE_NAK;
	bool is_booting = !is_nak && verdict->boot.is_answered;
	struct packet_header header = {
		.op = PACKET_BOOTREPLY,
		.htype = request->htype,
		.hlen = request->hlen,
		.xid = request->xid,
		.flags = request->flags,
		.ciaddr = is_nak || verdict->action == DECIDE_OFFER ? 0 : request->ciaddr,
		.yiaddr = yiaddr,
		.siaddr = is_booting ? verdict->boot.next_server : 0,
		.giaddr = request->giaddr,
		.chaddr = request->chaddr,
		.file = "",
	};

	/* the relay must not unicast a NAK to the address it takes away (RFC 2131 4.3.2) */
	if (is_nak && request->giaddr != 0)
		header.flags |= PACKET_FLAG_BROADCAST;
	if (is_booting && strlen(verdict->boot.file) < PACKET_FILE_SIZE)
		header.file = verdict->boot.file;
	packet_put_header(&w->out, &header);
}

static enum packet_message reply_message(enum decide_action action)
{
	switch (action) {
	case DECIDE_OFFER:
		return PACKET_OFFER;
	case DECIDE_ACK:
	case DECIDE_INFORM:
		return PACKET_ACK;
	case DECIDE_NAK:
		return PACKET_NAK;
	default:
		return PACKET_BOOTP;
	}
}

static void put_options(struct writing *w, enum packet_message message)
{
	count(w, option_put_u8(&w->out, OPTION_MESSAGE_TYPE, (uint8_t)message));
	count(w, option_put_u32(&w->out, OPTION_SERVER_ID, w->verdict->server));
	if (message == PACKET_NAK) {
		count(w, option_put_text(&w->out, OPTION_MESSAGE, w->verdict->reason));
		echo_identifier(w);
		return;
	}
	if (w->verdict->action != DECIDE_INFORM)
		put_times(w);
	put_network(w);
	put_boot(w);
	echo_identifier(w);
}

enum err reply_encode(const struct packet *request, const struct decide_verdict *verdict,
		      uint8_t *buffer, struct reply *ret_reply)
{
	enum packet_message message = reply_message(verdict->action);
	uint32_t yiaddr = verdict->action == DECIDE_OFFER || verdict->action == DECIDE_ACK
				  ? verdict->address
				  : 0;
	struct writing w = {.request = request, .verdict = verdict};
	size_t most = packet_reply_max(request);

	if (message == PACKET_BOOTP)
		return ERR_ABSENT;
	w.tail = tail_size(request, verdict);
	/* header, cookie, message type and server are what no reply can do without */
	if (w.tail + PACKET_HEADER_SIZE + 4 + 3 + 6 > most)
		return ERR_SPACE;
	w.out = bytes_writer(buffer, most - w.tail);
	put_header(&w, yiaddr);
	put_options(&w, message);
	put_tail(&w);
	if (w.out.failed)
		return ERR_SPACE;
	*ret_reply = (struct reply){message, yiaddr, w.out.length, w.left_out};
	return ERR_OK;
}
