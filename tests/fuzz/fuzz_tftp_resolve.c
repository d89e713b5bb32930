/*
 * Any name, asked by any client: what it stands for, where else it may lie, which views it has,
 * which machine it means. Whatever is asked, nothing that the shell would open leads out of a
 * root or to an upload under way.
 *
 * The first octet says who asks, the second how, the rest is the name.
 */
#include <stdlib.h>
#include <string.h>

#include "core/search.h"
#include "tftpd/repair.h"
#include "tftpd/resolve.h"

#define SCRIPT_SIZE 4096

/* Who asks, as bits. */
enum {
	IN_SUBNET = 1,
	HAS_MAC = 2,
	HAS_ARCH = 4,
	HAS_SITE = 8,
	BREAKS_LOOPS = 16,
	IS_LIKE_IPXE = 32,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Beneath a root, and nobody's unfinished upload. */
static void check_path(const char *path)
{
	const char *last = path;

	check(strnlen(path, PATH_SIZE) < PATH_SIZE && path[0] != '\0');
	for (const char *segment = path; segment; segment = strchr(segment, '/')) {
		segment += *segment == '/';
		last = segment;
		check(segment[0] != '\0' && segment[0] != '/');
		check(strcmp(segment, "..") != 0 && strncmp(segment, "../", 3) != 0);
		check(strcmp(segment, ".") != 0 && strncmp(segment, "./", 2) != 0);
	}
	check(strncmp(last, RESOLVE_UNFINISHED, strlen(RESOLVE_UNFINISHED)) != 0);
	for (; *path; path++)
		check((uint8_t)*path >= 0x20 && *path != 0x7f && *path != '\\');
}

static const struct site *site_for(uint8_t who)
{
	static struct site_boot_file files[] = {
		{.file = "ipxe.efi", .product = ""},
		{.file = "EFI/debian/shimx64.efi", .product = ""},
	};
	static struct site_subnet subnet = {
		.net = {0x0a4d0000, 24}, .menud_urls = "", .loop_breaker = true};
	static struct site_profile profile = {.name = "debian",
					      .kernel = "debian/linux",
					      .initrd = "debian/initrd",
					      .arguments = "",
					      .file = ""};
	static struct site full = {.boot_files = files,
				   .boot_file_count = 2,
				   .subnets = &subnet,
				   .subnet_count = 1,
				   .profiles = &profile,
				   .profile_count = 1};
	static struct site empty;

	return who & HAS_SITE ? &full : &empty;
}

static void check_repairs(const struct site *site, const struct resolved *resolved)
{
	struct repair_paths others;

	check(repair_of_path(&resolved->path) < 1U << REPAIRS);
	repair_folders(site, resolve_file(resolved), &others);
	check(others.count <= REPAIR_PATHS_MAX);
	for (size_t i = 0; i < others.count; i++) {
		check_path(others.path[i]);
		check(strcmp(others.path[i], resolve_file(resolved)) != 0);
		for (size_t j = 0; j < i; j++)
			check(strcmp(others.path[i], others.path[j]) != 0);
	}
}

static void check_views(const struct resolve_client *client, const char *path)
{
	char views[RESOLVE_VIEWS][PATH_SIZE];
	size_t count = resolve_views(client, path, views);

	check(count <= RESOLVE_VIEWS);
	for (size_t i = 0; i < count; i++) {
		size_t folder = strlen(views[i]) - strlen(path);

		check_path(views[i]);
		check(strncmp(views[i], "by-", 3) == 0 && views[i][folder - 1] == '/');
		check(strcmp(views[i] + folder, path) == 0);
	}
}

static void check_search(const struct resolved *resolved)
{
	struct search search;

	if (!search_parse(resolved->path.name, &search)) {
		check(resolved->kind != RESOLVE_CONFIG);
		return;
	}
	check(resolved->kind == RESOLVE_CONFIG || resolved->is_raw);
	check(search.loader == BOOT_LOADER_GRUB || search.loader == BOOT_LOADER_PXELINUX);
	if (search.last[0] != '\0')
		check_path(search.last);
}

/* The script that is made for this client, whole or not at all. */
static void check_script(const struct resolve_client *client)
{
	struct resolve_verdict verdict = resolve_decide(client);
	char buffer[SCRIPT_SIZE];
	struct text out = text_into(buffer, sizeof(buffer));

	if (resolve_render(client, &verdict, &out) == ERR_OK)
		check(strncmp(buffer, "#!ipxe\n", 7) == 0 && out.length < sizeof(buffer));
}

static void check_loop(const struct resolve_client *client, const struct resolved *resolved,
		       uint8_t who)
{
	struct packet_options options = {.left_out = 0};

	options.option[PACKET_BLKSIZE].is_asked = who & IS_LIKE_IPXE;
	options.option[PACKET_BLKSIZE].value = 1432;
	options.option[PACKET_TSIZE].is_asked = who & IS_LIKE_IPXE;
	if (!resolve_is_loop(client, resolved, &options, who & BREAKS_LOOPS))
		return;
	check(who & IS_LIKE_IPXE && !resolved->is_raw && !strchr(resolved->path.name, '/'));
	check(who & BREAKS_LOOPS || client->address != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mac mac = {{0x52, 0x54, 0, 0xab, 0xcd, 0xef}};
	uint8_t who = size > 0 ? data[0] : 0;
	struct arch arch = arch_from_client(size > 1 ? data[1] : 0);
	struct resolve_client client = {.site = site_for(who),
					.mac = who & HAS_MAC ? &mac : NULL,
					.arch = who & HAS_ARCH ? &arch : NULL,
					.address = who & IN_SUBNET ? 0x0a4d0064 : 0,
					.menud_urls = "http://${next-server}:8080"};
	struct resolved resolved;

	if (size < 2)
		return 0;
	resolved = resolve_name((const char *)data + 2, size - 2);
	if (resolved.kind == RESOLVE_REFUSED) {
		check(resolved.reason[0] != '\0' && resolved.code != PACKET_UNDEFINED);
		return 0;
	}
	check_path(resolve_file(&resolved));
	check_repairs(client.site, &resolved);
	check_views(&client, resolved.path.name);
	check_search(&resolved);
	check_loop(&client, &resolved, who);
	check(resolve_stage(client.site, resolved.path.name)[0] != '\0');
	(void)resolve_is_of_site(client.site, resolve_file(&resolved));
	if (resolved.kind == RESOLVE_SCRIPT)
		check_script(&client);
	return 0;
}
