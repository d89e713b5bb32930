#include "core/menu.h"

#include <string.h>

static bool set_holds(uint8_t set, unsigned value)
{
	return set == 0 || (set >> value & 1);
}

struct menu menu_start(const struct boot_facts *facts)
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
		.kernel = "",
		.initrd = "",
		.arguments = "",
		.ticket = "",
		.file = "",
	};
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

/* A loader that cannot ask again gets what it can carry out alone, of all sub-menus in one. */
static bool is_listed(const struct site_menu_item *item, const char *parent,
		      const struct boot_facts *facts)
{
	if (facts->loader == BOOT_LOADER_IPXE)
		return strcmp(item->parent, parent) == 0;
	return strcmp(item->action, "menu") != 0 && item->confirm[0] == '\0';
}

/* Loaders disagree on what a key of two items chooses: the first that is shown has it. */
static const char *free_hotkey(const struct menu *menu, const char *hotkey)
{
	for (size_t i = 0; i < menu->entry_count; i++)
		if (strcmp(menu->entries[i].hotkey, hotkey) == 0)
			return "";
	return hotkey;
}

static void add_entry(struct menu *menu, const struct site *site,
		      const struct site_menu_item *item)
{
	struct menu_entry entry = {.key = item->key,
				   .title = item->title,
				   .hotkey = free_hotkey(menu, item->hotkey),
				   .action = item->action,
				   .profile = site_profile_named(site, item->profile),
				   .confirm = item->confirm};

	menu->entries[menu->entry_count++] = entry;
}

static void list_entries(const struct site *site, const char *parent,
			 const struct boot_facts *facts, struct menu *menu)
{
	const char *wanted = site_setting(site, "menu_default", "local");

	menu->kind = MENU_ITEMS;
	menu->entry_count = 0;
	menu->default_key = "";
	menu->timeout_seconds = (unsigned)site_setting_number(site, "menu_timeout_seconds", 10);
	for (size_t i = 0; i < site->menu_count; i++) {
		const struct site_menu_item *item = &site->menu[i];

		if (!is_listed(item, parent, facts) || !menu_item_is_visible(site, item, facts))
			continue;
		if (menu->entry_count == MENU_ENTRIES_MAX - 1) { /* one is left for "back" */
			menu->message = "this menu is too long to be shown whole: "
					"put some of its items into sub-menus";
			break;
		}
		add_entry(menu, site, item);
		if (strcmp(item->key, wanted) == 0)
			menu->default_key = item->key;
	}
	/* a menu without its default, or a site without a menu, must not stop a machine */
	if (menu->entry_count == 0)
		menu->kind = MENU_LOCAL;
	else if (menu->default_key[0] == '\0')
		menu->default_key = menu->entries[0].key;
}

/* A sub-menu that is left alone goes back, up to the first menu, which has a default. */
static void list_sub_menu(const struct site *site, const struct site_menu_item *item,
			  const struct boot_facts *facts, struct menu *menu)
{
	const char *back = item->parent[0] != '\0' ? item->parent : MENU_TOP;

	list_entries(site, item->key, facts, menu);
	menu->kind = MENU_ITEMS;
	menu->entries[menu->entry_count++] =
		(struct menu_entry){back, "Back", "", "menu", NULL, ""};
	menu->default_key = back;
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
		list_entries(site, "", facts, menu);
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

/* The word was not typed, or another one: the item is asked for again, with its word. */
static void ask_for_word(const struct site_menu_item *item, const struct menu_choice *choice,
			 struct menu *menu)
{
	menu->kind = MENU_CONFIRM;
	menu->message = choice->typed[0] != '\0' ? "that was another word" : "";
	menu->entry_count = 1;
	menu->entries[0] = (struct menu_entry){item->key,    item->title, "",
					       item->action, NULL,	  item->confirm};
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

	if (strcmp(choice->key, MENU_TOP) == 0) {
		list_entries(site, "", facts, menu);
		return ERR_OK;
	}
	if (!item || !menu_item_is_visible(site, item, facts))
		return ERR_ABSENT;
	if (item->confirm[0] != '\0' && strcmp(item->confirm, choice->typed) != 0) {
		ask_for_word(item, choice, menu);
		return ERR_OK;
	}
	return use_action(site, item, facts, menu);
}
