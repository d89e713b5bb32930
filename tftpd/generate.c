#include "tftpd/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/grub.h"
#include "core/menu.h"
#include "core/pxelinux.h"
#include "db/offered.h"
#include "db/rows.h"
#include "tftpd/lessee.h"

#define TEXT_SIZE 32768
#define URL_SIZE 256
#define WAIT_SECONDS 5
#define WAIT_KEPT_MS 2000 /* a wait is asked again soon, and must not be the same then */

/* Which machine is meant, by what the name says, and the neighbour table or its lease. */
struct machine {
	const struct host *host; /* NULL: unknown */
	struct mac mac;
	bool has_mac;
	char mac_words[MAC_TEXT_SIZE]; /* with dashes, or "" */
};

/* ERR_REFUSED: the name means another machine than the one that asks. */
static enum err find_machine(const struct generate_ask *ask, struct machine *ret_machine)
{
	const struct search *search = &ask->search;
	const struct resolve_client *client = &ask->client;
	struct machine machine = {0};

	if (client->mac) {
		machine.mac = *client->mac;
		machine.has_mac = true;
	}
	if (search->by == SEARCH_MAC) {
		if (client->mac && !mac_equal(client->mac, &search->mac))
			return ERR_REFUSED;
		machine.mac = search->mac;
		machine.has_mac = true;
	}
	if (search->by == SEARCH_ADDRESS && search->address != client->address)
		return ERR_REFUSED;
	if (machine.has_mac) {
		machine.host = site_host_by_mac(client->site, &machine.mac);
		mac_format_dashes(&machine.mac, machine.mac_words);
	}
	if (search->by == SEARCH_UUID) {
		const struct host *named = site_host_by_uuid(client->site, &search->uuid);

		if (!named || named != machine.host)
			return ERR_ABSENT; /* the loader asks by its MAC next */
	}
	*ret_machine = machine;
	return ERR_OK;
}

static struct boot_facts facts_of(const struct generate_ask *ask, const struct machine *machine)
{
	const struct host *host = machine->host;
	bool is_grub = ask->search.loader == BOOT_LOADER_GRUB;

	return (struct boot_facts){
		.stage = BOOT_STAGE_MENU,
		.loader = ask->search.loader,
		.host_state = host ? host->state : HOST_UNKNOWN,
		.job = host && host->has_live_job ? BOOT_JOB_LIVE : BOOT_JOB_NONE,
		.arch = {ARCH_OTHER, is_grub ? FIRMWARE_EFI : FIRMWARE_BIOS},
		.host = host ? host->name : "",
		.product = host ? host->product : "",
		.group_id = host ? host->group_id : 0,
	};
}

static struct menu start_menu(const struct generate_ask *ask, const struct machine *machine,
			      const struct boot_facts *facts)
{
	struct menu menu = menu_start(ask->client.site, facts);

	menu.query = ask->name;
	menu.mac = machine->mac_words;
	menu.wait_seconds = WAIT_SECONDS;
	return menu;
}

/* Renders into the loader's dialect, and keeps it. */
static enum err keep(struct server *server, const struct generate_ask *ask,
		     const struct menu *menu)
{
	static char buffer[TEXT_SIZE]; /* one loop, one text at a time */
	struct text out = text_into(buffer, sizeof(buffer));
	enum err err = ask->search.loader == BOOT_LOADER_GRUB ? grub_render(menu, &out)
							      : pxelinux_render(menu, &out);
	uint64_t keep_ms = menu->kind == MENU_WAIT ? WAIT_KEPT_MS : KEPT_MS;

	if (err != ERR_OK) {
		log_error("config_too_long", "file=%s remedy=%s", log_text(ask->name),
			  log_text("shorten the menu: a configuration holds 32 KiB"));
		return err;
	}
	return kept_add(&server->kept, &ask->datagram->peer.address, ask->name, buffer,
			out.length, loop_now_ms(server->loop) + keep_ms);
}

static enum err keep_decided(struct server *server, const struct generate_ask *ask,
			     const struct machine *machine, const struct boot_facts *facts,
			     const struct boot_verdict *verdict)
{
	const struct site *site = ask->client.site;
	struct menu menu = start_menu(ask, machine, facts);

	if (menu_from_verdict(site, verdict, facts, &menu) != ERR_OK) {
		menu.kind = MENU_REFUSE;
		menu.message = "the profile that is to be booted does not exist";
		log_error("rule_without_profile", "position=%d profile=%s remedy=%s",
			  verdict->position, log_text(verdict->argument),
			  log_text("insert it into rouse.profiles, or mend rouse.boot_rules"));
	}
	return keep(server, ask, &menu);
}

static enum err keep_verdict(struct server *server, const struct generate_ask *ask,
			     const struct machine *machine, const struct boot_facts *facts)
{
	const struct site *site = ask->client.site;
	struct boot_verdict verdict = boot_decide(site->rules, site->rule_count, facts);

	return keep_decided(server, ask, machine, facts, &verdict);
}

/* The database was asked in vain: the loader waits and asks again. */
static enum err keep_wait(struct server *server, const struct generate_ask *ask,
			  const struct machine *machine, const struct boot_facts *facts,
			  const char *message)
{
	struct menu menu = start_menu(ask, machine, facts);

	menu.kind = MENU_WAIT;
	menu.message = message;
	return keep(server, ask, &menu);
}

/* The job's words, as one row of the database's answer. */
static enum err keep_job(struct server *server, const struct generate_ask *ask,
			 const struct machine *machine, const struct boot_facts *facts,
			 struct row *row)
{
	struct menu menu = start_menu(ask, machine, facts);
	const char *answer = row_text(row, "answer");
	char url[URL_SIZE];
	struct text url_out = text_into(url, sizeof(url));
	struct offered offered;

	offered_take_reason(&offered, row, &menu);
	if (strcmp(answer, "busy") == 0) {
		menu.kind = MENU_WAIT;
	} else if (strcmp(answer, "profile") == 0) {
		struct boot_verdict verdict = {BOOT_PROFILE, row_text(row, "profile"),
					       offered.message, 0};

		return keep_decided(server, ask, machine, facts, &verdict);
	} else if (strcmp(answer, "job") != 0) {
		menu.kind = MENU_LOCAL;
	} else {
		enum err err = resolve_menud_url(&ask->client, &ask->datagram->local, &url_out);

		if (err != ERR_OK)
			return err;
		menu.base_url = url;
		offered_take_job(&offered, row, &menu);
	}
	return keep(server, ask, &menu);
}

/* Makes what the answer calls for. */
static enum err take_answer(struct server *server, const struct generate_ask *ask,
			    const struct db_answer *answer)
{
	struct machine machine;
	struct boot_facts facts;
	struct row row;

	if (find_machine(ask, &machine) != ERR_OK)
		return ERR_ABSENT;
	facts = facts_of(ask, &machine);
	if (answer->outcome != DB_OK || rows_count(answer->rows) != 1) {
		log_warning("offer_failed", "file=%s reason=%s", log_text(ask->name),
			    log_text(answer->message));
		return keep_wait(server, ask, &machine, &facts,
				 "the job database does not answer");
	}
	row = rows_row(answer->rows, 0);
	if (strcmp(row_text(&row, "answer"), "none") != 0)
		return keep_job(server, ask, &machine, &facts, &row);
	facts.job = BOOT_JOB_NONE; /* the policy once more, without it */
	return keep_verdict(server, ask, &machine, &facts);
}

/* The request goes its way again, and finds what was kept for it. */
static void on_offer(void *data, const struct db_answer *answer)
{
	struct parked_request *request = data;
	struct server *server = request->server;
	struct generate_ask ask = {.datagram = &request->datagram, .name = request->name};
	struct mac mac;
	enum err err;

	if (!server) { /* it has closed meanwhile */
		free(request);
		return;
	}
	parked_remove(&server->offers, request);
	ask.client = (struct resolve_client){
		.site = backend_site(server->backend),
		.address = ip_v4(&request->datagram.peer.address),
		.menud_urls = server->settings->menud_urls,
	};
	if (neigh_find(&server->neigh, request->datagram.interface,
		       &request->datagram.peer.address, &mac) == ERR_OK ||
	    lessee_recall(server, &request->datagram.peer.address, &mac) == ERR_OK)
		ask.client.mac = &mac;
	err = search_parse(request->name, &ask.search) ? take_answer(server, &ask, answer)
						       : ERR_ABSENT;
	if (err == ERR_OK)
		server_take_again(server, &request->datagram, false);
	else
		log_error("config_failed", "file=%s reason=%s remedy=%s",
			  log_text(request->name), err_text(err),
			  log_text("menud_urls must name a boot service without settings of "
				   "iPXE's other than ${next-server}"));
	free(request);
}

static enum err ask_database(struct server *server, const struct generate_ask *ask,
			     const struct machine *machine, const struct boot_facts *facts)
{
	char facts_json[64];
	char address[IP_TEXT_SIZE];
	const char *params[] = {facts_json, address};
	const struct parked_question question = {
		.name = ask->name,
		.sql = "select * from rouse_daemon.offer($1::jsonb, $2::inet)",
		.params = params,
		.param_count = 2,
		.on_answer = on_offer};

	(void)snprintf(facts_json, sizeof(facts_json), "{\"mac0\":\"%s\"}", machine->mac_words);
	ip_format(&ask->datagram->peer.address, address);
	if (parked_ask(&server->offers, server, ask->datagram, &question) == ERR_OK)
		return ERR_AWAY;
	return keep_wait(server, ask, machine, facts, "the job database is away");
}

/* Keeps a text for this request, or parks it: ERR_AWAY. */
static enum err make(struct server *server, const struct generate_ask *ask,
		     const char **ret_reason)
{
	const struct site *site = ask->client.site;
	struct machine machine;
	struct boot_facts facts;
	enum err err = find_machine(ask, &machine);

	if (err == ERR_REFUSED)
		*ret_reason = "the name means another machine than the one that asks";
	if (err != ERR_OK)
		return err;
	facts = facts_of(ask, &machine);
	if (machine.has_mac &&
	    boot_decide(site->rules, site->rule_count, &facts).answer == BOOT_RUN_JOB)
		return ask_database(server, ask, &machine, &facts);
	facts.job = BOOT_JOB_NONE;
	return keep_verdict(server, ask, &machine, &facts);
}

enum err generate_config(struct server *server, const struct generate_ask *ask,
			 struct source *ret_source, const char **ret_reason)
{
	const struct ip *peer = &ask->datagram->peer.address;
	const struct kept_text *text;

	if (ask->client.site->rule_count == 0)
		return ERR_ABSENT; /* without a site there is nothing to say */
	text = kept_find(&server->kept, peer, ask->name, loop_now_ms(server->loop));
	if (!text) {
		enum err err = ERR_AWAY;

		if (!parked_has(&server->offers, &ask->datagram->peer, ask->name))
			err = make(server, ask, ret_reason);
		if (err != ERR_OK)
			return err;
		text = kept_find(&server->kept, peer, ask->name, loop_now_ms(server->loop));
	}
	return text ? source_from_text(text->text, text->length, ret_source) : ERR_MEMORY;
}
