#include "dhcpd/reply.h"

#include <string.h>

#include "dhcpd/fqdn.h"
#include "dhcpd/option.h"
#include "dhcpd/optionset.h"
#include "dhcpd/pxe.h"
#include "dhcpd/space.h"

/* A reply in the making. */
struct writing {
	const struct packet *request;
	const struct decide_verdict *verdict;
	struct space space;
	bool is_put[256]; /* decided on, and not to be written again */
};

static void put(struct writing *w, uint8_t code, const void *octets, size_t length)
{
	w->is_put[code] = true;
	space_put(&w->space, code, octets, length);
}

static void put_number(struct writing *w, uint8_t code, uint32_t value)
{
	uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
			     (uint8_t)(value >> 8), (uint8_t)value};

	put(w, code, octets, sizeof(octets));
}

/* T1 before T2 before the end (RFC 2131 section 4.4.5), or the client chooses its own. */
static void put_times(struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;

	put_number(w, OPTION_LEASE_SECONDS, verdict->lease_seconds);
	if (verdict->renewal_seconds >= verdict->rebinding_seconds ||
	    verdict->rebinding_seconds >= verdict->lease_seconds)
		return;
	put_number(w, OPTION_RENEWAL_SECONDS, verdict->renewal_seconds);
	put_number(w, OPTION_REBINDING_SECONDS, verdict->rebinding_seconds);
}

/* Option 61 goes back as it came, also in a NAK (RFC 6842); option 81 answered (RFC 4702). */
static void put_client(struct writing *w)
{
	size_t length;
	const uint8_t *identifier = packet_option(w->request, OPTION_CLIENT_ID, &length);
	uint8_t fqdn[FQDN_VALUE_MAX];
	uint32_t selected;

	if (identifier && length > 0)
		put(w, OPTION_CLIENT_ID, identifier, length);
	/* nothing else may be in a NAK (RFC 2131 table 3) */
	if (w->verdict->action == DECIDE_NAK)
		return;
	/* which subnet was meant (RFC 3011 section 2) */
	if (w->verdict->by_selection &&
	    packet_option_u32(w->request, OPTION_SUBNET_SELECTION, &selected))
		put_number(w, OPTION_SUBNET_SELECTION, selected);
	if (fqdn_answer(w->request, fqdn, &length))
		put(w, OPTION_FQDN, fqdn, length);
}

static void put_configured(struct writing *w, const struct optionset *set, uint8_t code)
{
	const struct option_value *value = &set->values[code];

	if (value->octets && !w->is_put[code])
		put(w, code, value->octets, value->length);
}

/*
 * The order that the client asks for (RFC 2132 section 9.8), then what is sent unasked. A
 * client without a list gets everything.
 */
static void put_all_configured(struct writing *w, const struct optionset *set)
{
	size_t length = 0;
	const uint8_t *list = packet_option(w->request, OPTION_PARAMETER_LIST, &length);

	for (size_t i = 0; list && i < length; i++)
		put_configured(w, set, list[i]);
	for (unsigned code = 1; code < OPTION_END; code++) {
		if (!list || set->values[code].is_always)
			put_configured(w, set, (uint8_t)code);
	}
}

/* What a booting client reads is ours alone, whatever an operator set: it is one answer. */
static void claim_boot_options(struct writing *w)
{
	static const uint8_t codes[] = {OPTION_VENDOR_CLASS, OPTION_VENDOR_SPECIFIC,
					OPTION_CLIENT_UUID, OPTION_IPXE, OPTION_BOOT_FILE};

	for (size_t i = 0; i < sizeof(codes); i++)
		w->is_put[codes[i]] = true;
}

static void put_boot(struct writing *w, struct optionset *set, char next_server[IP4_TEXT_SIZE])
{
	const struct decide_verdict *verdict = w->verdict;

	if (!verdict->boot.is_answered)
		return;
	claim_boot_options(w);
	if (!pxe_put_options(&w->space.options, &verdict->pxe, w->request))
		w->space.left_out++;
	ip4_format(verdict->boot.next_server, next_server);
	set->values[OPTION_TFTP_SERVER] = (struct option_value){
		(const uint8_t *)next_server, (uint16_t)strlen(next_server), false};
	/* unasked it would only take space: siaddr says the same */
	if (!packet_option(w->request, OPTION_PARAMETER_LIST, &(size_t){0}))
		w->is_put[OPTION_TFTP_SERVER] = true;
}

/* Mask before routers (RFC 2132 section 3.3), and what the boot needs before the rest. */
static void put_site(struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;
	char next_server[IP4_TEXT_SIZE];
	struct optionset set;

	optionset_gather(&(struct optionset_question){verdict->site, verdict->subnet,
						      verdict->host, &verdict->pxe, w->request},
			 &set);
	put_configured(w, &set, OPTION_SUBNET_MASK);
	put_boot(w, &set, next_server);
	put_client(w);
	put_all_configured(w, &set);
}

/* What was kept free: the boot file, a PAD that may be overwritten, the relay's option, END. */
static void put_tail(struct writing *w, size_t tail)
{
	struct bytes_writer *out = &w->space.options;
	size_t length;
	const uint8_t *agent = packet_option(w->request, OPTION_RELAY_AGENT, &length);
	const char *file = w->verdict->boot.file;

	space_open_tail(&w->space, tail);
	if (w->verdict->action != DECIDE_NAK && *file) {
		w->space.left_out += !option_put_text(out, OPTION_BOOT_FILE, file);
		bytes_put_u8(out, OPTION_PAD);
	}
	if (agent)
		w->space.left_out += !option_put(out, OPTION_RELAY_AGENT, agent, length);
	bytes_put_u8(out, OPTION_END);
	if (out->length < PACKET_SIZE_MIN)
		bytes_put_zeros(out, PACKET_SIZE_MIN - out->length);
}

/* Firmware is spared: some ROMs read no options from there. A name in `file` stays there. */
static uint8_t overload_of(const struct decide_verdict *verdict)
{
	if (verdict->action == DECIDE_NAK || verdict->action == DECIDE_BOOTP ||
	    verdict->pxe.class == PXE_CLASS_FIRMWARE || verdict->pxe.class == PXE_CLASS_HTTP)
		return 0;
	return *verdict->boot.file ? SPACE_OVERLOAD_SNAME
				   : SPACE_OVERLOAD_FILE | SPACE_OVERLOAD_SNAME;
}

static size_t tail_size(const struct packet *request, const struct decide_verdict *verdict)
{
	size_t length;
	size_t size = 1 + space_overload_size(overload_of(verdict));

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
	packet_put_header(&w->space.options, &header);
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
	uint8_t type = (uint8_t)message;

	if (message == PACKET_BOOTP) {
		put_site(w);
		return;
	}
	put(w, OPTION_MESSAGE_TYPE, &type, 1);
	put_number(w, OPTION_SERVER_ID, w->verdict->server);
	if (message == PACKET_NAK) {
		put(w, OPTION_MESSAGE, w->verdict->reason, strlen(w->verdict->reason));
		put_client(w);
		return;
	}
	if (w->verdict->action != DECIDE_INFORM)
		put_times(w);
	put_site(w);
}

enum err reply_encode(const struct packet *request, const struct decide_verdict *verdict,
		      uint8_t *buffer, struct reply *ret_reply)
{
	enum packet_message message = reply_message(verdict->action);
	bool gives_address = verdict->action == DECIDE_OFFER || verdict->action == DECIDE_ACK ||
			     verdict->action == DECIDE_BOOTP;
	uint32_t yiaddr = gives_address ? verdict->address : 0;
	struct writing w = {.request = request, .verdict = verdict};
	/* BOOTP has 64 octets for all its options (RFC 951) */
	size_t most =
		verdict->action == DECIDE_BOOTP ? PACKET_SIZE_MIN : packet_reply_max(request);
	size_t tail;

	if (verdict->action == DECIDE_SILENT || verdict->action == DECIDE_ASK ||
	    verdict->action == DECIDE_PROBE)
		return ERR_ABSENT;
	tail = tail_size(request, verdict);
	/* header, cookie, message type and server are what no reply can do without */
	if (tail + PACKET_HEADER_SIZE + 4 + 3 + 6 > most)
		return ERR_SPACE;
	w.space = space_over(buffer, most, tail, overload_of(verdict));
	put_header(&w, yiaddr);
	put_options(&w, message);
	put_tail(&w, tail);
	if (w.space.options.failed)
		return ERR_SPACE;
	*ret_reply = (struct reply){message, yiaddr, w.space.options.length, w.space.left_out};
	return ERR_OK;
}
