/*
 * boot_internal - what the files of boot.h share: boot.c reads the request and asks the policy,
 * boot_menu.c makes a menu of an answer and sends it, boot_offer.c asks the database where a
 * job is to be had.
 */
#ifndef ROUSE_MENUD_BOOT_INTERNAL_H
#define ROUSE_MENUD_BOOT_INTERNAL_H

#include "core/boot.h"
#include "core/menu.h"
#include "core/site.h"
#include "menud/base_url.h"
#include "menud/form.h"
#include "menud/menud.h"

#define BOOT_GRUB_PATH "boot/grub.cfg" /* where GRUB asks again, with what it knows */

/* One request, which may outlive its first call: nothing here points into a site. */
struct boot_request {
	struct menud *menud;
	struct http_request *http; /* NULL: the server has answered for us */
	enum boot_loader loader;   /* in its language it is answered */
	struct form form;
	char base_url[BASE_URL_SIZE];
	char client_url[BASE_URL_SIZE];
	char query[sizeof(BOOT_GRUB_PATH) + FORM_QUERY_SIZE];
	char mac[MAC_TEXT_SIZE];
};

/* Scripts are made for one moment. */
extern const char boot_script_type[];
extern const struct http_header boot_not_kept[];

/* The machine's record, by its cards, else its UUID; or NULL. */
const struct host *boot_host_of(const struct site *site, const struct form *form);
struct boot_facts boot_facts_of(const struct boot_request *boot, const struct host *host);
/* A menu about this machine, of no kind yet. */
struct menu boot_start_menu(const struct boot_request *boot, const struct boot_facts *facts);
/* Into the machine's timeline, and the log. */
void boot_record(const struct boot_request *boot, const char *stage, const char *kind,
		 const char *name, const char *reason);

/* Each of these answers the request. */
void boot_send_menu(const struct boot_request *boot, const struct menu *menu);
void boot_send_verdict(const struct boot_request *boot, const struct site *site,
		       const struct boot_facts *facts, const struct boot_verdict *verdict);
/* The database is needed and away: sleep and come back, in the end the local disk. */
void boot_send_away(const struct boot_request *boot, const struct boot_facts *facts);
/* Now or later: the job that the database offers, or what it makes of the item that was chosen
 * (NULL: none). A copy of *boot waits for it. */
void boot_ask_database(const struct boot_request *boot, const char *item);

#endif
