#include "dhcpd/reply.h"

#include <string.h>

#include "core/text.h"
#include "dhcpd/fqdn.h"
#include "dhcpd/option.h"
#include "dhcpd/optionset.h"
#include "dhcpd/pxe.h"
#include "dhcpd/space.h"

/* A reply in the making. */
struct writing {
	const struct packet *request;
	const struct decide_verdict *verdict;
	struct optionset set;	     /* empty for a NAK */
	char file[PACKET_FILE_SIZE]; /* of the header; "" for none */
	uint32_t siaddr;
	struct space space;
	bool is_put[256]; /* decided on, and not to be written again */
};

static bool is_nak(const struct writing *w)
{
	return w->verdict->action == DECIDE_NAK;
}

/* false: there was no room for it. */
static bool put(struct writing *w, uint8_t code, const void *octets, size_t length)
{
	w->is_put[code] = true;
	return space_put(&w->space, code, octets, length);
}

static void put_number(struct writing *w, uint8_t code, uint32_t value)
{
	uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
			     (uint8_t)(value >> 8), (uint8_t)value};

	(void)put(w, code, octets, sizeof(octets));
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
		(void)put(w, OPTION_CLIENT_ID, identifier, length);
	/* nothing else may be in a NAK (RFC 2131 table 3) */
	if (is_nak(w))
		return;
	/* which subnet was meant (RFC 3011 section 2) */
	if (w->verdict->by_selection &&
	    packet_option_u32(w->request, OPTION_SUBNET_SELECTION, &selected))
		put_number(w, OPTION_SUBNET_SELECTION, selected);
	if (fqdn_answer(w->request, fqdn, &length))
		(void)put(w, OPTION_FQDN, fqdn, length);
}

/* Does the client's list ask for it? Without a list it asks for everything. */
static bool is_asked_for(const struct writing *w, uint8_t code)
{
	size_t length = 0;
	const uint8_t *list = packet_option(w->request, OPTION_PARAMETER_LIST, &length);

	return !list || (length > 0 && memchr(list, code, length));
}

static bool put_configured(struct writing *w, uint8_t code)
{
	const struct option_value *value = &w->set.values[code];

	return value->octets && !w->is_put[code] && put(w, code, value->octets, value->length);
}

/*
 * Whoever asks for classless routes, and gets them, gets no others: they stand in the place of
 * those (RFC 3442, "DHCP server administrator responsibilities").
 */
static void put_routes(struct writing *w)
{
	bool wants_classless = packet_option(w->request, OPTION_PARAMETER_LIST, &(size_t){0}) &&
			       is_asked_for(w, OPTION_CLASSLESS_ROUTES);

	if (wants_classless && put_configured(w, OPTION_CLASSLESS_ROUTES))
		w->is_put[OPTION_ROUTERS] = w->is_put[OPTION_STATIC_ROUTES] = true;
}

static void put_in_order(struct writing *w, uint8_t code)
{
	if (code == OPTION_ROUTERS || code == OPTION_STATIC_ROUTES ||
	    code == OPTION_CLASSLESS_ROUTES)
		put_routes(w);
	(void)put_configured(w, code);
}

/*
 * These two make a client give up IPv4, or its own address: they are for nobody who did not
 * ask, whatever operators set (RFC 8925 section 3.3, RFC 2563 section 2.3).
 */
static void withhold(struct writing *w)
{
	bool has_list = packet_option(w->request, OPTION_PARAMETER_LIST, &(size_t){0});
	bool has_option = packet_option(w->request, OPTION_AUTO_CONFIGURE, &(size_t){0});

	w->is_put[OPTION_IPV6_ONLY] = !has_list || !is_asked_for(w, OPTION_IPV6_ONLY);
	w->is_put[OPTION_AUTO_CONFIGURE] = !has_option;
	/* to send it is how this one is asked for */
	w->set.values[OPTION_AUTO_CONFIGURE].is_always = has_option;
}

/*
 * The order that the client asks for (RFC 2132 section 9.8), then what is sent unasked. A
 * client without a list gets everything.
 */
static void put_all_configured(struct writing *w)
{
	size_t length = 0;
	const uint8_t *list = packet_option(w->request, OPTION_PARAMETER_LIST, &length);

	withhold(w);
	for (size_t i = 0; list && i < length; i++)
		put_in_order(w, list[i]);
	for (unsigned code = 1; code < OPTION_END; code++) {
		if (!list || w->set.values[code].is_always)
			put_in_order(w, (uint8_t)code);
	}
}

/*
 * What a booting client reads is ours alone, whatever an operator set, also when it is nothing:
 * it is one answer. Only where it leaves the name to the client, operators may name a file.
 */
static bool is_file_ours(const struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;

	return verdict->pxe.class != PXE_CLASS_OS &&
	       (*verdict->boot.file || !verdict->boot.is_answered);
}

static void claim_boot_options(struct writing *w)
{
	static const uint8_t codes[] = {OPTION_VENDOR_CLASS, OPTION_VENDOR_SPECIFIC,
					OPTION_CLIENT_UUID, OPTION_IPXE};

	for (size_t i = 0; i < sizeof(codes); i++)
		w->is_put[codes[i]] = true;
	w->is_put[OPTION_BOOT_FILE] = is_file_ours(w);
	w->is_put[OPTION_TFTP_SERVER] = !w->verdict->boot.is_answered;
}

static void put_boot(struct writing *w, char next_server[IP4_TEXT_SIZE])
{
	const struct decide_verdict *verdict = w->verdict;

	if (verdict->pxe.class != PXE_CLASS_OS)
		claim_boot_options(w);
	if (!verdict->boot.is_answered)
		return;
	if (!pxe_put_options(&w->space.options, &verdict->pxe, w->request))
		w->space.left_out++;
	ip4_format(verdict->boot.next_server, next_server);
	w->set.values[OPTION_TFTP_SERVER] = (struct option_value){
		(const uint8_t *)next_server, (uint16_t)strlen(next_server), false};
	/* unasked it would only take space: siaddr says the same */
	if (!packet_option(w->request, OPTION_PARAMETER_LIST, &(size_t){0}))
		w->is_put[OPTION_TFTP_SERVER] = true;
}

/* Mask before routers (RFC 2132 section 3.3), and what the boot needs before the rest. */
static void put_site(struct writing *w)
{
	char next_server[IP4_TEXT_SIZE];

	(void)put_configured(w, OPTION_SUBNET_MASK);
	put_boot(w, next_server);
	put_client(w);
	put_all_configured(w);
}

/* What was kept free: the boot file, a PAD that may be overwritten, the relay's option, END. */
static void put_tail(struct writing *w, size_t tail)
{
	struct bytes_writer *out = &w->space.options;
	size_t length;
	const uint8_t *agent = packet_option(w->request, OPTION_RELAY_AGENT, &length);
	const char *file = w->verdict->boot.file;

	space_open_tail(&w->space, tail);
	if (!is_nak(w) && *file) {
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
static uint8_t overload_of(const struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;

	if (is_nak(w) || verdict->action == DECIDE_BOOTP ||
	    verdict->pxe.class == PXE_CLASS_FIRMWARE || verdict->pxe.class == PXE_CLASS_HTTP)
		return 0;
	return *w->file ? SPACE_OVERLOAD_SNAME : SPACE_OVERLOAD_FILE | SPACE_OVERLOAD_SNAME;
}

static size_t tail_size(const struct writing *w)
{
	size_t length;
	size_t size = 1 + space_overload_size(overload_of(w));

	if (packet_option(w->request, OPTION_RELAY_AGENT, &length))
		size += length + 2 * (length / 255 + 1);
	if (!is_nak(w) && *w->verdict->boot.file)
		size += strlen(w->verdict->boot.file) + 3;
	return size;
}

static void gather(struct writing *w)
{
	const struct decide_verdict *verdict = w->verdict;

	if (is_nak(w))
		memset(w->set.values, 0, sizeof(w->set.values));
	else
		optionset_gather(&(struct optionset_question){verdict->site, verdict->subnet,
							      verdict->host, &verdict->pxe,
							      w->request},
				 &w->set);
}

/* An address in option 66 is the server that operators mean. */
static uint32_t chosen_server(const struct writing *w)
{
	const struct option_value *value = &w->set.values[OPTION_TFTP_SERVER];
	char buffer[IP4_TEXT_SIZE];
	struct text name = text_into(buffer, sizeof(buffer));
	uint32_t address;

	if (value->octets)
		text_put_bytes(&name, (const char *)value->octets, value->length);
	if (!value->octets || name.failed || ip4_parse(buffer, &address) != ERR_OK)
		return w->verdict->boot.next_server;
	return address;
}

/*
 * Where clients look for a file that read no options (RFC 951), or not these: ours, or for who
 * boots by no rule of ours the one that operators set.
 */
static void choose_file(struct writing *w)
{
	const struct bootfile *boot = &w->verdict->boot;
	const struct option_value *set = &w->set.values[OPTION_BOOT_FILE];
	struct text name = text_into(w->file, sizeof(w->file));

	if (is_nak(w))
		return;
	text_put(&name, boot->file);
	if (!is_file_ours(w) && set->octets &&
	    (set->is_always || is_asked_for(w, OPTION_BOOT_FILE)))
		text_put_bytes(&name, (const char *)set->octets, set->length);
	if (boot->is_answered)
		w->siaddr = boot->next_server;
	else if (name.length > 0 || name.failed)
		w->siaddr = chosen_server(w);
	/* too long for the header: option 67 has it whole */
	if (name.failed)
		w->file[0] = '\0';
}

static void put_header(struct writing *w, uint32_t yiaddr)
{
	const struct packet *request = w->request;
	const struct decide_verdict *verdict = w->verdict;
	struct packet_header header = {
		.op = PACKET_BOOTREPLY,
		.htype = request->htype,
		.hlen = request->hlen,
		.xid = request->xid,
		.flags = request->flags,
		.ciaddr = is_nak(w) || verdict->action == DECIDE_OFFER ? 0 : request->ciaddr,
		.yiaddr = yiaddr,
		.siaddr = w->siaddr,
		.giaddr = request->giaddr,
		.chaddr = request->chaddr,
		.file = w->file,
	};

	/* the relay must not unicast a NAK to the address it takes away (RFC 2131 4.3.2) */
	if (is_nak(w) && request->giaddr != 0)
		header.flags |= PACKET_FLAG_BROADCAST;
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
	(void)put(w, OPTION_MESSAGE_TYPE, &type, 1);
	put_number(w, OPTION_SERVER_ID, w->verdict->server);
	if (message == PACKET_NAK) {
		(void)put(w, OPTION_MESSAGE, w->verdict->reason, strlen(w->verdict->reason));
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
	gather(&w);
	choose_file(&w);
	tail = tail_size(&w);
	/* header, cookie, message type and server are what no reply can do without */
	if (tail + PACKET_HEADER_SIZE + 4 + 3 + 6 > most)
		return ERR_SPACE;
	w.space = space_over(buffer, most, tail, overload_of(&w));
	put_header(&w, yiaddr);
	put_options(&w, message);
	put_tail(&w, tail);
	if (w.space.options.failed)
		return ERR_SPACE;
	*ret_reply = (struct reply){message, yiaddr, w.space.options.length, w.space.left_out};
	return ERR_OK;
}
