#include "core/search.h"

#include <string.h>

#define ADDRESS_DIGITS 8

static const char grub_name[] = "grub.cfg";
static const char pxelinux_folder[] = "pxelinux.cfg/";
static const char pxelinux_last[] = "default";

/* "0A4D0064": all eight digits, in any case. */
static bool parse_address(const char *text, uint32_t *ret_address)
{
	uint32_t address = 0;

	for (int i = 0; i < ADDRESS_DIGITS; i++) {
		static const char digits[] = "0123456789abcdef";
		char c = text[i];
		const char *digit;

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		digit = c ? strchr(digits, c) : NULL;
		if (!digit)
			return false;
		address = address << 4 | (uint32_t)(digit - digits);
	}
	if (text[ADDRESS_DIGITS] != '\0')
		return false;
	*ret_address = address;
	return true;
}

/* Which machine a name's own part means. */
static bool parse_machine(const char *text, struct search *search)
{
	size_t length = strlen(text);

	if (parse_address(text, &search->address)) {
		search->by = SEARCH_ADDRESS;
		return true;
	}
	if (uuid_parse(text, length, &search->uuid) == ERR_OK) {
		search->by = SEARCH_UUID;
		return true;
	}
	/* with its hardware type before it, as both loaders write it */
	if (strncmp(text, "01-", 3) == 0 && mac_parse(text, length, &search->mac) == ERR_OK) {
		search->by = SEARCH_MAC;
		return true;
	}
	return false;
}

/* The path up to `end`, then the name that is asked last. */
static void set_last(struct search *search, const char *path, const char *end, const char *name)
{
	size_t length = (size_t)(end - path);

	/* fits: what is asked is no shorter, but for U-Boot's and PXELINUX's own names */
	if (length + strlen(name) >= sizeof(search->last))
		return;
	memcpy(search->last, path, length);
	memcpy(search->last + length, name, strlen(name) + 1);
}

static bool parse_grub(const char *path, const char *name, struct search *search)
{
	const char *rest = name + sizeof(grub_name) - 1;

	if (strncmp(name, grub_name, sizeof(grub_name) - 1) != 0)
		return false;
	search->loader = BOOT_LOADER_GRUB;
	set_last(search, path, name, grub_name);
	if (*rest == '\0') {
		search->by = SEARCH_LAST;
		return true;
	}
	return *rest == '-' && parse_machine(rest + 1, search);
}

static bool parse_pxelinux(const char *path, const char *name, struct search *search)
{
	size_t folder = sizeof(pxelinux_folder) - 1;

	if ((size_t)(name - path) < folder ||
	    memcmp(name - folder, pxelinux_folder, folder) != 0 ||
	    ((size_t)(name - path) > folder && name[-(long)folder - 1] != '/'))
		return false;
	search->loader = BOOT_LOADER_PXELINUX;
	set_last(search, path, name, pxelinux_last);
	if (strcmp(name, pxelinux_last) == 0) {
		search->by = SEARCH_LAST;
		return true;
	}
	return parse_machine(name, search);
}

bool search_parse(const char *path, struct search *ret_search)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct search search = {.by = SEARCH_LAST};

	if (!parse_grub(path, name, &search) && !parse_pxelinux(path, name, &search))
		return false;
	*ret_search = search;
	return true;
}
