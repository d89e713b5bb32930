/* What a machine is told: its menu, rendered for its loader, sent, and written down. */
#include "menud/boot_internal.h"

#include <stdio.h>

#include "core/text.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/dialect.h"

#define SCRIPT_SIZE 65536

const char boot_script_type[] = "text/plain; charset=utf-8";
const struct http_header boot_not_kept[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};

const struct host *boot_host_of(const struct site *site, const struct form *form)
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

struct boot_facts boot_facts_of(const struct boot_request *boot, const struct host *host)
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

struct menu boot_start_menu(const struct boot_request *boot, const struct boot_facts *facts)
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

void boot_record(const struct boot_request *boot, const char *stage, const char *kind,
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

void boot_send_menu(const struct boot_request *boot, const struct menu *menu)
{
	static char script[SCRIPT_SIZE]; /* one loop, one answer at a time */
	struct text out = text_into(script, sizeof(script));

	if (dialect_render(boot->loader, menu, &out) != ERR_OK) {
		log_error("script_too_long", "mac=%s remedy=%s", boot->mac,
			  log_text("shorten the menu: a script holds 64 KiB"));
		answer_line(boot->http, 500, "the menu does not fit into a script");
	} else {
		boot_record(boot, menu->kind == MENU_LOCAL ? "local_boot" : "script",
			    kind_name(menu), boot->form.item, menu->message);
		http_answer_text(boot->http, 200, boot_script_type, out.start, out.length,
				 boot_not_kept);
	}
}

void boot_send_away(const struct boot_request *boot, const struct boot_facts *facts)
{
	struct menu menu = boot_start_menu(boot, facts);
	char message[96];

	menu.attempt = boot->form.attempt + 1;
	menu.kind = menu.attempt >= MENU_TRIES_MAX ? MENU_LOCAL : MENU_WAIT;
	menu.wait_seconds = 5;
	(void)snprintf(message, sizeof(message), "the job database is away; try %u of %d",
		       menu.attempt, MENU_TRIES_MAX);
	menu.message = message;
	boot_send_menu(boot, &menu);
}

void boot_send_verdict(const struct boot_request *boot, const struct site *site,
		       const struct boot_facts *facts, const struct boot_verdict *verdict)
{
	struct menu menu = boot_start_menu(boot, facts);

	if (menu_from_verdict(site, verdict, facts, &menu) != ERR_OK) {
		menu.kind = MENU_REFUSE;
		menu.message = "the profile that is to be booted does not exist";
		log_error("rule_without_profile", "position=%d profile=%s remedy=%s",
			  verdict->position, log_text(verdict->argument),
			  log_text("insert it into rouse.profiles, or mend rouse.boot_rules"));
	}
	boot_send_menu(boot, &menu);
}
