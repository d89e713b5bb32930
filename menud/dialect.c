#include "menud/dialect.h"

#include "core/grub.h"
#include "core/ipxe.h"
#include "core/pxelinux.h"

enum err dialect_take_name(const struct search *search, struct form *form)
{
	char mac[MAC_TEXT_SIZE];

	/* where the loader does not say it: what it runs on, mostly */
	if (form->arch.firmware == FIRMWARE_OTHER)
		form->arch.firmware =
			search->loader == BOOT_LOADER_GRUB ? FIRMWARE_EFI : FIRMWARE_BIOS;
	if (search->by == SEARCH_LAST)
		return ERR_OK;
	if (search->by != SEARCH_MAC)
		return ERR_ABSENT;
	mac_format(&search->mac, mac);
	return form_take(form, "mac0", mac);
}

enum err dialect_render(enum boot_loader loader, const struct menu *menu, struct text *out)
{
	switch (loader) {
	case BOOT_LOADER_GRUB:
		return grub_render(menu, out);
	case BOOT_LOADER_PXELINUX:
		return pxelinux_render(menu, out);
	case BOOT_LOADER_FIRMWARE:
	case BOOT_LOADER_IPXE:
	case BOOT_LOADER_OTHER:
		break;
	}
	return ipxe_render(menu, out);
}
