#include "tftpd/resolve.h"

#include <string.h>
#include <strings.h>

#include "core/boot.h"
#include "core/ip4.h"
#include "core/ipxe.h"
#include "core/search.h"

#define URLS_MAX 16
#define URLS_SIZE 2048
#define BLANKS " \t\n"
#define IPXE_BLKSIZE 1432 /* what iPXE asks for on Ethernet, with tsize 0 and nothing else */

static struct resolved refuse(enum packet_code code, const char *reason)
{
	return (struct resolved){.kind = RESOLVE_REFUSED, .code = code, .reason = reason};
}

/* Below this the files of the roots lie once more, out of the loop breaker's reach. */
static const char raw_folder[] = "raw/";

static const char *last_segment(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_script(const char *path)
{
	return strcmp(path, "default.ipxe") == 0 || strcmp(path, "autoexec.ipxe") == 0;
}

struct resolved resolve_name(const char *name, size_t length)
{
	struct resolved resolved = {.kind = RESOLVE_FILE, .reason = ""};
	struct search search;

	switch (path_clean(name, length, &resolved.path)) {
	case ERR_OK:
		break;
	case ERR_REFUSED:
		return refuse(PACKET_ACCESS, "the name leads out of the served folders");
	case ERR_SPACE:
		return refuse(PACKET_NOT_FOUND, "the name is longer than any file's here");
	default:
		return refuse(PACKET_ILLEGAL, "the name is empty or holds control characters");
	}
	if (strncmp(last_segment(resolved.path.name), RESOLVE_UNFINISHED,
		    sizeof(RESOLVE_UNFINISHED) - 1) == 0)
		return refuse(PACKET_ACCESS, "names of unfinished uploads are nobody's");
	if (is_script(resolved.path.name))
		resolved.kind = RESOLVE_SCRIPT;
	resolved.is_raw = strncmp(resolved.path.name, raw_folder, sizeof(raw_folder) - 1) == 0;
	if (!resolved.is_raw && search_parse(resolved.path.name, &search))
		resolved.kind = RESOLVE_CONFIG;
	return resolved;
}

const char *resolve_file(const struct resolved *resolved)
{
	return resolved->path.name + (resolved->is_raw ? sizeof(raw_folder) - 1 : 0);
}

/* The site's subnets are IPv4's: NULL for who asks by IPv6. */
static const struct site_subnet *subnet_of(const struct resolve_client *client)
{
	return client->address ? site_subnet_of(client->site, client->address) : NULL;
}

/* As iPXE alone asks; EDK2 wants larger blocks and windows, GRUB smaller blocks. */
static bool is_ipxe(const struct packet_options *options)
{
	return options->option[PACKET_BLKSIZE].is_asked &&
	       options->option[PACKET_BLKSIZE].value == IPXE_BLKSIZE &&
	       options->option[PACKET_TSIZE].is_asked &&
	       options->option[PACKET_TSIZE].value == 0 &&
	       !options->option[PACKET_WINDOWSIZE].is_asked &&
	       !options->option[PACKET_TIMEOUT].is_asked;
}

bool resolve_is_loop(const struct resolve_client *client, const struct resolved *asked,
		     const struct packet_options *options, bool is_on)
{
	const struct site_subnet *subnet = subnet_of(client);

	if (asked->kind != RESOLVE_FILE || strchr(asked->path.name, '/'))
		return false;
	return (subnet ? subnet->loop_breaker : is_on) && is_ipxe(options) &&
	       site_is_first_stage(client->site, asked->path.name);
}

static bool ends_with(const char *text, const char *end)
{
	size_t text_length = strlen(text);
	size_t end_length = strlen(end);

	return text_length >= end_length &&
	       strcasecmp(text + text_length - end_length, end) == 0;
}

static bool is_boot_file(const struct site *site, const char *path)
{
	static const char *const ends[] = {".efi", ".kpxe", ".kkpxe", ".pxe", ".lkrn", ".0"};

	for (size_t i = 0; i < site->boot_file_count; i++) {
		if (strcmp(site->boot_files[i].file, path) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends_with(path, ends[i]))
			return true;
	}
	return false;
}

/* A loader's configuration, and the lists and modules it fetches beside it. */
static bool is_configuration(const char *path)
{
	static const char *const ends[] = {".ipxe", ".cfg", ".lst", ".mod", ".pf2", ".uimg"};

	if (strstr(path, "pxelinux.cfg/") || strncmp(last_segment(path), "grub.cfg", 8) == 0)
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends_with(path, ends[i]))
			return true;
	}
	return false;
}

const char *resolve_stage(const struct site *site, const char *path)
{
	static const char *const kernels[] = {"vmlinu", "bzimage", "linux", "kernel", "image"};
	const char *name = last_segment(path);

	if (is_configuration(path))
		return "script";
	if (strncasecmp(name, "init", 4) == 0 || strstr(name, "initr") ||
	    strstr(name, "rootfs"))
		return "initrd";
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		if (strncasecmp(name, kernels[i], strlen(kernels[i])) == 0 &&
		    !is_boot_file(site, path))
			return "kernel";
	}
	return "tftp_nbp";
}

struct resolve_verdict resolve_decide(const struct resolve_client *client)
{
	const struct host *host =
		client->mac ? site_host_by_mac(client->site, client->mac) : NULL;
	struct boot_facts facts = {
		.stage = BOOT_STAGE_SCRIPT,
		.loader = BOOT_LOADER_IPXE,
		.host_state = host ? host->state : HOST_UNKNOWN,
		.job = host && host->has_live_job ? BOOT_JOB_LIVE : BOOT_JOB_NONE,
		.arch = {ARCH_OTHER, FIRMWARE_OTHER}, /* a TFTP request does not say */
		.host = host ? host->name : "",
		.product = host ? host->product : "",
	};
	struct boot_verdict verdict;

	if (client->site->rule_count == 0)
		return (struct resolve_verdict){RESOLVE_ALLOW, ""};
	verdict = boot_decide(client->site->rules, client->site->rule_count, &facts);
	switch (verdict.answer) {
	case BOOT_NOTHING:
	case BOOT_REFUSE:
		return (struct resolve_verdict){RESOLVE_FORBID, verdict.reason};
	case BOOT_LOCAL:
		return (struct resolve_verdict){RESOLVE_LOCAL, verdict.reason};
	case BOOT_FIRST_STAGE:
	case BOOT_SCRIPT:
	case BOOT_RUN_JOB:
	case BOOT_MENU:
	case BOOT_PROFILE:
		break; /* the script asks menud, which decides by the same rules */
	}
	return (struct resolve_verdict){RESOLVE_ALLOW, verdict.reason};
}

static const char *urls_for(const struct resolve_client *client)
{
	const struct site_subnet *subnet = subnet_of(client);
	const char *urls = subnet ? subnet->menud_urls : "";

	if (urls[0] == '\0')
		urls = site_setting(client->site, "menud_urls", "");
	return urls[0] == '\0' ? client->menud_urls : urls;
}

bool resolve_is_of_site(const struct site *site, const char *path)
{
	if (strcmp(site_setting(site, "fos_kernel", ""), path) == 0 ||
	    strcmp(site_setting(site, "fos_initrd", ""), path) == 0)
		return true;
	for (size_t i = 0; i < site->profile_count; i++) {
		const struct site_profile *profile = &site->profiles[i];

		if (strcmp(profile->kernel, path) == 0 || strcmp(profile->initrd, path) == 0 ||
		    strcmp(profile->file, path) == 0)
			return true;
	}
	return false;
}

enum err resolve_menud_url(const struct resolve_client *client, const struct ip *next_server,
			   struct text *out)
{
	static const char setting[] = "${next-server}";
	const char *urls = urls_for(client) + strspn(urls_for(client), BLANKS);
	size_t length = strcspn(urls, BLANKS);
	char address[IP_TEXT_SIZE];

	ip_format(next_server, address);
	for (size_t i = 0; i < length;) {
		if (strncmp(urls + i, setting, sizeof(setting) - 1) == 0) {
			/* in a URL, IPv6's colons want brackets (RFC 3986 section 3.2.2) */
			text_printf(out, ip_is_v4(next_server) ? "%s" : "[%s]", address);
			i += sizeof(setting) - 1;
		} else if (urls[i] == '$') {
			return ERR_FORMAT;
		} else {
			text_put_bytes(out, &urls[i++], 1);
		}
	}
	if (length == 0)
		return ERR_RANGE;
	return out->failed ? ERR_SPACE : ERR_OK;
}

/* "x86_64-efi": the words of the boot rules. UEFI that boots by HTTP is the same machine. */
static void put_arch(struct text *out, const struct arch *arch)
{
	enum arch_firmware firmware =
		arch->firmware == FIRMWARE_HTTP ? FIRMWARE_EFI : arch->firmware;

	text_printf(out, "by-arch/%s-%s/", arch_cpu_name(arch->cpu),
		    arch_firmware_name(firmware));
}

/* Adds the path beneath a view's folder; 1 when all of it fits. */
static size_t end_view(struct text *out, const char *path)
{
	text_put(out, path);
	return !out->failed;
}

size_t resolve_views(const struct resolve_client *client, const char *path,
		     char ret_views[RESOLVE_VIEWS][PATH_SIZE])
{
	const struct site_subnet *subnet = subnet_of(client);
	struct text out = text_into(ret_views[0], PATH_SIZE);
	size_t count = 0;

	if (client->mac) {
		char mac[MAC_TEXT_SIZE];

		mac_format_dashes(client->mac, mac);
		text_printf(&out, "by-mac/%s/", mac);
		count += end_view(&out, path);
	}
	if (client->arch) {
		out = text_into(ret_views[count], PATH_SIZE);
		put_arch(&out, client->arch);
		count += end_view(&out, path);
	}
	if (subnet) {
		char address[IP4_TEXT_SIZE];

		out = text_into(ret_views[count], PATH_SIZE);
		ip4_format(subnet->net.address, address);
		text_printf(&out, "by-subnet/%s-%u/", address, subnet->net.prefix);
		count += end_view(&out, path);
	}
	return count;
}

/* Parts the list at its blanks, in place. */
static enum err split_urls(char *list, const char **urls, size_t *ret_count)
{
	size_t count = 0;
	char *at = list;

	for (;;) {
		at += strspn(at, BLANKS);
		if (*at == '\0')
			break;
		if (count == URLS_MAX)
			return ERR_SPACE;
		urls[count++] = at;
		at += strcspn(at, BLANKS);
		if (*at != '\0')
			*at++ = '\0';
	}
	*ret_count = count;
	return ERR_OK;
}

enum err resolve_render(const struct resolve_client *client,
			const struct resolve_verdict *verdict, struct text *out)
{
	const char *urls[URLS_MAX];
	char list[URLS_SIZE];
	struct text copy = text_into(list, sizeof(list));
	struct ipxe_first first = {.urls = urls};
	enum err err;

	if (verdict->answer == RESOLVE_LOCAL) {
		first.message = verdict->reason;
		return ipxe_render_first(&first, out);
	}
	text_put(&copy, urls_for(client));
	if (copy.failed)
		return ERR_SPACE;
	err = split_urls(list, urls, &first.url_count);
	return err == ERR_OK ? ipxe_render_first(&first, out) : err;
}
