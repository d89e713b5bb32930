#include "dhcpd/pxe.h"

#include <string.h>

#include "dhcpd/option.h"

#define ARCH_CODE_BIOS 0
#define UUID_OPTION_LENGTH 17
#define TAG_BOOT_ITEM 71 /* in option 43 */
#define BOOT_ITEM_LENGTH 4

static bool has_prefix(const uint8_t *octets, size_t length, const char *prefix)
{
	size_t wanted = strlen(prefix);

	return octets && length >= wanted && memcmp(octets, prefix, wanted) == 0;
}

static bool is_text(const uint8_t *octets, size_t length, const char *text)
{
	return length == strlen(text) && has_prefix(octets, length, text);
}

/* The class as a plain string, as iPXE sends it, or one of RFC 3004's length-prefixed ones. */
static bool holds_user_class(const uint8_t *octets, size_t length, const char *class)
{
	struct bytes_reader in = bytes_reader(octets, length);

	if (is_text(octets, length, class))
		return true;
	while (in.left > 0) {
		uint8_t part_length = bytes_get_u8(&in);
		const uint8_t *part = bytes_take(&in, part_length);

		if (!part)
			return false;
		if (is_text(part, part_length, class))
			return true;
	}
	return false;
}

static bool is_ipxe(const struct packet *packet)
{
	size_t length;
	const uint8_t *user_class = packet_option(packet, OPTION_USER_CLASS, &length);

	if (user_class)
		return holds_user_class(user_class, length, "iPXE");
	return packet_option(packet, OPTION_IPXE, &length) != NULL;
}

static enum pxe_class classify(const struct packet *packet, const struct pxe_client *client)
{
	size_t length = 0;
	const uint8_t *vendor = packet_option(packet, OPTION_VENDOR_CLASS, &length);

	if (is_ipxe(packet))
		return PXE_CLASS_IPXE;
	if (has_prefix(vendor, length, "PXEClient"))
		return PXE_CLASS_FIRMWARE;
	if (has_prefix(vendor, length, "HTTPClient"))
		return PXE_CLASS_HTTP;
	if (client->has_arch && client->arch.firmware == FIRMWARE_UBOOT)
		return PXE_CLASS_UBOOT;
	return PXE_CLASS_OS;
}

static void read_arch(const struct packet *packet, struct pxe_client *client)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, OPTION_CLIENT_ARCH, &length);

	/* a list of 16-bit codes; the first is the client's own choice */
	client->has_arch = octets && length >= 2;
	client->arch_code = ARCH_CODE_BIOS;
	if (client->has_arch)
		client->arch_code = (uint16_t)(octets[0] << 8 | octets[1]);
	client->arch = arch_from_client(client->arch_code);
}

/*
 * Its boot ROM sends architecture 0 and the class of a PC's. What it is shows only in the maker
 * of its card.
 */
static bool is_raspberry(const struct packet *packet, const struct pxe_client *client)
{
	static const uint8_t makers[][3] = {{0xb8, 0x27, 0xeb}, {0xdc, 0xa6, 0x32},
					    {0xe4, 0x5f, 0x01}, {0x28, 0xcd, 0xc1},
					    {0xd8, 0x3a, 0xdd}, {0x2c, 0xcf, 0x67}};
	struct mac mac;

	if (client->class != PXE_CLASS_FIRMWARE || client->arch_code != ARCH_CODE_BIOS ||
	    !packet_mac(packet, &mac))
		return false;
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (memcmp(mac.octet, makers[i], sizeof(makers[i])) == 0)
			return true;
	}
	return false;
}

static void read_uuid(const struct packet *packet, struct pxe_client *client)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, OPTION_CLIENT_UUID, &length);

	/* some cards send none, or of another type: nothing is refused for that */
	if (!octets || length != UUID_OPTION_LENGTH || octets[0] != 0)
		return;
	client->uuid = uuid_from_wire(octets + 1);
	client->has_uuid = !uuid_is_placeholder(&client->uuid);
}

struct pxe_client pxe_client(const struct packet *packet)
{
	struct pxe_client client = {0};

	read_arch(packet, &client);
	read_uuid(packet, &client);
	client.class = classify(packet, &client);
	client.is_raspberry = is_raspberry(packet, &client);
	if (client.is_raspberry)
		client.arch = (struct arch){ARCH_OTHER, FIRMWARE_OTHER};
	return client;
}

const char *pxe_class_name(enum pxe_class class)
{
	static const char *const names[] = {"os", "firmware", "http", "ipxe", "uboot"};

	return names[class];
}

const char *pxe_class_stage(enum pxe_class class)
{
	switch (class) {
	case PXE_CLASS_OS:
		return "os_dhcp";
	case PXE_CLASS_IPXE:
		return "ipxe_dhcp";
	default:
		return "fw_dhcp";
	}
}

bool pxe_is_of_class(const struct pxe_client *client, const struct packet *packet,
		     const char *class)
{
	size_t length = 0;
	const uint8_t *octets = packet_option(packet, OPTION_VENDOR_CLASS, &length);

	if (strcmp(class, pxe_class_name(client->class)) == 0 ||
	    has_prefix(octets, length, class))
		return true;
	octets = packet_option(packet, OPTION_USER_CLASS, &length);
	return octets && holds_user_class(octets, length, class);
}

/* Option 97 goes back as it came (RFC 4578 section 2.3); some ROMs drop a reply without it. */
static bool echo_uuid(struct bytes_writer *out, const struct packet *request)
{
	size_t length;
	const uint8_t *octets = packet_option(request, OPTION_CLIENT_UUID, &length);

	return !octets || option_put(out, OPTION_CLIENT_UUID, octets, length);
}

/* What a ROM asks a boot server for (PXE 2.1, tag 71), or NULL. */
static const uint8_t *find_boot_item(const struct packet *request)
{
	size_t length = 0;
	const uint8_t *octets = packet_option(request, OPTION_VENDOR_SPECIFIC, &length);
	struct bytes_reader in = bytes_reader(octets, octets ? length : 0);

	while (in.left > 0) {
		uint8_t code = bytes_get_u8(&in);
		uint8_t part_length = bytes_get_u8(&in);
		const uint8_t *part = bytes_take(&in, part_length);

		if (!part || code == OPTION_END)
			break;
		if (code == TAG_BOOT_ITEM && part_length == BOOT_ITEM_LENGTH)
			return part;
	}
	return NULL;
}

/* A boot server names in its ACK what it was asked for. */
static bool put_rom_options(struct bytes_writer *out, const struct packet *request)
{
	uint8_t value[3 + 2 + BOOT_ITEM_LENGTH + 1] = {6, 1, 8}; /* use the boot file */
	size_t length = 3;
	const uint8_t *item = find_boot_item(request);

	if (item) {
		value[length++] = TAG_BOOT_ITEM;
		value[length++] = BOOT_ITEM_LENGTH;
		memcpy(value + length, item, BOOT_ITEM_LENGTH);
		length += BOOT_ITEM_LENGTH;
	}
	value[length++] = OPTION_END;
	return option_put(out, OPTION_VENDOR_SPECIFIC, value, length);
}

bool pxe_put_vendor_specific(struct bytes_writer *out, const struct pxe_client *client,
			     const struct packet *request)
{
	/*
	 * The ROM looks for this one line of a boot menu (sub-option 9; that of a Pi 3 for the
	 * blanks behind it, too) and fetches files of its own by TFTP.
	 */
	static const char menu[] = "\x09\x17\0\0\x14Raspberry Pi Boot   \xff";

	if (client->class != PXE_CLASS_FIRMWARE || client->arch_code != ARCH_CODE_BIOS)
		return true;
	if (client->is_raspberry)
		return option_put(out, OPTION_VENDOR_SPECIFIC, menu, sizeof(menu) - 1);
	return put_rom_options(out, request);
}

static bool put_firmware_options(struct bytes_writer *out, const struct pxe_client *client,
				 const struct packet *request)
{
	/*
	 * A BIOS ROM wants its class back, and with it discovery control 8; without it it goes
	 * on to port 4011.
	 * EDK2 takes a plain offer's file at once, but one that says "PXEClient" makes it ask
	 * next-server's port 4011 (without 43, seen with OVMF 2022.11: PXE-E16), or show PXE
	 * menus (with 43).
	 */
	bool done = true;

	if (client->arch_code == ARCH_CODE_BIOS)
		done = option_put_text(out, OPTION_VENDOR_CLASS, "PXEClient") &&
		       pxe_put_vendor_specific(out, client, request);
	return echo_uuid(out, request) && done;
}

bool pxe_put_options(struct bytes_writer *out, const struct pxe_client *client,
		     const struct packet *request)
{
	/* we are the whole server: iPXE need not wait 3 s for a proxy's offer */
	static const uint8_t no_pxedhcp[] = {OPTION_IPXE_NO_PXEDHCP, 1, 1};

	switch (client->class) {
	case PXE_CLASS_FIRMWARE:
		return put_firmware_options(out, client, request);
	case PXE_CLASS_HTTP:
		return option_put_text(out, OPTION_VENDOR_CLASS, "HTTPClient") &&
		       echo_uuid(out, request);
	case PXE_CLASS_IPXE:
		return option_put(out, OPTION_IPXE, no_pxedhcp, sizeof(no_pxedhcp)) &&
		       echo_uuid(out, request);
	default:
		return true;
	}
}
