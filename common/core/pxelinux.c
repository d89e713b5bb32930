#include "core/pxelinux.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TENTHS 10 /* TIMEOUT counts tenths of a second */

/* Foreign text within a line; "^" would make a hot key of the next letter. */
static void put_words(struct text *out, const char *string)
{
	for (; *string; string++) {
		uint8_t c = (uint8_t)*string;

		text_put_bytes(out, c < ' ' || c == 0x7f || c == '^' ? " " : string, 1);
	}
}

/* Would put_words() put nothing but blanks? */
static bool is_blank(const char *string)
{
	while (*string && ((uint8_t)*string <= ' ' || *string == 0x7f || *string == '^'))
		string++;
	return *string == '\0';
}

/* The same up to the end of the line. U-Boot gives a file up where a keyword has no words. */
static void put_line(struct text *out, const char *string)
{
	put_words(out, is_blank(string) ? "-" : string);
	text_put(out, "\n");
}

static void put_say(struct text *out, const char *message)
{
	text_put(out, "SAY rouse: ");
	put_line(out, message);
}

static void put_local_label(struct text *out)
{
	text_put(out, "LABEL local\nLOCALBOOT 0\n");
}

/* A path on the TFTP server, or menud's whole URL: a path would stand behind the loader's own
 * prefix. */
static void put_file(struct text *out, const struct menu *menu, const char *path,
		     const char *as)
{
	if (!menu->is_http) {
		text_put(out, "/");
		put_line(out, path);
		return;
	}
	text_put(out, menu->base_url);
	menu_put_file(menu, path, as, out);
	text_put(out, "\n");
}

static void put_files(struct text *out, const struct menu *menu, const char *kernel,
		      const char *initrd)
{
	text_put(out, "LINUX ");
	put_file(out, menu, kernel, "kernel");
	if (initrd[0] != '\0') {
		text_put(out, "INITRD ");
		put_file(out, menu, initrd, "initrd");
	}
}

static void put_append(struct text *out, const char *arguments)
{
	if (is_blank(arguments))
		return;
	text_put(out, "APPEND ");
	put_line(out, arguments);
}

/* One choice, made at once. */
static void put_default(struct text *out, const char *label)
{
	text_printf(out, "DEFAULT %s\nPROMPT 0\n", label);
}

static void put_local(struct text *out)
{
	put_default(out, "local");
	put_local_label(out);
}

static void put_linux(struct text *out, const struct menu *menu)
{
	put_default(out, "rouse");
	text_put(out, "LABEL rouse\n");
	put_files(out, menu, menu->kernel, menu->initrd);
	if (menu->ticket[0] == '\0') {
		put_append(out, menu->arguments);
		return;
	}
	text_printf(out, "APPEND rouse_url=%s rouse_ticket=", menu_client_url(menu));
	put_words(out, menu->ticket);
	text_put(out, " BOOTIF=01-");
	put_words(out, menu->mac);
	text_put(out, " ");
	put_words(out, menu->arguments);
	text_put(out, "\n");
}

/* What is shown at the prompt, where no menu is drawn. */
static void put_prompt_line(struct text *out, const struct menu *menu,
			    const struct menu_entry *entry)
{
	if (menu->hidden_key[0] != '\0')
		return;
	text_put(out, "SAY ");
	put_words(out, entry->key);
	text_put(out, ": ");
	put_line(out, entry->title);
}

static void put_entry(struct text *out, const struct menu *menu, const struct menu_entry *entry)
{
	const struct site_profile *profile = entry->profile;

	put_prompt_line(out, menu, entry);
	text_put(out, "LABEL ");
	put_line(out, entry->key);
	text_put(out, "MENU LABEL ");
	put_line(out, entry->title);
	if (strcmp(entry->key, menu->default_key) == 0)
		text_put(out, "MENU DEFAULT\n");
	if (!profile || profile->kind == PROFILE_LOCAL) {
		text_put(out, "LOCALBOOT 0\n");
		return;
	}
	put_files(out, menu, profile->kernel, profile->initrd);
	put_append(out, profile->arguments);
}

static void open_menu(struct text *out, const struct menu_entry *entry)
{
	text_put(out, "MENU BEGIN ");
	put_line(out, entry->key);
	text_put(out, "MENU TITLE ");
	put_line(out, entry->title);
}

/* Sub-menus, where a menu is drawn (menu.c32); the prompt knows all labels alike. */
static const struct menu_writer writer = {BOOT_LOADER_PXELINUX, put_entry, open_menu,
					  "MENU END\n"};

static void put_entries(struct text *out, const struct menu *menu)
{
	bool is_hidden = menu->hidden_key[0] != '\0';

	text_put(out, "DEFAULT ");
	put_line(out, menu->default_key);
	/* a prompt, not menu.c32: that module need not be there. U-Boot has its own menu */
	text_printf(out, "PROMPT %d\nTIMEOUT %u\n",
		    is_hidden && menu->timeout_seconds == 0 ? 0 : 1,
		    menu->timeout_seconds * TENTHS);
	if (is_hidden)
		text_put(out, "MENU HIDDEN\n");
	text_put(out, "MENU TITLE rouse: ");
	put_line(out, menu->host[0] != '\0' ? menu->host : "this machine");
	menu_put_tree(menu, &writer, out);
}

enum err pxelinux_render(const struct menu *menu, struct text *out)
{
	text_put(out, "# made by rouse for this machine\n");
	if (menu->message[0] != '\0')
		put_say(out, menu->message);
	switch (menu->kind) {
	case MENU_ITEMS:
		put_entries(out, menu);
		break;
	case MENU_LINUX:
		put_linux(out, menu);
		break;
	case MENU_EFI:
	case MENU_ISO:
	case MENU_CHAIN:
		put_say(out, "this loader cannot start that: use iPXE for it");
		put_local(out);
		break;
	case MENU_CONFIRM: /* only a loader that can ask again is asked for more */
	case MENU_NAME:
	case MENU_IDENTIFY:
	case MENU_SHELL:
	case MENU_LOGIN:
	case MENU_REBOOT:
	case MENU_DONE:
	case MENU_WAIT:
	case MENU_REFUSE:
	case MENU_LOCAL:
		put_local(out);
		break;
	}
	return out->failed ? ERR_SPACE : ERR_OK;
}
