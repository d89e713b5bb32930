#include "core/site.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t site_index_size(const struct site *site)
{
	size_t keys = 0;
	size_t size = 16;

	for (size_t i = 0; i < site->host_count; i++)
		keys += site->hosts[i].mac_count + 1;
	while (size < keys * 2)
		size *= 2;
	return size;
}

/* FNV-1a: the keys come from operators, and a table is at most half full. */
static size_t hash_octets(const uint8_t *octets, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ octets[i]) * 0x100000001b3U;
	return (size_t)(hash ^ hash >> 32);
}

static bool host_has_mac(const struct host *host, const struct mac *mac)
{
	for (size_t i = 0; i < host->mac_count; i++) {
		if (mac_equal(&host->macs[i], mac))
			return true;
	}
	return false;
}

static bool host_has_uuid(const struct host *host, const struct uuid *uuid)
{
	return host->has_uuid && uuid_equal(&host->uuid, uuid);
}

/* The slot of the host with this MAC, or the free slot where it belongs. */
static size_t mac_slot(const struct site *site, const struct mac *mac)
{
	size_t slot = hash_octets(mac->octet, sizeof(mac->octet)) & (site->index_size - 1);

	while (site->mac_index[slot] &&
	       !host_has_mac(&site->hosts[site->mac_index[slot] - 1], mac))
		slot = (slot + 1) & (site->index_size - 1);
	return slot;
}

static size_t uuid_slot(const struct site *site, const struct uuid *uuid)
{
	size_t slot = hash_octets(uuid->octet, sizeof(uuid->octet)) & (site->index_size - 1);

	while (site->uuid_index[slot] &&
	       !host_has_uuid(&site->hosts[site->uuid_index[slot] - 1], uuid))
		slot = (slot + 1) & (site->index_size - 1);
	return slot;
}

static int compare_reservations(const void *a, const void *b)
{
	const struct site_reservation *left = a;
	const struct site_reservation *right = b;

	return memcmp(left->mac.octet, right->mac.octet, sizeof(left->mac.octet));
}

static int compare_addresses(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int compare_settings(const void *a, const void *b)
{
	const struct site_setting *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int compare_owners(const struct site_option *left, const struct site_option *right)
{
	if (left->scope != right->scope)
		return left->scope < right->scope ? -1 : 1;
	return (left->owner > right->owner) - (left->owner < right->owner);
}

/* Of two classes that fit, the longer name is the more special one, and comes later. */
static int compare_options(const void *a, const void *b)
{
	const struct site_option *left = a, *right = b;
	size_t left_length = strlen(left->class), right_length = strlen(right->class);
	int order = compare_owners(left, right);

	if (order == 0)
		order = (left_length > right_length) - (left_length < right_length);
	if (order == 0)
		order = strcmp(left->class, right->class);
	return order != 0 ? order : left->code - right->code;
}

static void sort(void *array, size_t count, size_t size,
		 int (*compare)(const void *, const void *))
{
	if (count > 0)
		qsort(array, count, size, compare);
}

static void sort_arrays(struct site *site)
{
	for (size_t i = 0; i < site->reservation_count; i++)
		site->reserved[i] = site->reservations[i].address;
	sort(site->reserved, site->reservation_count, sizeof(site->reserved[0]),
	     compare_addresses);
	sort(site->reservations, site->reservation_count, sizeof(site->reservations[0]),
	     compare_reservations);
	sort(site->options, site->option_count, sizeof(site->options[0]), compare_options);
	sort(site->settings, site->setting_count, sizeof(site->settings[0]), compare_settings);
}

enum err site_index(struct site *site, size_t *ret_bad)
{
	for (size_t i = 0; i < site->host_count; i++) {
		const struct host *host = &site->hosts[i];

		for (size_t j = 0; j < host->mac_count; j++) {
			size_t slot = mac_slot(site, &host->macs[j]);

			if (site->mac_index[slot] && site->mac_index[slot] != i + 1) {
				*ret_bad = i;
				return ERR_RANGE;
			}
			site->mac_index[slot] = (uint32_t)i + 1;
		}
		/* two hosts with one UUID are a fact of the field: the first keeps it */
		if (host->has_uuid && !uuid_is_placeholder(&host->uuid)) {
			size_t slot = uuid_slot(site, &host->uuid);

			if (!site->uuid_index[slot])
				site->uuid_index[slot] = (uint32_t)i + 1;
		}
	}
	sort_arrays(site);
	return ERR_OK;
}

const struct site_option *site_options_of(const struct site *site, enum site_option_scope scope,
					  int64_t owner, size_t *ret_count)
{
	const struct site_option key = {.scope = scope, .owner = owner};
	size_t first = 0, end = site->option_count, count = 0;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (compare_owners(&site->options[middle], &key) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (first + count < site->option_count &&
	       compare_owners(&site->options[first + count], &key) == 0)
		count++;
	*ret_count = count;
	return count > 0 ? &site->options[first] : NULL;
}

const struct host *site_host_by_mac(const struct site *site, const struct mac *mac)
{
	uint32_t found = site->index_size ? site->mac_index[mac_slot(site, mac)] : 0;

	return found ? &site->hosts[found - 1] : NULL;
}

const struct host *site_host_by_uuid(const struct site *site, const struct uuid *uuid)
{
	uint32_t found = 0;

	if (site->index_size && !uuid_is_placeholder(uuid))
		found = site->uuid_index[uuid_slot(site, uuid)];
	return found ? &site->hosts[found - 1] : NULL;
}

const struct host *site_host_of(const struct site *site, const struct mac *macs, size_t count,
				const struct uuid *uuid)
{
	const struct host *host = NULL;

	for (size_t i = 0; i < count && !host; i++)
		host = site_host_by_mac(site, &macs[i]);
	if (!host && uuid)
		host = site_host_by_uuid(site, uuid);
	return host;
}

const struct site_subnet *site_subnet_of(const struct site *site, uint32_t address)
{
	for (size_t i = 0; i < site->subnet_count; i++) {
		if (ip4_net_holds(&site->subnets[i].net, address))
			return &site->subnets[i];
	}
	return NULL;
}

const struct site_subnet *site_subnet_beside(const struct site *site,
					     const struct site_subnet *at)
{
	size_t position = (size_t)(at - site->subnets);

	if (!at->shared_network || !*at->shared_network)
		return at;
	for (size_t i = 1; i < site->subnet_count; i++) {
		const struct site_subnet *next =
			&site->subnets[(position + i) % site->subnet_count];

		if (next->shared_network &&
		    strcmp(next->shared_network, at->shared_network) == 0)
			return next;
	}
	return at;
}

const struct site_subnet *site_subnet_by_id(const struct site *site, int64_t id)
{
	for (size_t i = 0; i < site->subnet_count; i++) {
		if (site->subnets[i].id == id)
			return &site->subnets[i];
	}
	return NULL;
}

const struct site_reservation *site_reservation_of(const struct site *site,
						   const struct mac *mac)
{
	struct site_reservation key = {.mac = *mac};

	if (site->reservation_count == 0)
		return NULL;
	return bsearch(&key, site->reservations, site->reservation_count,
		       sizeof(site->reservations[0]), compare_reservations);
}

bool site_is_reserved(const struct site *site, uint32_t address)
{
	return site->reservation_count > 0 &&
	       bsearch(&address, site->reserved, site->reservation_count,
		       sizeof(site->reserved[0]), compare_addresses);
}

const struct site_boot_file *site_boot_file_for(const struct site *site, uint16_t arch,
						bool http, const char *product)
{
	const struct site_boot_file *any = NULL;

	for (size_t i = 0; i < site->boot_file_count; i++) {
		const struct site_boot_file *file = &site->boot_files[i];

		if (file->arch != arch || file->http != http)
			continue;
		if (file->product[0] == '\0')
			any = file;
		else if (strcasecmp(file->product, product) == 0)
			return file;
	}
	return any;
}

const struct site_profile *site_profile_named(const struct site *site, const char *name)
{
	for (size_t i = 0; i < site->profile_count; i++) {
		if (strcmp(site->profiles[i].name, name) == 0)
			return &site->profiles[i];
	}
	return NULL;
}

const struct site_menu_item *site_menu_item_keyed(const struct site *site, const char *key)
{
	for (size_t i = 0; i < site->menu_count; i++) {
		if (strcmp(site->menu[i].key, key) == 0)
			return &site->menu[i];
	}
	return NULL;
}

const char *site_setting(const struct site *site, const char *name, const char *fallback)
{
	const struct site_setting key = {.name = name};
	const struct site_setting *found =
		site->setting_count > 0 ? bsearch(&key, site->settings, site->setting_count,
						  sizeof(site->settings[0]), compare_settings)
					: NULL;

	return found ? found->value : fallback;
}

long site_setting_number(const struct site *site, const char *name, long fallback)
{
	const char *text = site_setting(site, name, "");
	char *end;
	long value = strtol(text, &end, 10);

	return *text != '\0' && *end == '\0' ? value : fallback;
}

bool site_setting_truth(const struct site *site, const char *name, bool fallback)
{
	const char *text = site_setting(site, name, "");

	if (strcmp(text, "true") == 0 || strcmp(text, "on") == 0 || strcmp(text, "yes") == 0)
		return true;
	if (strcmp(text, "false") == 0 || strcmp(text, "off") == 0 || strcmp(text, "no") == 0)
		return false;
	return fallback;
}

bool site_is_first_stage(const struct site *site, const char *path)
{
	static const char *const usual[] = {
		"undionly.kpxe",  "undionly.kkpxe", "ipxe.pxe",	       "ipxe.efi",
		"snponly.efi",	  "snp.efi",	    "ipxe-x86_64.efi", "ipxe-i386.efi",
		"ipxe-arm64.efi", "ipxe32.efi",
	};

	for (size_t i = 0; i < site->boot_file_count; i++) {
		if (strcasecmp(site->boot_files[i].file, path) == 0)
			return true;
	}
	for (size_t i = 0; site->boot_file_count == 0 && i < sizeof(usual) / sizeof(usual[0]);
	     i++) {
		if (strcasecmp(usual[i], path) == 0)
			return true;
	}
	return false;
}
