/*
 * hostile_menu - menus of every kind whose texts are a stranger's, rendered in all dialects,
 * and held against the same menu with harmless texts: the loaders must be heard to do the same.
 * For a unit test (random texts) and a fuzz target.
 */
#ifndef ROUSE_TESTS_HOSTILE_MENU_H
#define ROUSE_TESTS_HOSTILE_MENU_H

#include <stdint.h>

#include "core/grub.h"
#include "core/ipxe.h"
#include "core/pxelinux.h"
#include "loaders.h"

#define HOSTILE_TEXTS 53
#define HOSTILE_ENTRIES 4

/* What menus are made of: which kind, by a number; which texts, in order. */
struct hostile {
	uint32_t shape;
	const char *texts[HOSTILE_TEXTS];
	size_t next;
	bool is_harmless; /* the same with harmless words for all texts */
};

/* A harmless word for a text: texts that are equal stay so, and blanks stay blanks. */
static const char *harmless_text(const struct hostile *from, const char *text)
{
	static char words[HOSTILE_TEXTS][HOSTILE_TEXTS + 1];
	bool is_blank = true;
	size_t i = 0;

	while (strcmp(from->texts[i], text) != 0)
		i++;
	for (const char *at = text; *at; at++)
		is_blank = is_blank && ((unsigned char)*at <= ' ' || strchr("\x7f^", *at));
	if (is_blank)
		(void)snprintf(words[i], sizeof(words[i]), "%*s", (int)i + 1, "");
	else
		(void)snprintf(words[i], sizeof(words[i]), "x%zu", i);
	return words[i];
}

static const char *hostile_text(struct hostile *from)
{
	const char *text = from->texts[from->next++ % HOSTILE_TEXTS];

	return from->is_harmless && text[0] != '\0' ? harmless_text(from, text) : text;
}

static unsigned hostile_choice(struct hostile *from, unsigned count)
{
	unsigned choice = from->shape % count;

	from->shape = (from->shape / count) * 2654435761U + choice + 1;
	return choice;
}

static void fill_profile(struct hostile *from, struct site_profile *profile)
{
	*profile = (struct site_profile){.kind = (enum profile_kind)hostile_choice(from, 5),
					 .name = "p",
					 .title = hostile_text(from),
					 .kernel = hostile_text(from),
					 .initrd = hostile_text(from),
					 .arguments = hostile_text(from),
					 .file = hostile_text(from),
					 .url = "http://10.77.0.9/"};
}

static void fill_entries(struct hostile *from, struct menu *menu,
			 struct site_profile profiles[HOSTILE_ENTRIES])
{
	static const char *const actions[] = {"local", "profile", "shell", "menu"};
	unsigned depth = 0;

	for (size_t i = 0; i < HOSTILE_ENTRIES; i++) {
		struct menu_entry *entry = &menu->entries[i];

		*entry = (struct menu_entry){.key = hostile_text(from),
					     .title = hostile_text(from),
					     .hotkey = hostile_text(from),
					     .action = actions[hostile_choice(from, 4)],
					     .confirm = hostile_text(from),
					     .depth = depth};
		fill_profile(from, &profiles[i]);
		if (strcmp(entry->action, "profile") == 0)
			entry->profile = &profiles[i];
		if (strcmp(entry->action, "menu") == 0)
			depth++;
		else
			depth -= depth > 0 ? hostile_choice(from, 2) : 0;
	}
	menu->entry_count = HOSTILE_ENTRIES;
	menu->default_key = menu->entries[hostile_choice(from, HOSTILE_ENTRIES)].key;
}

/* Words of the database's rules: parted by single blanks, of which none is at the ends. */
static const char *hostile_exits(struct hostile *from)
{
	static const char *const exits[][2] = {{"", ""},
					       {"exit", "exit"},
					       {"sanboot exit", "sanboot exit"},
					       {"a/b.efi sanboot", "';$x&&'.efi sanboot"},
					       {"x exit", "|| exit"}};

	return exits[hostile_choice(from, 5)][from->is_harmless ? 0 : 1];
}

/* base_url and query are URLs already, and the profiles' url is one by the database's rules. */
static void fill_menu(struct hostile *from, struct menu *menu,
		      struct site_profile profiles[HOSTILE_ENTRIES])
{
	*menu = (struct menu){
		.kind = (enum menu_kind)hostile_choice(from, MENU_DONE + 1),
		.base_url = "http://10.77.0.1:8080",
		.query = "mac0=52%3A54%3A00%3A00%3A00%3A01",
		.firmware = (enum arch_firmware)hostile_choice(from, 3),
		.is_http = hostile_choice(from, 2) == 0,
		.host_state = HOST_ACTIVE,
		.mac = hostile_text(from),
		.host = hostile_text(from),
		.manufacturer = hostile_text(from),
		.product = hostile_text(from),
		.serial = hostile_text(from),
		.message = hostile_text(from),
		.kernel = hostile_text(from),
		.initrd = hostile_text(from),
		.arguments = hostile_text(from),
		.ticket = hostile_text(from),
		.file = hostile_text(from),
		.image_for = hostile_text(from),
		.image = hostile_text(from),
		.hidden_key = hostile_choice(from, 2) == 0 ? "" : "esc",
		.exits = hostile_exits(from),
		.timeout_seconds = hostile_choice(from, 2) * 10,
		.wait_seconds = 5,
	};
	if (menu->kind == MENU_CHAIN)
		menu->file = "http://10.77.0.9/";
	fill_entries(from, menu, profiles);
}

static const char HOSTILE_DOES_NOT_FIT[] = "it does not fit"; /* nothing is served then */

/* What the dialect's loader is heard to do; `typed` is what somebody enters at it. */
static const char *hear_dialect(int dialect, const struct menu *menu, const char *typed,
				struct heard *heard)
{
	static char buffer[HEARD_SIZE];
	struct text out = text_into(buffer, sizeof(buffer));
	enum err err = dialect < 2    ? ipxe_render(menu, &out)
		       : dialect == 2 ? grub_render(menu, &out)
				      : pxelinux_render(menu, &out);

	heard->text[0] = '\0';
	heard->length = 0;
	heard->bad = NULL;
	if (err != ERR_OK)
		return HOSTILE_DOES_NOT_FIT;
	if (dialect < 2)
		ipxe_hear(buffer, typed, dialect == 1, heard);
	else if (dialect == 2)
		grub_hear(buffer, heard);
	else
		pxelinux_hear(buffer, heard);
	return heard->bad;
}

static bool has_setting(const struct hostile *from)
{
	for (size_t i = 0; i < HOSTILE_TEXTS; i++) {
		if (strstr(from->texts[i], "${"))
			return true;
	}
	return false;
}

#define HOSTILE_DIALECTS 4 /* iPXE, an old iPXE, GRUB, PXELINUX */

/* NULL, or what went wrong; *ret_dialect says where. `wanted` and `seen` are the caller's. */
static const char *hostile_compare(const struct hostile *from, int *ret_dialect,
				   struct heard *wanted, struct heard *seen)
{
	struct site_profile profiles[2][HOSTILE_ENTRIES];
	struct hostile harmless = *from;
	struct hostile hostile = *from;
	static struct menu menus[2];

	harmless.is_harmless = true;
	fill_menu(&harmless, &menus[0], profiles[0]);
	fill_menu(&hostile, &menus[1], profiles[1]);
	for (int dialect = 0; dialect < HOSTILE_DIALECTS; dialect++) {
		const char *typed = from->texts[HOSTILE_TEXTS - 1];
		/* an old iPXE looks into its own settings again, whatever we write, and an
		 * operator's ${product} is for the product of whoever comes */
		bool is_loop = dialect == 1 && has_setting(from);
		const char *bad = hear_dialect(dialect, &menus[0], typed[0] ? "x" : "", wanted);

		*ret_dialect = dialect;
		if (!bad)
			bad = hear_dialect(dialect, &menus[1], is_loop ? "x" : typed, seen);
		if (bad == HOSTILE_DOES_NOT_FIT)
			continue;
		if (!bad && strcmp(wanted->text, seen->text) != 0)
			bad = "other commands";
		if (bad)
			return bad;
	}
	return NULL;
}

#endif
