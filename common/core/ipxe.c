#include "core/ipxe.h"

#include <stdbool.h>
#include <string.h>

/* What the kernel shall know its initial disk by: "" when there is none. */
static const char *initrd_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return path[0] != '\0' && name[0] == '\0' ? "initrd" : name;
}

static void put_echo(struct text *out, const char *message)
{
	text_put(out, "echo rouse: ");
	text_put_ipxe(out, message);
	text_put(out, "\n");
}

static void put_file_url(struct text *out, const struct menu *menu, const char *path,
			 const char *as)
{
	text_put(out, menu->base_url);
	menu_put_file(menu, path, as, out);
}

/*
 * The ways to the local disk, in turn. A BIOS is best given its first disk, since many hang
 * when a ROM returns; UEFI goes to its next boot option when a program it started returns.
 */
static void put_local(struct text *out, const struct menu *menu)
{
	const char *exits = menu->exits;
	const char *word;
	size_t length;

	while ((word = menu_next_exit(&exits, &length)) != NULL) {
		char path[MENU_EXIT_SIZE];
		struct text name = text_into(path, sizeof(path));

		text_put_bytes(&name, word, length);
		if (strcmp(path, "exit") == 0)
			break;
		if (strcmp(path, "sanboot") == 0) {
			text_put(out, "sanboot --no-describe --drive 0x80 ||\n");
		} else if (!name.failed) {
			text_put(out, "chain --autofree ");
			put_file_url(out, menu, path, "kernel");
			text_put(out, " ||\n");
		}
	}
	text_put(out, "exit\n");
}

static void put_again(struct text *out, const struct menu *menu, unsigned attempt)
{
	text_put(out, "chain --replace --autofree ");
	text_put(out, menu->base_url);
	text_put(out, "/boot?");
	text_put(out, menu->query);
	text_printf(out, "&try=%u", attempt);
}

/* What follows a command that failed: tell the server, wait, ask again; in the end the local
 * disk. */
static void put_failed(struct text *out, const struct menu *menu)
{
	text_put(out, ":failed\n"
		      "set code ${errno:hexraw}\n"
		      "echo rouse: this did not start: error ${errno}\n"
		      "imgfree ||\n"
		      "sleep 5\n");
	put_again(out, menu, menu->attempt + 1);
	text_put(out, "&errno=${code} || goto local\n"
		      ":local\n");
	put_local(out, menu);
}

static void put_linux(struct text *out, const struct menu *menu)
{
	const char *initrd = initrd_name(menu->initrd);

	text_put(out, "kernel ");
	put_file_url(out, menu, menu->kernel, "kernel");
	/* UEFI's kernel finds its initial disk by this name; BIOS ignores it */
	if (initrd[0] != '\0') {
		text_put(out, " initrd=");
		text_put_url(out, initrd);
	}
	if (menu->ticket[0] != '\0') {
		text_put(out, " rouse_url=");
		text_put(out, menu_client_url(menu));
		text_put(out, " rouse_ticket=");
		text_put_url(out, menu->ticket);
		text_put(out, " BOOTIF=01-");
		text_put_url(out, menu->mac);
	}
	if (menu->arguments[0] != '\0') {
		text_put(out, " ");
		text_put_ipxe_operator(out, menu->arguments);
	}
	text_put(out, " || goto failed\n");
	if (initrd[0] != '\0') {
		text_put(out, "initrd --name ");
		text_put_url(out, initrd);
		text_put(out, " ");
		put_file_url(out, menu, menu->initrd, "initrd");
		text_put(out, " || goto failed\n");
	}
	text_put(out, "boot || goto failed\n");
	put_failed(out, menu);
}

/* To the first menu. */
static void put_back(struct text *out, const struct menu *menu)
{
	text_put(out, ":back\n");
	put_again(out, menu, menu->attempt);
	text_put(out, "&item=" MENU_TOP " || goto failed\n");
}

/* One letter or digit: anything else would be a word of the line. */
static bool is_hotkey(const char *hotkey)
{
	return ((hotkey[0] >= 'a' && hotkey[0] <= 'z') ||
		(hotkey[0] >= '0' && hotkey[0] <= '9')) &&
	       hotkey[1] == '\0';
}

/* The default straight on, unless the key is pressed in time. */
static void put_hidden(struct text *out, const struct menu *menu)
{
	const char *key = menu->hidden_key;

	if (menu->timeout_seconds == 0) {
		text_put(out, "goto unseen\n");
		return;
	}
	text_put(out, "prompt ");
	if (strcmp(key, "esc") == 0)
		text_put(out, "--key 0x1b ");
	else if (is_hotkey(key))
		text_printf(out, "--key %s ", key);
	text_printf(out, "--timeout %u rouse: press ", menu->timeout_seconds * 1000);
	text_put_ipxe(out, strcmp(key, "any") == 0 ? "a key" : key);
	text_printf(out, " within %u s for the menu || goto unseen\n", menu->timeout_seconds);
}

static void put_entries(struct text *out, const struct menu *menu)
{
	if (menu->hidden_key[0] != '\0')
		put_hidden(out, menu);
	text_put(out, "menu rouse: ");
	text_put_ipxe(out, menu->host[0] != '\0' ? menu->host : "this machine");
	text_printf(out, " (%s)\n", host_state_name(menu->host_state));
	for (size_t i = 0; i < menu->entry_count; i++) {
		const struct menu_entry *entry = &menu->entries[i];

		text_put(out, "item ");
		if (is_hotkey(entry->hotkey))
			text_printf(out, "--key %s ", entry->hotkey);
		text_put_url(out, entry->key);
		text_put(out, " ");
		text_put_ipxe(out, entry->title);
		text_put(out, "\n");
	}
	text_put(out, "choose --default ");
	text_put_url(out, menu->default_key);
	if (menu->timeout_seconds > 0)
		text_printf(out, " --timeout %u", menu->timeout_seconds * 1000);
	text_put(out, " item || goto local\n");
	if (menu->hidden_key[0] != '\0') {
		text_put(out, "goto chosen\n:unseen\nset item ");
		text_put_url(out, menu->default_key);
		text_put(out, "\n:chosen\n");
	}
	put_again(out, menu, menu->attempt);
	if (menu->image_for[0] != '\0') {
		text_put(out, "&item=");
		text_put_url(out, menu->image_for);
		text_put(out, "&image=${item} || goto failed\n");
	} else {
		text_put(out, "&item=${item} || goto failed\n");
	}
	put_failed(out, menu);
}

static void put_one_command(struct text *out, const struct menu *menu, const char *command)
{
	text_put(out, command);
	text_put(out, " ");
	put_file_url(out, menu, menu->file, "kernel");
	text_put(out, " || goto failed\n");
	put_failed(out, menu);
}

static void put_chain(struct text *out, const struct menu *menu)
{
	text_put(out, "chain --autofree ");
	text_put_ipxe_operator(out, menu->file);
	text_put(out, " || goto failed\n");
	put_failed(out, menu);
}

/*
 * An empty line, or Ctrl-C, leads back to the menu. What was typed is compared in hexadecimal:
 * builds of before 2013 expand a setting before they look for the end of the command.
 */
static void put_confirm(struct text *out, const struct menu *menu)
{
	const struct menu_entry *entry = &menu->entries[0];

	put_echo(out, entry->title);
	if (menu->image[0] != '\0') {
		text_put(out, "echo rouse: image ");
		text_put_ipxe(out, menu->image);
		text_put(out, "\n");
	}
	text_put(out, "echo rouse: type ");
	text_put_url(out, entry->confirm);
	text_put(out, " and press Enter; anything else leads back\n"
		      "set typed\n"
		      "read typed ||\n"
		      "iseq ${typed:hexraw} ");
	text_put_hex(out, (const uint8_t *)entry->confirm, strlen(entry->confirm));
	text_put(out, " || goto back\n");
	put_again(out, menu, menu->attempt);
	text_put(out, "&item=");
	text_put_url(out, entry->key);
	if (menu->image[0] != '\0') {
		text_put(out, "&image=");
		text_put_url(out, menu->image);
	}
	text_put(out, "&confirm=");
	text_put_url(out, entry->confirm);
	text_put(out, " || goto failed\n");
	put_back(out, menu);
	put_failed(out, menu);
}

/* An empty line, or Ctrl-C, leads back to the menu; which names can be, the database says. In
 * hexadecimal, since what is typed may be a command's end to "isset", too. */
static void put_name(struct text *out, const struct menu *menu)
{
	put_echo(out, menu->entries[0].title);
	text_put(out, "echo rouse: type the name of the new image and press Enter; "
		      "an empty line leads back\n"
		      "clear typed\n"
		      "read typed ||\n"
		      "isset ${typed:hexraw} || goto back\n");
	put_again(out, menu, menu->attempt);
	text_put(out, "&item=");
	text_put_url(out, menu->entries[0].key);
	text_put(out, "&image=${typed:uristring} || goto failed\n");
	put_back(out, menu);
	put_failed(out, menu);
}

static void put_identify(struct text *out, const struct menu *menu)
{
	text_put(out, "echo host: ");
	text_put_ipxe(out, menu->host[0] != '\0' ? menu->host : "none");
	text_printf(out, " (%s)\n", host_state_name(menu->host_state));
	text_put(out, "echo card: ${netX/mac} ${netX/ip}\n"
		      "echo UUID: ${uuid}\n"
		      "echo model: ");
	text_put_ipxe(out, menu->manufacturer);
	text_put(out, menu->manufacturer[0] != '\0' ? " " : "");
	text_put_ipxe(out, menu->product);
	text_put(out, "\necho serial number: ");
	text_put_ipxe(out, menu->serial);
	text_put(out, "\necho loader: iPXE ${version} (${buildarch}, ${platform})\n"
		      "echo boot service: ");
	text_put(out, menu->base_url);
	text_put(out, "\necho Press Enter for the menu\n"
		      "read typed ||\n");
	put_back(out, menu);
	put_failed(out, menu);
}

static void put_shell(struct text *out, const struct menu *menu)
{
	text_put(out, "echo rouse: exit leads back to the menu\nshell ||\n");
	put_back(out, menu);
	put_failed(out, menu);
}

/*
 * Name and password go in a header, when menud asks for them; no URL of ours holds them, and
 * the password is forgotten before the next command. The answer sets ${session}, as
 * menud/login.h says.
 */
static void put_login(struct text *out, const struct menu *menu)
{
	static const char scheme[] = "http://";
	bool is_http = strncmp(menu->base_url, scheme, sizeof(scheme) - 1) == 0;

	text_put(out, "clear session\n"
		      "clear username\n"
		      "login || goto back\n"
		      "chain --autofree http://${username:uristring}:${password:uristring}@");
	text_put(out, menu->base_url + (is_http ? sizeof(scheme) - 1 : 0));
	text_put(out, "/login/ipxe ||\n"
		      "clear password\n"
		      "isset ${session} || goto wrong\n");
	put_again(out, menu, menu->attempt);
	text_put(out, "&session=${session:uristring}&item=" MENU_TOP " || goto failed\n"
		      ":wrong\n"
		      "echo rouse: wrong name or password, or too many attempts\n"
		      "sleep 3\n");
	put_back(out, menu);
	put_failed(out, menu);
}

static void put_wait(struct text *out, const struct menu *menu)
{
	text_printf(out, "sleep %u\n", menu->wait_seconds);
	put_again(out, menu, menu->attempt);
	text_put(out, " || goto local\n:local\n");
	put_local(out, menu);
}

enum err ipxe_render(const struct menu *menu, struct text *out)
{
	text_put(out, "#!ipxe\n");
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
		put_one_command(out, menu, "chain --autofree");
		break;
	case MENU_ISO:
		put_one_command(out, menu, "sanboot --no-describe");
		break;
	case MENU_CHAIN:
		put_chain(out, menu);
		break;
	case MENU_WAIT:
		put_wait(out, menu);
		break;
	case MENU_REFUSE:
		text_put(out, "sleep 10\n");
		put_local(out, menu);
		break;
	case MENU_LOCAL:
		put_local(out, menu);
		break;
	case MENU_CONFIRM:
		put_confirm(out, menu);
		break;
	case MENU_NAME:
		put_name(out, menu);
		break;
	case MENU_IDENTIFY:
		put_identify(out, menu);
		break;
	case MENU_SHELL:
		put_shell(out, menu);
		break;
	case MENU_LOGIN:
		put_login(out, menu);
		break;
	case MENU_REBOOT:
		text_put(out, "reboot\n");
		break;
	case MENU_DONE:
		text_printf(out, "sleep %u\n", menu->wait_seconds);
		put_back(out, menu);
		put_failed(out, menu);
		break;
	}
	return out->failed ? ERR_SPACE : ERR_OK;
}

/* The facts, under the names that FOG's first stage uses too; absent cards are left out. */
static void put_facts(struct text *out)
{
	text_put(out, "set cpu ${buildarch}\n"
		      "iseq ${cpu} i386 && cpuid --ext 29 && set cpu x86_64 ||\n"
		      "set facts mac0=${netX/mac}\n");
	for (int card = 0; card < 7; card++)
		text_printf(out,
			    "isset ${net%d/mac} && set facts ${facts}&mac%d=${net%d/mac} ||\n",
			    card, card + 1, card);
	text_put(out, "set facts ${facts}&arch=${cpu}&platform=${platform}&sysuuid=${uuid}\n"
		      "set facts ${facts}&product=${product:uristring}"
		      "&manufacturer=${manufacturer:uristring}\n"
		      "set facts ${facts}&serial=${serial:uristring}"
		      "&ipxever=${version:uristring}&filename=${filename:uristring}\n");
}

static void put_local_by_platform(struct text *out)
{
	text_put(out, "iseq ${platform} pcbios && sanboot --no-describe --drive 0x80 ||\n"
		      "exit\n");
}

enum err ipxe_render_first(const struct ipxe_first *first, struct text *out)
{
	text_put(out, "#!ipxe\n");
	if (first->message) {
		put_echo(out, first->message);
		text_put(out, "sleep 5\n");
		put_local_by_platform(out);
		return out->failed ? ERR_SPACE : ERR_OK;
	}
	if (first->url_count == 0)
		return ERR_RANGE;
	put_facts(out);
	text_put(out, "set tries:int32 0\n"
		      "set report\n"
		      ":again\n");
	for (size_t i = 0; i < first->url_count; i++) {
		text_put(out, "set menud ");
		text_put_ipxe_operator(out, first->urls[i]);
		text_put(out, "\necho rouse: asking ${menud}\n"
			      "chain --replace --autofree ${menud}/boot?${facts}${report} ||\n"
			      "set report &errno=${errno:hexraw}\n"
			      "echo rouse: ${menud} did not answer: error ${errno}\n");
	}
	text_printf(
		out,
		"inc tries\n"
		"iseq ${tries} %d && goto local ||\n"
		"echo rouse: no boot service answers; try ${tries} of %d, waiting 5 seconds\n"
		"sleep 5\n"
		"goto again\n"
		":local\n"
		"echo rouse: booting the local disk\n",
		MENU_TRIES_MAX, MENU_TRIES_MAX);
	put_local_by_platform(out);
	return out->failed ? ERR_SPACE : ERR_OK;
}
