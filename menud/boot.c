#include "menud/boot.h"

#include <stdio.h>
#include <string.h>

#include "core/grub.h"
#include "core/text.h"
#include "menud/answer.h"
#include "menud/boot_internal.h"
#include "menud/dialect.h"
#include "menud/login.h"

/* A menu entry was chosen. */
static void answer_item(const struct boot_request *boot, const struct site *site,
			const struct boot_facts *facts)
{
	struct menu menu = boot_start_menu(boot, facts);
	const struct menu_choice choice = {boot->form.item, boot->form.confirm,
					   boot->form.image};
	char message[128];

	switch (menu_from_choice(site, &choice, facts, &menu)) {
	case ERR_OK:
		boot_send_menu(boot, &menu);
		return;
	case ERR_REFUSED:
		boot_ask_database(boot, boot->form.item);
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
	boot_send_menu(boot, &menu);
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

/* A HEAD must not make a job: it hears of the menu. */
static bool is_choice(const struct boot_request *boot)
{
	return boot->form.item[0] != '\0' && strcmp(http_method(boot->http), "HEAD") != 0;
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
	facts = boot_facts_of(boot, boot_host_of(site, &boot->form));
	if (boot->form.errno_text[0] != '\0')
		boot_record(boot, "script", "failed", boot->form.errno_text,
			    "iPXE reports an error");
	verdict = boot_decide(site->rules, site->rule_count, &facts);
	if (!snapshot_is_loaded(menud->snapshot))
		boot_send_away(boot, &facts);
	else if (boot->form.attempt >= MENU_TRIES_MAX)
		boot_send_verdict(
			boot, site, &facts,
			&(struct boot_verdict){BOOT_LOCAL, "", "asked in vain too often", 0});
	else if (is_choice(boot) &&
		 (verdict.answer == BOOT_MENU || verdict.answer == BOOT_RUN_JOB))
		answer_item(boot, site, &facts);
	else if (verdict.answer == BOOT_RUN_JOB)
		boot_ask_database(boot, NULL);
	else
		boot_send_verdict(boot, site, &facts, &verdict);
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

	if (grub_render_ask(BOOT_GRUB_PATH, &out) != ERR_OK)
		answer_line(request, 500, "the script is too long");
	else
		http_answer_text(request, 200, boot_script_type, out.start, out.length,
				 boot_not_kept);
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
	text_put(&query, BOOT_GRUB_PATH "?");
	form_put_query(&boot.form, &query);
	decide(&boot);
}
