#include "menud/boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot.h"
#include "core/grub.h"
#include "core/menu.h"
#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/base_url.h"
#include "menud/dialect.h"
#include "menud/form.h"
#include "menud/login.h"

#define SCRIPT_SIZE 65536
#define ARGUMENTS_SIZE 8192
#define TOO_LONG ": its kernel arguments are too long"
#define GRUB_PATH "boot/grub.cfg" /* where GRUB asks again, with what it knows */
#define DONE_SECONDS 3		  /* to read what was done; the snapshot has it by then */

static const char script_type[] = "text/plain; charset=utf-8";
static const struct http_header not_kept[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};

/* One request, which may outlive its first call: nothing here points into a site. */
struct boot_request {
	struct menud *menud;
	struct http_request *http; /* NULL: the server has answered for us */
	enum boot_loader loader;   /* in its language it is answered */
	struct form form;
	char base_url[BASE_URL_SIZE];
	char client_url[BASE_URL_SIZE];
	char query[sizeof(GRUB_PATH) + FORM_QUERY_SIZE];
	char mac[MAC_TEXT_SIZE];
};

static const struct host *host_of(const struct site *site, const struct form *form)
{
	return site_host_of(site, form->macs, form->mac_count,
			    form->has_uuid ? &form->uuid : NULL);
}

static enum boot_role role_of(const struct form *form)
{
	switch (session_role_named(form->role)) {
	case SESSION_OPERATOR:
		return BOOT_ROLE_OPERATOR;
	case SESSION_VIEWER:
		return BOOT_ROLE_VIEWER;
	case SESSION_ANONYMOUS:
		break;
	}
	return BOOT_ROLE_ANONYMOUS;
}

static struct boot_facts facts_of(const struct boot_request *boot, const struct host *host)
{
	const struct form *form = &boot->form;

	return (struct boot_facts){
		.stage = BOOT_STAGE_MENU,
		.loader = boot->loader,
		.host_state = host ? host->state : HOST_UNKNOWN,
		/* a ticket is bound to a MAC */
		.job = host && host->has_live_job && form->mac_count > 0 ? BOOT_JOB_LIVE
									 : BOOT_JOB_NONE,
		.arch = form->arch,
		.host = host ? host->name : "",
		.product = form->product,
		.group_id = host ? host->group_id : 0,
		.role = role_of(form),
	};
}

static struct menu start_menu(const struct boot_request *boot, const struct boot_facts *facts)
{
	struct menu menu = menu_start(snapshot_site(boot->menud->snapshot), facts);

	menu.base_url = boot->base_url;
	menu.client_url = boot->client_url;
	menu.query = boot->query;
	menu.mac = boot->mac;
	menu.manufacturer = boot->form.manufacturer;
	menu.product = boot->form.product;
	menu.serial = boot->form.serial;
	menu.is_http = true;
	menu.attempt = boot->form.attempt;
	return menu;
}

static const char *kind_name(const struct menu *menu)
{
	switch (menu->kind) {
	case MENU_ITEMS:
		return "menu";
	case MENU_LINUX:
		return menu->ticket[0] != '\0' ? "job" : "profile";
	case MENU_EFI:
	case MENU_ISO:
	case MENU_CHAIN:
		return "profile";
	case MENU_LOCAL:
		return "local";
	case MENU_WAIT:
		return "wait";
	case MENU_REFUSE:
		return "refused";
	case MENU_CONFIRM:
		return "confirm";
	case MENU_NAME:
		return "name";
	case MENU_IDENTIFY:
		return "identify";
	case MENU_SHELL:
		return "shell";
	case MENU_LOGIN:
		return "login";
	case MENU_REBOOT:
		return "reboot";
	case MENU_DONE:
		return "done";
	}
	return "other";
}

static void record(const struct boot_request *boot, const char *stage, const char *kind,
		   const char *name, const char *reason)
{
	const struct form *form = &boot->form;
	char detail[96];
	struct event event = {
		.stage = stage,
		.kind = kind,
		.mac = form->mac_count > 0 ? &form->macs[0] : NULL,
		.uuid = form->has_uuid ? &form->uuid : NULL,
		.address = http_peer(boot->http),
		.name = name,
		.reason = reason,
		.detail = detail,
	};

	(void)snprintf(detail, sizeof(detail), "{\"firmware\":\"%s\",\"arch\":\"%s\"}",
		       arch_firmware_name(form->arch.firmware), arch_cpu_name(form->arch.cpu));
	events_push(boot->menud->events, &event);
	log_info("boot", "mac=%s answer=%s item=%s reason=%s", boot->mac[0] ? boot->mac : "-",
		 kind, log_text(name), log_text(reason));
}

static void send_menu(const struct boot_request *boot, const struct menu *menu)
{
	static char script[SCRIPT_SIZE]; /* one loop, one answer at a time */
	struct text out = text_into(script, sizeof(script));

	if (dialect_render(boot->loader, menu, &out) != ERR_OK) {
		log_error("script_too_long", "mac=%s remedy=%s", boot->mac,
			  log_text("shorten the menu: a script holds 64 KiB"));
		answer_line(boot->http, 500, "the menu does not fit into a script");
	} else {
		record(boot, menu->kind == MENU_LOCAL ? "local_boot" : "script",
		       kind_name(menu), boot->form.item, menu->message);
		http_answer_text(boot->http, 200, script_type, out.start, out.length, not_kept);
	}
}

/* The database is needed and away: sleep and come back, in the end the local disk. */
static void send_away(const struct boot_request *boot, const struct boot_facts *facts)
{
	struct menu menu = start_menu(boot, facts);
	char message[96];

	menu.attempt = boot->form.attempt + 1;
	menu.kind = menu.attempt >= MENU_TRIES_MAX ? MENU_LOCAL : MENU_WAIT;
	menu.wait_seconds = 5;
	(void)snprintf(message, sizeof(message), "the job database is away; try %u of %d",
		       menu.attempt, MENU_TRIES_MAX);
	menu.message = message;
	send_menu(boot, &menu);
}

static void send_verdict(const struct boot_request *boot, const struct site *site,
			 const struct boot_facts *facts, const struct boot_verdict *verdict)
{
	struct menu menu = start_menu(boot, facts);

	if (menu_from_verdict(site, verdict, facts, &menu) != ERR_OK) {
		menu.kind = MENU_REFUSE;
		menu.message = "the profile that is to be booted does not exist";
		log_error("rule_without_profile", "position=%d profile=%s remedy=%s",
			  verdict->position, log_text(verdict->argument),
			  log_text("insert it into rouse.profiles, or mend rouse.boot_rules"));
	}
	send_menu(boot, &menu);
}

/* The database knows of no job to offer: the policy is asked once more, without one. */
static void send_without_job(const struct boot_request *boot)
{
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = facts_of(boot, host_of(site, &boot->form));
	struct boot_verdict verdict;

	facts.job = BOOT_JOB_NONE;
	verdict = boot_decide(site->rules, site->rule_count, &facts);
	send_verdict(boot, site, &facts, &verdict);
}

/* A job said: there, once. */
static void send_profile(const struct boot_request *boot, const char *name, const char *reason)
{
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = facts_of(boot, host_of(site, &boot->form));

	send_verdict(boot, site, &facts, &(struct boot_verdict){BOOT_PROFILE, name, reason, 0});
}

/* The job's words, as one row of the database's answer. */
static void send_job(const struct boot_request *boot, struct row *row)
{
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = facts_of(boot, host_of(site, &boot->form));
	struct menu menu = start_menu(boot, &facts);
	const char *answer = row_text(row, "answer");
	char arguments[ARGUMENTS_SIZE], message[256];
	struct text expanded = text_into(arguments, sizeof(arguments));

	(void)snprintf(message, sizeof(message), "%s", row_text(row, "reason"));
	menu.message = message;
	if (strcmp(answer, "job") == 0) {
		menu.kind = MENU_LINUX;
		menu.kernel = row_text(row, "kernel");
		menu.initrd = row_text(row, "initrd");
		menu.ticket = row_text(row, "ticket");
		menu_expand(&menu, row_text(row, "arguments"), &expanded);
		menu.arguments = arguments;
		(void)snprintf(message, sizeof(message), "job %s: %s on %s%s",
			       row_text(row, "job"), row_text(row, "kind"),
			       row_text(row, "host"), expanded.failed ? TOO_LONG : "");
		if (expanded.failed)
			menu.kind = MENU_REFUSE;
	} else if (strcmp(answer, "busy") == 0) {
		menu.kind = MENU_WAIT;
		menu.wait_seconds = (unsigned)row_number(row, "retry_seconds");
		if (menu.wait_seconds < 1 || menu.wait_seconds > 60)
			menu.wait_seconds = 5;
	} else if (strcmp(answer, "local") == 0) {
		menu.kind = MENU_LOCAL;
	} else if (strcmp(answer, "profile") == 0) {
		send_profile(boot, row_text(row, "profile"), message);
		return;
	} else if (strcmp(answer, "done") == 0) {
		menu.kind = MENU_DONE;
		menu.wait_seconds = DONE_SECONDS;
	} else {
		menu.kind = MENU_REFUSE;
	}
	send_menu(boot, &menu);
}

/* The images among which the item lets choose, one in each row. */
static void send_images(const struct boot_request *boot, const struct db_rows *rows)
{
	static struct menu_image images[MENU_ENTRIES_MAX]; /* one loop, one answer at a time */
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = facts_of(boot, host_of(site, &boot->form));
	struct menu menu = start_menu(boot, &facts);
	size_t count = rows_count(rows);

	if (count > MENU_ENTRIES_MAX)
		count = MENU_ENTRIES_MAX; /* more than a menu holds: it will say so */
	for (size_t i = 0; i < count; i++) {
		struct row row = rows_row(rows, i);

		images[i] =
			(struct menu_image){row_text(&row, "image"), row_text(&row, "reason")};
	}
	menu_list_images(site, &facts, boot->form.item, images, count, &menu);
	send_menu(boot, &menu);
}

static void send_offer(const struct boot_request *boot, const struct db_answer *answer)
{
	struct boot_facts facts;
	struct row row;

	if (answer->outcome == DB_ERROR && strncmp(answer->sqlstate, "22", 2) == 0) {
		answer_refused(boot->http, answer);
		return;
	}
	if (answer->outcome != DB_OK || rows_count(answer->rows) == 0) {
		log_warning("offer_failed", "mac=%s reason=%s", boot->mac,
			    log_text(answer->message));
		facts = facts_of(boot, NULL);
		send_away(boot, &facts);
		return;
	}
	row = rows_row(answer->rows, 0);
	if (strcmp(row_text(&row, "answer"), "none") == 0)
		send_without_job(boot);
	else if (strcmp(row_text(&row, "answer"), "image") == 0)
		send_images(boot, answer->rows);
	else
		send_job(boot, &row);
}

static void on_offer(void *data, const struct db_answer *answer)
{
	struct boot_request *kept = data;

	if (kept->http)
		send_offer(kept, answer);
	free(kept);
}

static void on_abandon(void *data, struct http_request *request)
{
	struct boot_request *kept = http_get_data(request);

	(void)data;
	kept->http = NULL; /* on_offer frees it */
}

/* The question to the database: offer(facts), or choose(item, facts). */
static enum err ask(struct boot_request *kept, const char *item)
{
	char facts_json[FORM_FACTS_SIZE];
	char address[IP_TEXT_SIZE];
	struct text out = text_into(facts_json, sizeof(facts_json));
	struct ip peer = http_peer(kept->http);
	const char *params[3];
	int count = 0;

	form_put_facts(&kept->form, &out);
	ip_format(&peer, address);
	if (item)
		params[count++] = item;
	params[count++] = facts_json;
	params[count++] = address;
	return db_query_grouped(kept->menud->work,
				item ? "select * from rouse_daemon.choose($1, $2::jsonb, "
				       "$3::inet) where " DB_GROUPED
				     : "select * from rouse_daemon.offer($1::jsonb, "
				       "$2::inet) where " DB_GROUPED,
				params, count, MENUD_DATABASE_MS, on_offer, kept);
}

static void ask_database(const struct boot_request *boot, const char *item)
{
	struct boot_request *kept = malloc(sizeof(*kept));
	struct boot_facts facts = facts_of(boot, NULL);

	if (kept) {
		*kept = *boot;
		if (ask(kept, item) == ERR_OK) {
			http_set_data(kept->http, kept);
			http_park(kept->http, MENUD_DATABASE_MS + 1000, on_abandon);
			return;
		}
		free(kept);
	}
	send_away(boot, &facts);
}

/* A menu entry was chosen. */
static void answer_item(const struct boot_request *boot, const struct site *site,
			const struct boot_facts *facts)
{
	struct menu menu = start_menu(boot, facts);
	const struct menu_choice choice = {boot->form.item, boot->form.confirm,
					   boot->form.image};
	char message[128];

	switch (menu_from_choice(site, &choice, facts, &menu)) {
	case ERR_OK:
		send_menu(boot, &menu);
		return;
	case ERR_REFUSED:
		ask_database(boot, boot->form.item);
		return;
	default:
		break;
	}
	(void)snprintf(message, sizeof(message),
		       "the menu has no entry \"%s\" for this machine any more",
		       boot->form.item);
	menu.kind = MENU_WAIT;
	menu.wait_seconds = 5;
	menu.attempt = boot->form.attempt + 1;
	menu.message = message;
	send_menu(boot, &menu);
}

/* A session that is over or forged is not carried on. */
static void find_role(struct boot_request *boot)
{
	struct session who = {0};

	if (boot->form.session[0] != '\0')
		who = login_who(boot->menud->login, boot->http);
	if (who.role == SESSION_ANONYMOUS) {
		boot->form.session[0] = '\0';
		return;
	}
	boot->form.role = session_role_name(who.role);
	memcpy(boot->form.operator, who.operator, sizeof(boot->form.operator));
}

/* Reads the fields; answers 400 and gives false when one of them is wrong. */
static bool read_form(struct boot_request *boot)
{
	char message[160];

	boot->base_url[0] = boot->client_url[0] = boot->mac[0] = '\0';
	form_init(&boot->form);
	for (size_t i = 0; i < http_field_count(boot->http); i++) {
		const char *name = http_field_name(boot->http, i);
		enum err err = form_take(&boot->form, name, http_field_value(boot->http, i));

		if (err == ERR_OK)
			continue;
		(void)snprintf(message, sizeof(message), "the field \"%.32s\" is %s; %s", name,
			       err_text(err),
			       strcmp(name, "try") == 0 ? "it is a number of at most 1000"
							: "a MAC looks like 52:54:00:00:00:01");
		answer_line(boot->http, 400, message);
		return false;
	}
	find_role(boot);
	return true;
}

static void decide(struct boot_request *boot)
{
	struct menud *menud = boot->menud;
	const struct site *site = snapshot_site(menud->snapshot);
	struct boot_facts facts;
	struct boot_verdict verdict;

	if (boot->form.mac_count > 0)
		mac_format_dashes(&boot->form.macs[0], boot->mac);
	base_url_of(boot->http, boot->base_url);
	base_url_of_client(boot->menud, boot->http, boot->client_url);
	facts = facts_of(boot, host_of(site, &boot->form));
	if (boot->form.errno_text[0] != '\0')
		record(boot, "script", "failed", boot->form.errno_text,
		       "iPXE reports an error");
	verdict = boot_decide(site->rules, site->rule_count, &facts);
	if (!snapshot_is_loaded(menud->snapshot))
		send_away(boot, &facts);
	else if (boot->form.attempt >= MENU_TRIES_MAX)
		send_verdict(
			boot, site, &facts,
			&(struct boot_verdict){BOOT_LOCAL, "", "asked in vain too often", 0});
	else if (boot->form.item[0] != '\0' &&
		 (verdict.answer == BOOT_MENU || verdict.answer == BOOT_RUN_JOB))
		answer_item(boot, site, &facts);
	else if (verdict.answer == BOOT_RUN_JOB)
		ask_database(boot, NULL);
	else
		send_verdict(boot, site, &facts, &verdict);
}

void boot_answer(struct menud *menud, struct http_request *request)
{
	struct boot_request boot; /* large: cleared where it is filled */
	struct text query = text_into(boot.query, sizeof(boot.query));

	boot.menud = menud;
	boot.http = request;
	boot.loader = BOOT_LOADER_IPXE;
	if (!read_form(&boot))
		return;
	if (boot.form.mac_count == 0) {
		answer_line(request, 400,
			    "the field \"mac0\" is missing; ask /boot?mac0=52:54:00:00:00:01");
		return;
	}
	form_put_query(&boot.form, &query);
	decide(&boot);
}

/* GRUB asks for grub.cfg and says nothing of its machine: it is told how to. */
static void ask_grub(struct http_request *request)
{
	char script[512];
	struct text out = text_into(script, sizeof(script));

	if (grub_render_ask(GRUB_PATH, &out) != ERR_OK)
		answer_line(request, 500, "the script is too long");
	else
		http_answer_text(request, 200, script_type, out.start, out.length, not_kept);
}

void boot_answer_config(struct menud *menud, struct http_request *request,
			const struct search *search)
{
	struct boot_request boot; /* large: cleared where it is filled */
	struct text query = text_into(boot.query, sizeof(boot.query));

	boot.menud = menud;
	boot.http = request;
	boot.loader = search->loader;
	if (!read_form(&boot))
		return;
	if (dialect_take_name(search, &boot.form) != ERR_OK) {
		answer_line(request, 404, "only a name with the machine's MAC is known here");
		return;
	}
	if (boot.loader == BOOT_LOADER_GRUB && boot.form.mac_count == 0) {
		ask_grub(request);
		return;
	}
	text_put(&query, GRUB_PATH "?");
	form_put_query(&boot.form, &query);
	decide(&boot);
}
