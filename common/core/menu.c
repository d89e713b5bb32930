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
		.message = "",
		.default_key = "",
		.kernel = "",
		.initrd = "",
		.arguments = "",
		.ticket = "",
		.file = "",
	};
}

bool menu_item_is_visible(const struct site_menu_item *item, const struct boot_facts *facts)
{
	return set_holds(item->host_state, facts->host_state) &&
	       set_holds(item->firmware, facts->arch.firmware);
}

static void list_entries(const struct site *site, const struct boot_facts *facts,
			 struct menu *menu)
{
	const char *wanted = site_setting(site, "menu_default", "local");

	menu->kind = MENU_ITEMS;
	menu->entry_count = 0;
	menu->default_key = "";
	menu->timeout_seconds = (unsigned)site_setting_number(site, "menu_timeout_seconds", 10);
	for (size_t i = 0; i < site->menu_count && menu->entry_count < MENU_ENTRIES_MAX; i++) {
		const struct site_menu_item *item = &site->menu[i];

		if (!menu_item_is_visible(item, facts))
			continue;
		menu->entries[menu->entry_count++] =
			(struct menu_entry){item->key, item->title, item->hotkey, item->action,
					    site_profile_named(site, item->profile)};
		if (strcmp(item->key, wanted) == 0)
			menu->default_key = item->key;
	}
	/* a menu without its default, or a site without a menu, must not stop a machine */
	if (menu->entry_count == 0)
		menu->kind = MENU_LOCAL;
	else if (menu->default_key[0] == '\0')
		menu->default_key = menu->entries[0].key;
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
		list_entries(site, facts, menu);
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

enum err menu_from_item(const struct site *site, const char *key,
			const struct boot_facts *facts, struct menu *menu)
{
	const struct site_menu_item *item = site_menu_item_keyed(site, key);

	if (!item || !menu_item_is_visible(item, facts))
		return ERR_ABSENT;
	if (strcmp(item->action, "local") == 0) {
		menu->kind = MENU_LOCAL;
		menu->message = "chosen in the menu";
		return ERR_OK;
	}
	if (strcmp(item->action, "profile") == 0)
		return use_profile(site, item->profile, menu);
	return ERR_REFUSED;
}
