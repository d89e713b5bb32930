#include "menud/form.h"

#include <stdlib.h>
#include <string.h>

#include "core/hex.h"

void form_init(struct form *form)
{
	memset(form, 0, sizeof(*form));
	form->arch = (struct arch){ARCH_OTHER, FIRMWARE_OTHER};
	form->role = "";
}

/* The address of a card that is not Ethernet's: of 8 octets (EUI-64), or of 20 (InfiniBand). */
static bool is_other_card(const char *text, size_t length)
{
	if (length != 8 * 3 - 1 && length != 20 * 3 - 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (i % 3 == 2 ? text[i] != ':' && text[i] != '-' : hex_value(text[i]) < 0)
			return false;
	}
	return true;
}

/* `first`: the card that booted, which comes before those that were known already. */
static enum err add_mac(struct form *form, const char *text, size_t length, bool first)
{
	size_t at = form->mac_count;
	struct mac mac;

	if (is_other_card(text, length))
		return ERR_OK;
	if (mac_parse(text, length, &mac) != ERR_OK)
		return ERR_FORMAT;
	for (size_t i = 0; i < form->mac_count; i++) {
		if (mac_equal(&form->macs[i], &mac))
			at = i;
	}
	if (!mac_is_station(&mac))
		return ERR_OK;
	if (at == HOST_MACS_MAX)
		return ERR_SPACE;
	if (at == form->mac_count)
		form->macs[form->mac_count++] = mac;
	if (first) {
		memmove(&form->macs[1], &form->macs[0], at * sizeof(mac));
		form->macs[0] = mac;
	}
	return ERR_OK;
}

/* FOG's older first stage sends one field: MACs parted by "|", empty ones among them. */
static enum err add_macs(struct form *form, const char *text)
{
	enum err err = ERR_OK;

	while (*text && err == ERR_OK) {
		size_t length = strcspn(text, "|");

		if (length > 0)
			err = add_mac(form, text, length, false);
		text += length;
		text += *text == '|';
	}
	return err;
}

static bool is_mac_name(const char *name)
{
	return strncmp(name, "mac", 3) == 0 && name[3] >= '0' && name[3] <= '7' &&
	       name[4] == '\0';
}

/* Copies what fits, without cutting a UTF-8 character in two. */
static void copy(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);

	if (length >= size) {
		length = size - 1;
		while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(to, from, length);
	to[length] = '\0';
}

static enum err take_attempt(struct form *form, const char *value)
{
	char *end;
	unsigned long attempt = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' || attempt > 1000)
		return ERR_FORMAT;
	form->attempt = (unsigned)attempt;
	return ERR_OK;
}

/* The fields that are plain text. false: none of them. */
static bool take_text(struct form *form, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *to;
		size_t size;
	} texts[] = {
		{"arch", form->cpu, sizeof(form->cpu)},
		{"platform", form->platform, sizeof(form->platform)},
		{"product", form->product, sizeof(form->product)},
		{"manufacturer", form->manufacturer, sizeof(form->manufacturer)},
		{"serial", form->serial, sizeof(form->serial)},
		{"sysserial", form->serial, sizeof(form->serial)},
		{"ipxever", form->loader_version, sizeof(form->loader_version)},
		{"filename", form->filename, sizeof(form->filename)},
		{"item", form->item, sizeof(form->item)},
		{"image", form->image, sizeof(form->image)},
		{"confirm", form->confirm, sizeof(form->confirm)},
		{"errno", form->errno_text, sizeof(form->errno_text)},
		{"session", form->session, sizeof(form->session)},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) == 0) {
			copy(texts[i].to, texts[i].size, value);
			return true;
		}
	}
	return false;
}

enum err form_take(struct form *form, const char *name, const char *value)
{
	if (is_mac_name(name) || strcmp(name, "macboot") == 0)
		return value[0] != '\0' ? add_mac(form, value, strlen(value), name[3] == 'b')
					: ERR_OK;
	if (strcmp(name, "mac") == 0)
		return add_macs(form, value);
	if (strcmp(name, "try") == 0)
		return take_attempt(form, value);
	if (strcmp(name, "sysuuid") == 0 || strcmp(name, "uuid") == 0) {
		form->has_uuid = uuid_parse(value, strlen(value), &form->uuid) == ERR_OK;
		return ERR_OK;
	}
	if (take_text(form, name, value))
		form->arch = arch_from_ipxe(form->cpu, form->platform);
	return ERR_OK;
}

/* Calls `put` for each fact that is known, under our own names. */
static void each_fact(const struct form *form, struct text *out,
		      void (*put)(struct text *out, const char *name, const char *value))
{
	char name[] = "mac0";
	char mac[MAC_TEXT_SIZE];
	char uuid[UUID_TEXT_SIZE];
	const char *const texts[][2] = {
		{"arch", form->cpu},	      {"platform", form->platform},
		{"product", form->product},   {"manufacturer", form->manufacturer},
		{"serial", form->serial},     {"ipxever", form->loader_version},
		{"filename", form->filename},
	};

	for (size_t i = 0; i < form->mac_count; i++) {
		name[3] = (char)('0' + i);
		mac_format(&form->macs[i], mac);
		put(out, name, mac);
	}
	if (form->has_uuid) {
		uuid_format(&form->uuid, uuid);
		put(out, "uuid", uuid);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i][1][0] != '\0')
			put(out, texts[i][0], texts[i][1]);
	}
}

static void put_pair(struct text *out, const char *name, const char *value)
{
	/* behind a path and its "?", or alone */
	if (out->length > 0 && out->start[out->length - 1] != '?')
		text_put(out, "&");
	text_put(out, name);
	text_put(out, "=");
	text_put_url(out, value);
}

void form_put_query(const struct form *form, struct text *out)
{
	each_fact(form, out, put_pair);
	if (form->session[0] != '\0')
		put_pair(out, "session", form->session);
}

static void put_member(struct text *out, const char *name, const char *value)
{
	text_printf(out, "%s\"%s\":\"", out->length > 1 ? "," : "", name);
	text_put_json(out, value);
	text_put(out, "\"");
}

void form_put_facts(const struct form *form, struct text *out)
{
	text_put(out, "{");
	each_fact(form, out, put_member);
	/* in the words of the boot rules and the menu */
	put_member(out, "cpu", arch_cpu_name(form->arch.cpu));
	put_member(out, "firmware", arch_firmware_name(form->arch.firmware));
	if (form->role[0] != '\0') {
		put_member(out, "role", form->role);
		put_member(out, "operator", form->operator);
	}
	if (form->image[0] != '\0')
		put_member(out, "image", form->image);
	if (form->confirm[0] != '\0')
		put_member(out, "confirm", form->confirm);
	text_put(out, "}");
}
