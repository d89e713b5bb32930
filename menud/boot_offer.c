/* Jobs: what the database offers a machine, or makes of the item that was chosen at it. */
#include "menud/boot_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/offered.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/answer.h"

#define DONE_SECONDS 3 /* to read what was done; the snapshot has it by then */

/* The database knows of no job to offer: the policy is asked once more, without one. */
static void send_without_job(const struct boot_request *boot)
{
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = boot_facts_of(boot, boot_host_of(site, &boot->form));
	struct boot_verdict verdict;

	facts.job = BOOT_JOB_NONE;
	verdict = boot_decide(site->rules, site->rule_count, &facts);
	boot_send_verdict(boot, site, &facts, &verdict);
}

/* A job said: there, once. */
static void send_profile(const struct boot_request *boot, const char *name, const char *reason)
{
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = boot_facts_of(boot, boot_host_of(site, &boot->form));

	boot_send_verdict(boot, site, &facts,
			  &(struct boot_verdict){BOOT_PROFILE, name, reason, 0});
}

/* The job's words, as one row of the database's answer. */
static void send_job(const struct boot_request *boot, struct row *row)
{
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = boot_facts_of(boot, boot_host_of(site, &boot->form));
	struct menu menu = boot_start_menu(boot, &facts);
	const char *answer = row_text(row, "answer");
	struct offered offered;

	offered_take_reason(&offered, row, &menu);
	if (strcmp(answer, "job") == 0) {
		offered_take_job(&offered, row, &menu);
	} else if (strcmp(answer, "busy") == 0) {
		menu.kind = MENU_WAIT;
		menu.wait_seconds = (unsigned)row_number(row, "retry_seconds");
		if (menu.wait_seconds < 1 || menu.wait_seconds > 60)
			menu.wait_seconds = 5;
	} else if (strcmp(answer, "local") == 0) {
		menu.kind = MENU_LOCAL;
	} else if (strcmp(answer, "profile") == 0) {
		send_profile(boot, row_text(row, "profile"), offered.message);
		return;
	} else if (strcmp(answer, "done") == 0) {
		menu.kind = MENU_DONE;
		menu.wait_seconds = DONE_SECONDS;
	} else {
		menu.kind = MENU_REFUSE;
	}
	boot_send_menu(boot, &menu);
}

/* The images among which the item lets choose, one in each row. */
static void send_images(const struct boot_request *boot, const struct db_rows *rows)
{
	static struct menu_image images[MENU_ENTRIES_MAX]; /* one loop, one answer at a time */
	const struct site *site = snapshot_site(boot->menud->snapshot);
	struct boot_facts facts = boot_facts_of(boot, boot_host_of(site, &boot->form));
	struct menu menu = boot_start_menu(boot, &facts);
	size_t count = rows_count(rows);

	if (count > MENU_ENTRIES_MAX)
		count = MENU_ENTRIES_MAX; /* more than a menu holds: it will say so */
	for (size_t i = 0; i < count; i++) {
		struct row row = rows_row(rows, i);

		images[i] =
			(struct menu_image){row_text(&row, "image"), row_text(&row, "reason")};
	}
	menu_list_images(site, &facts, boot->form.item, images, count, &menu);
	boot_send_menu(boot, &menu);
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
		facts = boot_facts_of(boot, NULL);
		boot_send_away(boot, &facts);
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

void boot_ask_database(const struct boot_request *boot, const char *item)
{
	struct boot_request *kept = malloc(sizeof(*kept));
	struct boot_facts facts = boot_facts_of(boot, NULL);

	if (kept) {
		*kept = *boot;
		if (ask(kept, item) == ERR_OK) {
			http_set_data(kept->http, kept);
			http_park(kept->http, MENUD_DATABASE_MS + 1000, on_abandon);
			return;
		}
		free(kept);
	}
	boot_send_away(boot, &facts);
}
