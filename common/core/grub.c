#include "core/grub.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FILE_URL_SIZE 2048 /* a path of PATH_SIZE, each octet as %xx, and its query */

/* One word of GRUB's language; control bytes become blanks. */
static void put_word(struct text *out, const char *before, const char *string, size_t length)
{
	text_put(out, "'");
	text_put(out, before);
	for (size_t i = 0; i < length; i++) {
		uint8_t c = (uint8_t)string[i];

		if (c == '\'')
			text_put(out, "'\\''");
		else
			text_put_bytes(out, c < ' ' || c == 0x7f ? " " : &string[i], 1);
	}
	text_put(out, "'");
}

static void put_echo(struct text *out, const char *message)
{
	text_put(out, "echo ");
	put_word(out, "rouse: ", message, strlen(message));
	text_put(out, "\n");
}

/* A kernel's arguments, each a word of its own. */
static void put_arguments(struct text *out, const char *arguments)
{
	for (;;) {
		size_t length;

		while ((uint8_t)*arguments <= ' ' && *arguments)
			arguments++;
		length = 0;
		while ((uint8_t)arguments[length] > ' ')
			length++;
		if (length == 0)
			return;
		text_put(out, " ");
		put_word(out, "", arguments, length);
		arguments += length;
	}
}

static void put_pair(struct text *out, const char *name, const char *value)
{
	text_put(out, " ");
	put_word(out, name, value, strlen(value));
}

static void put_path(struct text *out, const char *path)
{
	put_word(out, "/", path, strlen(path));
}

/* A file below the roots, on the server that the configuration came from. */
static void put_file(struct text *out, const struct menu *menu, const char *path,
		     const char *as)
{
	char url[FILE_URL_SIZE];
	struct text url_out = text_into(url, sizeof(url));

	if (!menu->is_http) {
		put_path(out, path);
		return;
	}
	menu_put_file(menu, path, as, &url_out);
	put_word(out, "", url, url_out.length);
	out->failed |= url_out.failed;
}

static void put_exit(struct text *out)
{
	/* not 0: firmware that is told of a success may stop at its own menu */
	text_put(out, "exit 1\n");
}

/* The ways to the local disk, in turn. GRUB's own is to leave: firmware goes on to the next. */
static void put_local(struct text *out, const struct menu *menu)
{
	const char *exits = menu->exits;
	char path[MENU_EXIT_SIZE];
	const char *word;
	size_t length;

	while ((word = menu_next_exit(&exits, &length)) != NULL) {
		if (length == 4 && memcmp(word, "exit", 4) == 0)
			break;
		if (length == 7 && memcmp(word, "sanboot", 7) == 0)
			continue; /* iPXE's word: there is no such thing here */
		if (length >= sizeof(path)) {
			out->failed = true;
			break;
		}
		memcpy(path, word, length);
		path[length] = '\0';
		text_put(out, "if chainloader ");
		put_file(out, menu, path, "kernel");
		text_put(out, "; then\nboot\nfi\n");
	}
	put_exit(out);
}

static void put_kernel(struct text *out, const struct menu *menu)
{
	text_put(out, "linux ");
	put_file(out, menu, menu->kernel, "kernel");
	if (menu->ticket[0] != '\0') {
		put_pair(out, "rouse_url=", menu_client_url(menu));
		put_pair(out, "rouse_ticket=", menu->ticket);
		put_pair(out, "BOOTIF=01-", menu->mac);
	}
	put_arguments(out, menu->arguments);
}

static void put_failed(struct text *out, const struct menu *menu)
{
	put_echo(out, "this did not start; booting the local disk");
	text_put(out, "sleep 10\n");
	put_local(out, menu);
}

static void put_linux(struct text *out, const struct menu *menu)
{
	text_put(out, "if ");
	put_kernel(out, menu);
	text_put(out, "; then\n");
	if (menu->initrd[0] != '\0') {
		text_put(out, "if initrd ");
		put_file(out, menu, menu->initrd, "initrd");
		text_put(out, "; then\nboot\nfi\n");
	} else {
		text_put(out, "boot\n");
	}
	text_put(out, "fi\n");
	put_failed(out, menu);
}

static void put_efi(struct text *out, const struct menu *menu)
{
	text_put(out, "if chainloader ");
	put_file(out, menu, menu->file, "kernel");
	put_arguments(out, menu->arguments);
	text_put(out, "; then\nboot\nfi\n");
	put_failed(out, menu);
}

/* The body of an entry that GRUB starts. */
static void put_entry_body(struct text *out, const struct menu *menu,
			   const struct menu_entry *entry)
{
	const struct site_profile *profile = entry->profile;

	if (!profile || profile->kind == PROFILE_LOCAL) {
		put_local(out, menu);
		return;
	}
	text_put(out, profile->kind == PROFILE_EFI ? "chainloader " : "linux ");
	put_file(out, menu, profile->kind == PROFILE_EFI ? profile->file : profile->kernel,
		 "kernel");
	put_arguments(out, profile->arguments);
	if (profile->kind == PROFILE_LINUX && profile->initrd[0] != '\0') {
		text_put(out, "\ninitrd ");
		put_file(out, menu, profile->initrd, "initrd");
	}
	text_put(out, "\n");
}

static void put_entry_head(struct text *out, const char *command,
			   const struct menu_entry *entry)
{
	text_put(out, command);
	/* what begins with a dash would be an option */
	put_word(out, entry->title[0] == '-' ? " " : "", entry->title, strlen(entry->title));
	text_put(out, " --id ");
	put_word(out, "", entry->key, strlen(entry->key));
	if (entry->hotkey[0] != '\0') {
		text_put(out, " --hotkey ");
		put_word(out, "", entry->hotkey, strlen(entry->hotkey));
	}
	text_put(out, " {\n");
}

static void put_entry(struct text *out, const struct menu *menu, const struct menu_entry *entry)
{
	put_entry_head(out, "menuentry ", entry);
	put_entry_body(out, menu, entry);
	text_put(out, "}\n");
}

static void open_menu(struct text *out, const struct menu_entry *entry)
{
	put_entry_head(out, "submenu ", entry);
}

/* Sub-menus are blocks, with the entries that lie in them. */
static const struct menu_writer writer = {BOOT_LOADER_GRUB, put_entry, open_menu, "}\n"};

static void put_entries(struct text *out, const struct menu *menu)
{
	bool is_hidden = menu->hidden_key[0] != '\0';

	if (is_hidden) /* until Esc: GRUB takes no other key for it */
		text_put(out, "set timeout_style=hidden\n");
	if (menu->timeout_seconds > 0 || is_hidden)
		text_printf(out, "set timeout=%u\n", menu->timeout_seconds);
	else
		text_put(out, "set timeout=-1\n");
	text_put(out, "set default=");
	put_word(out, "", menu->default_key, strlen(menu->default_key));
	text_put(out, "\n");
	menu_put_tree(menu, &writer, out);
}

/* GRUB cannot count, but it can put one more letter behind a word. */
static void put_wait(struct text *out, const struct menu *menu)
{
	text_put(out, "if [ \"$rouse_tries\" = ");
	for (int i = 1; i < MENU_TRIES_MAX; i++)
		text_put(out, "x");
	text_put(out, " ]; then\n");
	put_local(out, menu);
	text_printf(out,
		    "fi\n"
		    "set rouse_tries=\"x$rouse_tries\"\n"
		    "export rouse_tries\n"
		    "sleep %u\n"
		    "configfile ",
		    menu->wait_seconds);
	put_path(out, menu->query);
	text_put(out, "\n");
	put_local(out, menu);
}

enum err grub_render(const struct menu *menu, struct text *out)
{
	text_put(out, "# made by rouse for this machine\n");
	if (menu->message[0] != '\0')
		put_echo(out, menu->message);
	switch (menu->kind) {
	case MENU_ITEMS:
		put_entries(out, menu);
		break;
	case MENU_LINUX:
		put_linux(out, menu);
		break;
	case MENU_EFI:
		put_efi(out, menu);
		break;
	case MENU_ISO:
	case MENU_CHAIN:
		put_echo(out, "GRUB cannot start this: use iPXE for it");
		text_put(out, "sleep 10\n");
		put_local(out, menu);
		break;
	case MENU_WAIT:
		put_wait(out, menu);
		break;
	case MENU_REFUSE:
		text_put(out, "sleep 10\n");
		put_local(out, menu);
		break;
	case MENU_CONFIRM: /* only a loader that can ask again is asked for more */
	case MENU_NAME:
	case MENU_IDENTIFY:
	case MENU_SHELL:
	case MENU_LOGIN:
	case MENU_REBOOT:
	case MENU_DONE:
	case MENU_LOCAL:
		put_local(out, menu);
		break;
	}
	return out->failed ? ERR_SPACE : ERR_OK;
}

enum err grub_render_ask(const char *path, struct text *out)
{
	text_put(out, "# made by rouse: which machine is this?\n"
		      "if [ -z \"$net_default_mac\" ]; then\n");
	put_echo(out, "GRUB knows no network card; booting the local disk");
	text_put(out, "sleep 10\n");
	put_exit(out);
	text_put(out, "fi\nconfigfile ");
	put_path(out, path);
	/* what GRUB knows itself: colons of a MAC may stand in a query (RFC 3986 section 3.4)
	 */
	text_put(out, "\"?mac0=$net_default_mac&arch=$grub_cpu&platform=$grub_platform\"\n");
	put_exit(out);
	return out->failed ? ERR_SPACE : ERR_OK;
}
