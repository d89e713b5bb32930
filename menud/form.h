/*
 * form - what a boot loader says of its machine, read from the fields of a query or a form.
 *
 * The names are those of our own first stage and of FOG's: mac0..mac7 (or `mac`, parted by
 * "|"), sysuuid, arch, platform, product, manufacturer, serial, ipxever, filename; and what the
 * menu's own links add: item, image, confirm, try, errno, session. Unknown names are ignored,
 * values are text and nothing else.
 */
#ifndef ROUSE_MENUD_FORM_H
#define ROUSE_MENUD_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arch.h"
#include "core/err.h"
#include "core/host.h"
#include "core/mac.h"
#include "core/text.h"
#include "core/uuid.h"
#include "menud/session.h"

#define FORM_TEXT_SIZE 128
/* Room for all facts at their longest: an octet takes three in a URL, and six in JSON. */
#define FORM_QUERY_SIZE 4096
#define FORM_FACTS_SIZE 8192

struct form {
	struct mac macs[HOST_MACS_MAX]; /* without repeats, the booted card first */
	size_t mac_count;
	struct uuid uuid;
	bool has_uuid;
	struct arch arch;
	char cpu[16], platform[16];
	char product[FORM_TEXT_SIZE], manufacturer[FORM_TEXT_SIZE], serial[FORM_TEXT_SIZE];
	char loader_version[FORM_TEXT_SIZE];
	char filename[FORM_TEXT_SIZE];
	char confirm[20];    /* the word typed for it, "" when none */
	char item[72];	     /* the menu entry that was chosen, "" when none */
	char errno_text[16]; /* iPXE's number of what failed before, "" when nothing did */
	unsigned attempt;    /* how often it asked in vain */
	char session[SESSION_WORD_SIZE + 1];  /* of who has logged in at the machine, or "" */
	char image[72];			      /* chosen for the item, "" when none */
	char operator[CREDENTIALS_NAME_SIZE]; /* whose session it is, found by menud; or "" */
	const char *role; /* what menud found the session to be worth: a literal, or "" */
};

void form_init(struct form *form);
/*
 * Takes one field in. ERR_FORMAT: a MAC or number that is none; ERR_SPACE: more MACs than a
 * host has. Left out are a UUID that cannot be read, for many boards send none worth reading,
 * and addresses that no Ethernet card has: zero, a group's, or of another length.
 */
MUST_CHECK enum err form_take(struct form *form, const char *name, const char *value);
/* The facts again, as the query that our own links carry, with the session: no item, try or
 * errno. */
void form_put_query(const struct form *form, struct text *out);
/* The facts as the JSON object that rouse_daemon.choose() takes, with what was chosen and who
 * has logged in: no session. */
void form_put_facts(const struct form *form, struct text *out);

#endif
