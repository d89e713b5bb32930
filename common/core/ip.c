#include "core/ip.h"

#include <stdio.h>
#include <string.h>

#include "core/ip4.h"

#define GROUPS ((size_t)8)
#define NO_GAP (GROUPS + 1)

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct ip ip_from_v4(uint32_t address)
{
	struct ip ip = {{0}};

	if (address == 0)
		return ip;
	memcpy(ip.octet, mapped, sizeof(mapped));
	for (int i = 0; i < 4; i++)
		ip.octet[12 + i] = (uint8_t)(address >> (24 - 8 * i));
	return ip;
}

bool ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->octet, mapped, sizeof(mapped)) == 0;
}

uint32_t ip_v4(const struct ip *ip)
{
	uint32_t address = 0;

	if (!ip_is_v4(ip))
		return 0;
	for (int i = 0; i < 4; i++)
		address = address << 8 | ip->octet[12 + i];
	return address;
}

bool ip_is_none(const struct ip *ip)
{
	static const struct ip none;

	return ip_equal(ip, &none);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

bool ip_is_link_local(const struct ip *ip)
{
	return ip->octet[0] == 0xfe && (ip->octet[1] & 0xc0) == 0x80;
}

bool ip_is_multicast(const struct ip *ip)
{
	return ip->octet[0] == 0xff;
}

/* The groups of an address that were read, and where "::" stood. */
struct groups {
	uint16_t group[GROUPS];
	size_t count;
	size_t gap; /* or NO_GAP */
};

/* One to four hexadecimal digits, and past them. */
static enum err take_group(const char **at, uint16_t *ret_group)
{
	unsigned value = 0;
	int digits = 0;

	for (; digits < 5; digits++, (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			break;
	}
	if (digits == 0 || digits > 4)
		return ERR_FORMAT;
	*ret_group = (uint16_t)value;
	return ERR_OK;
}

/* "::" or ":" before the next group; "::" once only. */
static enum err take_colons(const char **at, struct groups *groups)
{
	if ((*at)[0] == ':' && (*at)[1] == ':') {
		if (groups->gap != NO_GAP)
			return ERR_FORMAT;
		groups->gap = groups->count;
		*at += 2;
		return ERR_OK;
	}
	if (groups->count == 0)
		return **at == ':' ? ERR_FORMAT : ERR_OK;
	return *(*at)++ == ':' ? ERR_OK : ERR_FORMAT;
}

/* The last two groups may stand in IPv4's form. */
static enum err take_dotted(const char *text, struct groups *groups)
{
	uint32_t address;
	enum err err = ip4_parse(text, &address);

	if (err != ERR_OK)
		return err;
	if (groups->count > GROUPS - 2)
		return ERR_FORMAT;
	groups->group[groups->count++] = (uint16_t)(address >> 16);
	groups->group[groups->count++] = (uint16_t)address;
	return ERR_OK;
}

static enum err take_groups(const char *text, struct groups *groups)
{
	while (*text) {
		const char *rest;
		enum err err = take_colons(&text, groups);

		if (err != ERR_OK)
			return err;
		if (*text == '\0') /* only "::" may be the end */
			return groups->gap == groups->count ? ERR_OK : ERR_FORMAT;
		rest = text + strspn(text, "0123456789");
		if (*rest == '.')
			return take_dotted(text, groups);
		if (groups->count == GROUPS ||
		    take_group(&text, &groups->group[groups->count]) != ERR_OK)
			return ERR_FORMAT;
		groups->count++;
	}
	return ERR_OK;
}

enum err ip_parse(const char *text, struct ip *ret_ip)
{
	struct groups groups = {.gap = NO_GAP};
	struct ip ip = {{0}};
	uint32_t address;

	if (!strchr(text, ':')) {
		enum err err = ip4_parse(text, &address);

		if (err == ERR_OK)
			*ret_ip = ip_from_v4(address);
		return err;
	}
	if (take_groups(text, &groups) != ERR_OK)
		return ERR_FORMAT;
	/* "::" stands for one group at least (RFC 5952 section 4.2.2, read generously) */
	if ((groups.gap == NO_GAP) != (groups.count == GROUPS))
		return ERR_FORMAT;
	for (size_t i = 0; i < groups.count; i++) {
		size_t at = i >= groups.gap ? GROUPS - groups.count + i : i;

		ip.octet[at * 2] = (uint8_t)(groups.group[i] >> 8);
		ip.octet[at * 2 + 1] = (uint8_t)groups.group[i];
	}
	*ret_ip = ip;
	return ERR_OK;
}

static unsigned group_at(const struct ip *ip, size_t number)
{
	return (unsigned)(ip->octet[number * 2] << 8 | ip->octet[number * 2 + 1]);
}

/* The longest run of two or more zero groups, the first of equals: where "::" goes. */
static void find_gap(const struct ip *ip, size_t *ret_first, size_t *ret_length)
{
	*ret_first = GROUPS;
	*ret_length = 1;
	for (size_t i = 0; i < GROUPS; i++) {
		size_t length = 0;

		while (i + length < GROUPS && group_at(ip, i + length) == 0)
			length++;
		if (length > *ret_length) {
			*ret_first = i;
			*ret_length = length;
		}
	}
}

void ip_format(const struct ip *ip, char text[IP_TEXT_SIZE])
{
	size_t first, length;
	size_t used = 0;

	if (ip_is_v4(ip)) {
		ip4_format(ip_v4(ip), text);
		return;
	}
	find_gap(ip, &first, &length);
	text[0] = '\0';
	for (size_t i = 0; i < GROUPS; i++) {
		if (i == first) {
			used += (size_t)snprintf(text + used, IP_TEXT_SIZE - used, "::");
			i += length - 1;
			continue;
		}
		used += (size_t)snprintf(text + used, IP_TEXT_SIZE - used, "%s%x",
					 used > 0 && text[used - 1] != ':' ? ":" : "",
					 group_at(ip, i));
	}
}
