#include "core/menu.h"

#include <string.h>

static bool set_holds(uint8_t set, unsigned value)
{
	return set == 0 || (set >> value & 1);
}

/* What holds for a machine: the most special value of each. */
struct defaults {
	const char *item;
	unsigned timeout_seconds;
	const char *menu_key;
	const char *exits;
};

static bool default_holds(const struct site_default *one, const struct boot_facts *facts)
{
	if (one->host[0] != '\0')
		return strcmp(one->host, facts->host) == 0;
	if (one->product[0] != '\0')
		return strcmp(one->product, facts->product) == 0;
	return one->group_id == facts->group_id;
}

static void override(const char **value, const char *with)
{
	if (with[0] != '\0')
		*value = with;
}

static struct defaults defaults_of(const struct site *site, const struct boot_facts *facts)
{
	bool is_bios = facts->arch.firmware == FIRMWARE_BIOS;
	struct defaults found = {
		.item = site_setting(site, "menu_default", "local"),
		.timeout_seconds =
			(unsigned)site_setting_number(site, "menu_timeout_seconds", 10),
		.menu_key = site_setting(site, "menu_key", "none"),
		.exits = is_bios ? site_setting(site, "exit_bios", "sanboot exit")
				 : site_setting(site, "exit_efi", "exit"),
	};

	for (size_t i = 0; i < site->default_count; i++) {
		const struct site_default *one = &site->defaults[i];

		if (!default_holds(one, facts))
			continue;
		override(&found.item, one->menu_default);
		override(&found.menu_key, one->menu_key);
		override(&found.exits, is_bios ? one->exits_bios : one->exits_efi);
		if (one->timeout_seconds >= 0)
			found.timeout_seconds = (unsigned)one->timeout_seconds;
	}
	return found;
}

struct menu menu_start(const struct site *site, const struct boot_facts *facts)
{
	return (struct menu){
		.base_url = "",
		.query = "",
		.mac = "",
		.firmware = facts->arch.firmware,
		.host = facts->host,
		.host_state = facts->host_state,
		.manufacturer = "",
		.product = facts->product,
		.serial = "",
		.message = "",
		.default_key = "",
		.image_for = "",
		.image = "",
		.hidden_key = "",
		.kernel = "",
		.initrd = "",
		.arguments = "",
		.ticket = "",
		.file = "",
		.exits = defaults_of(site, facts).exits,
	};
}

const char *menu_next_exit(const char **exits, size_t *ret_length)
{
	const char *word = *exits;
	size_t length = strcspn(word, " ");

	if (length == 0)
		return NULL;
	*exits = word + length + (word[length] == ' ');
	*ret_length = length;
	return word;
}

bool menu_loader_starts(enum boot_loader loader, const struct menu_entry *entry)
{
	if (!entry->profile)
		return strcmp(entry->action, "local") == 0;
	return entry->profile->kind == PROFILE_LOCAL || entry->profile->kind == PROFILE_LINUX ||
	       (entry->profile->kind == PROFILE_EFI && loader == BOOT_LOADER_GRUB);
}

static void close_menus(const struct menu_writer *writer, unsigned from, unsigned to,
			struct text *out)
{
	for (; from > to; from--)
		text_put(out, writer->close_menu);
}

void menu_put_tree(const struct menu *menu, const struct menu_writer *writer, struct text *out)
{
	unsigned depth = 0;

	for (size_t i = 0; i < menu->entry_count; i++) {
		const struct menu_entry *entry = &menu->entries[i];
		bool is_menu = strcmp(entry->action, "menu") == 0;

		if (!is_menu && !menu_loader_starts(writer->loader, entry))
			continue;
		close_menus(writer, depth, entry->depth, out);
		depth = entry->depth;
		if (is_menu) {
			writer->open_menu(out, entry);
			depth++;
		} else {
			writer->put_entry(out, menu, entry);
		}
	}
	close_menus(writer, depth, 0, out);
}

const char *menu_client_url(const struct menu *menu)
{
	return menu->client_url ? menu->client_url : menu->base_url;
}

void menu_put_file(const struct menu *menu, const char *path, const char *as, struct text *out)
{
	text_put(out, "/files/");
	text_put_url_path(out, path);
	if (menu->mac[0] != '\0') {
		text_put(out, "?as=");
		text_put(out, as);
		text_put(out, "&mac=");
		text_put_url(out, menu->mac);
	}
}

static bool conditions_hold(const struct site_menu_item *item, const struct boot_facts *facts)
{
	return set_holds(item->host_state, facts->host_state) &&
	       set_holds(item->firmware, facts->arch.firmware) &&
	       set_holds(item->arch, facts->arch.cpu) &&
	       (item->group_id == 0 || item->group_id == facts->group_id) &&
	       facts->role >= item->role;
}

bool menu_item_is_visible(const struct site *site, const struct site_menu_item *item,
			  const struct boot_facts *facts)
{
	for (int depth = 0; item && depth <= MENU_DEPTH_MAX; depth++) {
		if (!conditions_hold(item, facts))
			return false;
		if (item->parent[0] == '\0')
			return true;
		item = site_menu_item_keyed(site, item->parent);
	}
	return false; /* in a sub-menu that is gone, or in a circle */
}

/* Loaders disagree on what a key of two items chooses: the first that is shown has it. The
 * entries of one menu begin at `first`, with those of its sub-menus between them. */
static const char *free_hotkey(const struct menu *menu, size_t first, unsigned depth,
			       const char *hotkey)
{
	for (size_t i = first; i < menu->entry_count; i++)
		if (menu->entries[i].depth == depth &&
		    strcmp(menu->entries[i].hotkey, hotkey) == 0)
			return "";
	return hotkey;
}

static struct menu_entry entry_of(const struct site *site, const struct site_menu_item *item)
{
	return (struct menu_entry){.key = item->key,
				   .title = item->title,
				   .hotkey = item->hotkey,
				   .action = item->action,
				   .profile = site_profile_named(site, item->profile),
				   .confirm = item->confirm};
}

/* One menu of a tree, and what belongs to all of its parts. */
struct listing {
	const struct site *site;
	const struct boot_facts *facts;
	struct menu *menu;
};

/*
 * Adds the items of one menu. A loader that cannot ask again gets its sub-menus with what is in
 * them, and of all only what it can carry out alone. Goes no deeper than MENU_DEPTH_MAX: what
 * is visible lies no deeper.
 */
static void list_level(const struct listing *listing, const char *parent, unsigned depth)
{
	const struct site *site = listing->site;
	struct menu *menu = listing->menu;
	bool asks = listing->facts->loader == BOOT_LOADER_IPXE;
	size_t first = menu->entry_count;

	for (size_t i = 0; i < site->menu_count; i++) {
		const struct site_menu_item *item = &site->menu[i];
		bool is_menu = strcmp(item->action, "menu") == 0;
		size_t at = menu->entry_count;
		struct menu_entry entry;

		if (strcmp(item->parent, parent) != 0 ||
		    !menu_item_is_visible(site, item, listing->facts))
			continue;
		entry = entry_of(site, item);
		if (!asks && !is_menu &&
		    (item->confirm[0] != '\0' ||
		     !menu_loader_starts(listing->facts->loader, &entry)))
			continue;
		if (at == MENU_ENTRIES_MAX - 1) { /* one is left for "back" */
			menu->message = "this menu is too long to be shown whole: "
					"put some of its items into sub-menus";
			return;
		}
		entry.depth = depth;
		entry.hotkey = free_hotkey(menu, first, depth, item->hotkey);
		menu->entries[menu->entry_count++] = entry;
		if (!asks && is_menu) {
			list_level(listing, item->key, depth + 1);
			if (menu->entry_count == at + 1) /* there is nothing in it */
				menu->entry_count = at;
		}
	}
}

/* The entry of the first menu that is taken by itself. One that is not there must not stop a
 * machine: then it is the local disk, or else the first. */
static const char *find_default(const struct menu *menu, const char *wanted)
{
	const char *local = NULL;

	for (size_t i = 0; i < menu->entry_count; i++) {
		const struct menu_entry *entry = &menu->entries[i];

		if (entry->depth > 0)
			continue;
		if (strcmp(entry->key, wanted) == 0)
			return entry->key;
		if (!local && strcmp(entry->action, "local") == 0)
			local = entry->key;
	}
	return local ? local : menu->entries[0].key;
}

static void list_entries(const struct site *site, const char *parent,
			 const struct boot_facts *facts, struct menu *menu)
{
	struct defaults defaults = defaults_of(site, facts);
	const struct listing listing = {site, facts, menu};

	menu->kind = MENU_ITEMS;
	menu->entry_count = 0;
	menu->default_key = "";
	menu->image_for = "";
	menu->hidden_key = "";
	menu->timeout_seconds = defaults.timeout_seconds;
	list_level(&listing, parent, 0);
	if (menu->entry_count > 0)
		menu->default_key = find_default(menu, defaults.item);
	else
		menu->kind = MENU_LOCAL; /* a site without a menu must not stop a machine */
}

/* The menu that a machine comes to by itself: hidden, where that is wanted. */
static void list_first(const struct site *site, const struct boot_facts *facts,
		       struct menu *menu)
{
	const char *key = defaults_of(site, facts).menu_key;

	list_entries(site, "", facts, menu);
	menu->hidden_key = strcmp(key, "none") == 0 ? "" : key;
}

/* A sub-menu that is left alone goes back, up to the first menu, which has a default. */
static void list_sub_menu(const struct site *site, const struct site_menu_item *item,
			  const struct boot_facts *facts, struct menu *menu)
{
	const char *back = item->parent[0] != '\0' ? item->parent : MENU_TOP;

	list_entries(site, item->key, facts, menu);
	menu->kind = MENU_ITEMS;
	menu->entries[menu->entry_count++] =
		(struct menu_entry){back, "Back", "", "menu", NULL, "", 0};
	menu->default_key = back;
}

static void add_choice(struct menu *menu, const char *key, const char *title,
		       const char *hotkey)
{
	menu->entries[menu->entry_count++] = (struct menu_entry){
		.key = key, .title = title, .hotkey = hotkey, .action = "", .confirm = ""};
}

void menu_list_images(const struct site *site, const struct boot_facts *facts, const char *key,
		      const struct menu_image *images, size_t count, struct menu *menu)
{
	static const char *const digits[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
	size_t named = 0;

	menu->kind = MENU_ITEMS;
	menu->image_for = key;
	menu->timeout_seconds = defaults_of(site, facts).timeout_seconds;
	menu->entry_count = 0;
	for (size_t i = 0; i < count; i++) {
		const char *hotkey = "n";

		if (menu->entry_count == MENU_ENTRIES_MAX - 1) {
			menu->message = "there are more images than a menu holds: "
					"rouse.deploy() and rouse.capture() take any";
			break;
		}
		if (strcmp(images[i].name, MENU_NEW) != 0) {
			hotkey = named < 9 ? digits[named] : "";
			named++;
		}
		add_choice(menu, images[i].name, images[i].title, hotkey);
	}
	add_choice(menu, MENU_TOP, "Back", "");
	menu->default_key = MENU_TOP;
}

static enum err use_profile(const struct site *site, const char *name, struct menu *menu)
{
	const struct site_profile *profile = site_profile_named(site, name);

	if (!profile)
		return ERR_ABSENT;
	menu->message = profile->title;
	switch (profile->kind) {
	case PROFILE_LINUX:
		menu->kind = MENU_LINUX;
		menu->kernel = profile->kernel;
		menu->initrd = profile->initrd;
		menu->arguments = profile->arguments;
		menu->ticket = "";
		break;
	case PROFILE_EFI:
		menu->kind = MENU_EFI;
		menu->file = profile->file;
		menu->arguments = profile->arguments;
		break;
	case PROFILE_ISO:
		menu->kind = MENU_ISO;
		menu->file = profile->file;
		break;
	case PROFILE_CHAIN:
		menu->kind = MENU_CHAIN;
		menu->file = profile->url;
		break;
	case PROFILE_LOCAL:
		menu->kind = MENU_LOCAL;
		break;
	}
	return ERR_OK;
}

enum err menu_from_verdict(const struct site *site, const struct boot_verdict *verdict,
			   const struct boot_facts *facts, struct menu *menu)
{
	switch (verdict->answer) {
	case BOOT_MENU:
	case BOOT_FIRST_STAGE: /* the machine is past its first stage: the menu is what is left
				*/
	case BOOT_SCRIPT:
		list_first(site, facts, menu);
		return ERR_OK;
	case BOOT_LOCAL:
	case BOOT_NOTHING:
		menu->kind = MENU_LOCAL;
		menu->message = verdict->reason;
		return ERR_OK;
	case BOOT_REFUSE:
		menu->kind = MENU_REFUSE;
		menu->message = verdict->reason;
		return ERR_OK;
	case BOOT_PROFILE:
		return use_profile(site, verdict->argument, menu);
	case BOOT_RUN_JOB:
		break;
	}
	return ERR_REFUSED;
}

static bool wants_image(const struct site_menu_item *item)
{
	return strcmp(item->action, "deploy") == 0 || strcmp(item->action, "capture") == 0;
}

/* A name is typed, and comes back as the image that was chosen. */
static void ask_for_name(const struct site_menu_item *item, struct menu *menu)
{
	menu->kind = MENU_NAME;
	menu->entry_count = 0;
	add_choice(menu, item->key, item->title, "");
}

/* The word was not typed, or another one: the item is asked for again, with its word. */
static void ask_for_word(const struct site_menu_item *item, const struct menu_choice *choice,
			 struct menu *menu)
{
	menu->kind = MENU_CONFIRM;
	menu->message = choice->typed[0] != '\0' ? "that was another word" : "";
	menu->image = choice->image;
	menu->entry_count = 1;
	menu->entries[0] = (struct menu_entry){item->key, item->title,	 "", item->action,
					       NULL,	  item->confirm, 0};
}

static enum err use_action(const struct site *site, const struct site_menu_item *item,
			   const struct boot_facts *facts, struct menu *menu)
{
	static const struct {
		const char *action;
		enum menu_kind kind;
	} alone[] = {
		{"local", MENU_LOCAL}, {"identify", MENU_IDENTIFY}, {"shell", MENU_SHELL},
		{"login", MENU_LOGIN}, {"reboot", MENU_REBOOT},
	};

	if (strcmp(item->action, "menu") == 0) {
		list_sub_menu(site, item, facts, menu);
		return ERR_OK;
	}
	if (strcmp(item->action, "profile") == 0)
		return use_profile(site, item->profile, menu);
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		if (strcmp(item->action, alone[i].action) == 0) {
			menu->kind = alone[i].kind;
			menu->message = "chosen in the menu";
			return ERR_OK;
		}
	}
	return ERR_REFUSED;
}

enum err menu_from_choice(const struct site *site, const struct menu_choice *choice,
			  const struct boot_facts *facts, struct menu *menu)
{
	const struct site_menu_item *item = site_menu_item_keyed(site, choice->key);

	if (strcmp(choice->key, MENU_TOP) == 0 || strcmp(choice->image, MENU_TOP) == 0) {
		list_entries(site, "", facts, menu);
		return ERR_OK;
	}
	if (!item || !menu_item_is_visible(site, item, facts))
		return ERR_ABSENT;
	if (wants_image(item) && choice->image[0] == '\0')
		return ERR_REFUSED; /* the word is asked for when the image is known */
	if (strcmp(item->action, "capture") == 0 && strcmp(choice->image, MENU_NEW) == 0) {
		ask_for_name(item, menu);
		return ERR_OK;
	}
	if (item->confirm[0] != '\0' && strcmp(item->confirm, choice->typed) != 0) {
		ask_for_word(item, choice, menu);
		return ERR_OK;
	}
	return use_action(site, item, facts, menu);
}

void menu_expand(const struct menu *menu, const char *arguments, struct text *out)
{
	static const char place[] = "%answers%";
	const char *found;

	while ((found = strstr(arguments, place)) != NULL) {
		text_put_bytes(out, arguments, (size_t)(found - arguments));
		text_put(out, menu_client_url(menu));
		text_put(out, "/answers/");
		text_put(out, menu->ticket);
		arguments = found + sizeof(place) - 1;
	}
	text_put(out, arguments);
}
