#include "dhcpd/beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dhcpd/observe.h"
#include "dhcpd/probe.h"
#include "dhcpd/proxy_server.h"
#include "dhcpd/report_heard.h"
#include "dhcpd/route.h"
#include "dhcpd/tap.h"
#include "io/log.h"

#define INTERFACES_MAX 16
#define EVERYBODY 0xffffffffU

struct beside_interface {
	struct beside *beside;
	struct link *link;
	struct tap *tap;
	struct probe probe; /* in mode server */
	struct mac probe_mac;
	uint32_t stranger; /* that answered the probe, while it is in state FOREIGN */
	bool was_serving;
};

struct beside {
	struct beside_options options;
	struct beside_interface interfaces[INTERFACES_MAX];
	size_t interface_count;
	struct proxy_server *proxy; /* in mode proxy */
	struct observe_memory memory;
	struct loop_timer timer;
};

static struct backend *backend_of(const struct beside *beside)
{
	return *beside->options.backend;
}

static enum settings_mode mode_of(const struct beside *beside)
{
	return settings_mode(beside->options.settings);
}

/* --- hearing --- */

void beside_hear_request(struct beside *beside, size_t position, const struct packet *packet)
{
	const struct beside_interface *interface = &beside->interfaces[position];
	struct events *events = backend_events(backend_of(beside));
	enum pxe_class class = pxe_client(packet).class;
	struct observe_inference inference;
	struct mac mac;

	if (packet->op != PACKET_BOOTREQUEST)
		return;
	if (packet_mac(packet, &mac)) {
		if (observe_request(&beside->memory, &mac, class, packet,
				    loop_now_ms(beside->options.loop), &inference))
			report_heard_inference(events, link_name(interface->link), &mac,
					       &inference);
		if (packet->message == PACKET_DISCOVER && class != PXE_CLASS_OS)
			link_note_booting(interface->link, &mac);
	}
	report_heard_request(events, link_name(interface->link), packet);
}

/* Our own proxy's answers are heard, too; a server beside us on this host has our address. */
static bool is_ours(const struct beside_interface *interface, const struct tap_heard *heard,
		    const struct observe_answer *answer)
{
	return heard->is_own && answer->is_proxy &&
	       answer->server == link_address(interface->link);
}

/* Whoever sees our segment can forge an answer: it only makes us ask. */
static void suspect(struct beside_interface *interface, uint32_t server)
{
	const struct beside *beside = interface->beside;

	for (size_t i = 0; i < beside->interface_count; i++) {
		if (link_address(beside->interfaces[i].link) == server)
			return;
	}
	/* who was heard now for the first time is not judged yet: asking does no harm */
	if (foreign_judge(backend_foreign(backend_of(beside)), server, false) != FOREIGN_PEER)
		probe_hint(&interface->probe);
}

void beside_hear_choice(struct beside *beside, size_t position, uint32_t server)
{
	suspect(&beside->interfaces[position], server);
}

/* A machine that boots is sent somewhere by this answer: is anybody there? */
static void check_boot_server(const struct beside *beside, enum pxe_class class,
			      const struct observe_answer *answer)
{
	struct bootchecker *checker = backend_bootchecker(backend_of(beside));

	if (class != PXE_CLASS_FIRMWARE)
		return;
	bootchecker_want(checker, BOOTCHECK_TFTP, observe_boot_server(answer),
			 answer->boot_file);
	if (answer->says_pxe)
		bootchecker_want(checker, BOOTCHECK_PXE, answer->server, "");
}

static void hear_reply(struct beside_interface *interface, const struct tap_heard *heard,
		       const struct packet *packet)
{
	struct beside *beside = interface->beside;
	struct backend *backend = backend_of(beside);
	struct foreign *foreign = backend_foreign(backend);
	struct observe_answer answer;
	bool is_answer =
		observe_read_answer(packet, heard->frame.payload, heard->frame.payload_length,
				    heard->frame.source, &answer);
	struct mac client = {{0}};
	enum pxe_class class;

	(void)packet_mac(packet, &client);
	/*
	 * What is for one card is heard by chance only, and left alone; but Kea answers the
	 * probe so, too: it sends a broadcast to the one card that asked for it.
	 */
	if (heard->is_others && !mac_equal(&client, &interface->probe_mac))
		return;
	class = observe_reply(&beside->memory, &client, packet);
	if (is_answer) {
		if (is_ours(interface, heard, &answer))
			return;
		if (!answer.is_proxy)
			probe_heard(&interface->probe, packet, answer.server);
		foreign_note(foreign, &heard->mac, &answer);
		if (!answer.is_proxy)
			suspect(interface, answer.server);
		/* a peer tells its own story */
		if (foreign_judge(foreign, answer.server, answer.is_proxy) == FOREIGN_PEER)
			return;
		check_boot_server(beside, class, &answer);
	}
	if (!mac_equal(&client, &interface->probe_mac))
		report_heard_reply(backend_events(backend), link_name(interface->link), packet,
				   class, is_answer ? &answer : NULL);
}

static void on_heard(void *data, const struct tap_heard *heard)
{
	struct beside_interface *interface = data;
	struct beside *beside = interface->beside;
	struct packet packet;

	if (packet_parse(heard->frame.payload, heard->frame.payload_length, &packet) != ERR_OK)
		return;
	if (packet.op == PACKET_BOOTREPLY) {
		hear_reply(interface, heard, &packet);
		return;
	}
	/* what this host's own client asks goes to somebody else */
	if (heard->is_others || heard->frame.destination_port != ROUTE_PORT_SERVER)
		return;
	beside_hear_request(beside, (size_t)(interface - beside->interfaces), &packet);
	if (beside->proxy && !heard->is_own)
		proxy_server_hear(beside->proxy, interface->link, &packet);
}

static void on_solicit(void *data, const struct mac *mac, const struct solicit *solicit)
{
	const struct beside_interface *interface = data;

	report_heard_solicit(backend_events(backend_of(interface->beside)),
			     link_name(interface->link), mac, solicit);
}

/* --- may we serve? --- */

static enum probe_policy policy_of(const struct beside *beside)
{
	const char *word =
		site_setting(backend_site(backend_of(beside)), "dhcp_step_back", "start");

	if (strcmp(word, "always") == 0)
		return PROBE_ALWAYS;
	return strcmp(word, "never") == 0 ? PROBE_NEVER : PROBE_AT_START;
}

/* The first stranger that answered the last question, or 0. */
static uint32_t find_stranger(const struct beside_interface *interface)
{
	const struct foreign *foreign = backend_foreign(backend_of(interface->beside));

	for (size_t i = 0; i < interface->probe.answer_count; i++) {
		if (foreign_judge(foreign, interface->probe.answers[i], false) ==
		    FOREIGN_STRANGER)
			return interface->probe.answers[i];
	}
	return 0;
}

static enum probe_verdict judge(const struct beside_interface *interface)
{
	const struct foreign *foreign = backend_foreign(backend_of(interface->beside));

	if (foreign_judge(foreign, 0, false) == FOREIGN_NOT_KNOWN)
		return PROBE_NOT_KNOWN;
	return find_stranger(interface) != 0 ? PROBE_STRANGER : PROBE_NOBODY;
}

bool beside_is_serving(const struct beside *beside, size_t position)
{
	const struct probe *probe = &beside->interfaces[position].probe;

	if (mode_of(beside) != SETTINGS_SERVER)
		return false;
	/* nearly always nobody is in the way, and the setting need not be looked up */
	return probe_permits(probe, PROBE_ALWAYS) || probe_permits(probe, policy_of(beside));
}

static void ask(struct beside_interface *interface)
{
	static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	uint8_t buffer[PACKET_SIZE_MIN];
	struct frame frame = {
		.source_port = ROUTE_PORT_CLIENT,
		.destination = EVERYBODY,
		.destination_port = ROUTE_PORT_SERVER,
		.payload = buffer,
		.payload_length =
			probe_encode(&interface->probe_mac, interface->probe.xid, buffer),
	};

	(void)link_send(interface->link, &everybody, &frame);
}

static void say_not_serving(const struct beside_interface *interface)
{
	char address[IP4_TEXT_SIZE];

	ip4_format(interface->stranger, address);
	log_warning("not_serving", "interface=%s reason=%s address=%s remedy=%s",
		    link_name(interface->link),
		    log_text("another DHCP server gives addresses here"), address,
		    log_text("stop it, or start dhcpd with mode = \"proxy\", or set the "
			     "setting dhcp_step_back to never"));
}

static void say_stranger(const struct beside_interface *interface)
{
	char address[IP4_TEXT_SIZE];

	if (interface->stranger == 0) {
		log_info("stranger_gone", "interface=%s", link_name(interface->link));
		return;
	}
	ip4_format(interface->stranger, address);
	log_warning("serving_beside_stranger", "interface=%s reason=%s address=%s remedy=%s",
		    link_name(interface->link),
		    log_text("another DHCP server gives addresses here, too: a client may get "
			     "wrong ones, and one address may be given twice"),
		    address,
		    log_text("find it by its card in rouse.foreign_dhcp and stop it; if it "
			     "shall serve in our place, set dhcp_step_back to always"));
}

/* Tells what has changed; false when nothing has. */
static bool say_change(struct beside_interface *interface, uint32_t stranger_before)
{
	bool is_serving = beside_is_serving(
		interface->beside, (size_t)(interface - interface->beside->interfaces));
	bool was_serving = interface->was_serving;
	bool is_same_stranger = (stranger_before == 0) == (interface->stranger == 0);

	interface->was_serving = is_serving;
	if (is_serving == was_serving && is_same_stranger)
		return false;
	if (is_serving && !was_serving)
		log_info("serving", "interface=%s", link_name(interface->link));
	if (!is_serving && interface->stranger != 0)
		say_not_serving(interface);
	else if (is_serving && (interface->stranger != 0 || was_serving))
		say_stranger(interface);
	return true;
}

static void note_stranger(struct beside_interface *interface)
{
	uint32_t found = find_stranger(interface);

	if (interface->probe.state != PROBE_FOREIGN)
		interface->stranger = 0;
	/* while it is asked again, the one of before stands */
	else if (found != 0)
		interface->stranger = found;
}

static void on_tick(void *data)
{
	struct beside *beside = data;
	uint64_t now = loop_now_ms(beside->options.loop);
	bool is_changed = false;

	for (size_t i = 0; i < beside->interface_count; i++) {
		struct beside_interface *interface = &beside->interfaces[i];
		uint32_t before = interface->stranger;

		if (probe_tick(&interface->probe, now, judge(interface)))
			ask(interface);
		note_stranger(interface);
		if (say_change(interface, before))
			is_changed = true;
	}
	if (is_changed)
		backend_announce(backend_of(beside));
}

/* Our peers shall know us before our first answer: so they do while we still ask. */
static bool is_announced(const struct beside *beside, size_t position)
{
	return mode_of(beside) == SETTINGS_PROXY || beside_is_serving(beside, position) ||
	       beside->interfaces[position].probe.state == PROBE_STARTING;
}

struct foreign_self beside_self(const struct beside *beside)
{
	struct foreign_self self = {.answers_as = NULL};

	if (mode_of(beside) == SETTINGS_OBSERVE)
		return self;
	for (size_t i = 0; i < beside->interface_count && self.count < FOREIGN_ADDRESSES_MAX;
	     i++) {
		uint32_t address = link_address(beside->interfaces[i].link);

		if (address != 0 && is_announced(beside, i))
			self.addresses[self.count++] = address;
	}
	if (self.count > 0)
		self.answers_as = mode_of(beside) == SETTINGS_PROXY ? "proxy" : "server";
	return self;
}

void beside_status(const struct beside *beside, char *buffer, size_t size)
{
	struct proxy_server_counts counts;
	char address[IP4_TEXT_SIZE];

	(void)snprintf(buffer, size, "%s", settings_mode_name(mode_of(beside)));
	if (beside->proxy) {
		counts = proxy_server_counts(beside->proxy);
		(void)snprintf(buffer, size, "proxy (%llu offers, %llu answers on port 4011)",
			       (unsigned long long)counts.offers,
			       (unsigned long long)counts.answers);
		return;
	}
	for (size_t i = 0; i < beside->interface_count; i++) {
		const struct beside_interface *interface = &beside->interfaces[i];
		bool is_serving = beside_is_serving(beside, i);

		if (interface->stranger == 0)
			continue;
		ip4_format(interface->stranger, address);
		(void)snprintf(buffer, size, "%s: %s gives addresses on %s%s",
			       is_serving ? "serving beside a stranger" : "observing only",
			       address, link_name(interface->link),
			       is_serving ? ", too" : ", and dhcp_step_back is not never");
		return;
	}
}

/* --- opening and closing --- */

enum err beside_add(struct beside *beside, struct link *link)
{
	struct beside_interface *interface = &beside->interfaces[beside->interface_count];
	struct tap_options options = {
		.link = link,
		.what = mode_of(beside) == SETTINGS_SERVER ? TAP_REPLIES : TAP_EVERYTHING,
		.on_heard = on_heard,
		.data = interface,
	};
	uint32_t xid = 0;
	struct mac mac = link_mac(link);
	enum err err;

	if (beside->interface_count == INTERFACES_MAX)
		return ERR_SPACE;
	interface->beside = beside;
	interface->link = link;
	interface->probe_mac = probe_mac(&mac);
	if (mode_of(beside) == SETTINGS_SERVER)
		options.also = interface->probe_mac;
	if (getrandom(&xid, sizeof(xid), 0) < 0)
		return ERR_SYSTEM;
	probe_begin(&interface->probe, xid, loop_now_ms(beside->options.loop));
	err = tap_open(&options, &interface->tap);
	if (err != ERR_OK)
		return err;
	beside->interface_count++;
	link_hear_solicits(link, on_solicit, interface);
	return beside->proxy ? proxy_server_add(beside->proxy, link) : ERR_OK;
}

enum err beside_follow(struct beside *beside, size_t position)
{
	return beside->proxy ? proxy_server_follow(beside->proxy, position) : ERR_OK;
}

enum err beside_open(const struct beside_options *options, struct beside **ret_beside)
{
	struct beside *beside = calloc(1, sizeof(*beside));
	struct proxy_server_options proxy = {
		options->loop, (unsigned)options->settings->proxy_delay_ms, options->backend};
	enum err err = ERR_OK;

	if (!beside)
		return ERR_MEMORY;
	beside->options = *options;
	if (settings_mode(options->settings) == SETTINGS_PROXY)
		err = proxy_server_open(&proxy, &beside->proxy);
	if (err != ERR_OK) {
		free(beside);
		return err;
	}
	loop_timer_open(options->loop, &beside->timer, on_tick, beside);
	if (settings_mode(options->settings) == SETTINGS_SERVER)
		loop_timer_start(&beside->timer, 1, PROBE_TICK_MS);
	*ret_beside = beside;
	return ERR_OK;
}

void beside_close(struct beside *beside)
{
	if (!beside)
		return;
	for (size_t i = 0; i < beside->interface_count; i++)
		tap_close(beside->interfaces[i].tap);
	proxy_server_close(beside->proxy);
	loop_timer_close_then(&beside->timer, free);
}
