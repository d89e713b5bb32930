#include "tftpd/repair.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *const names[REPAIRS] = {
	[REPAIR_SLASH] = "slash",	[REPAIR_BACKSLASH] = "backslash",
	[REPAIR_TRAILING] = "trailing", [REPAIR_CASE] = "case",
	[REPAIR_FOLDER] = "folder",
};

const char *repair_name(enum repair repair)
{
	return names[repair];
}

static bool find_name(const char *word, size_t length, unsigned *ret_set)
{
	for (unsigned i = 0; i < REPAIRS; i++) {
		if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) {
			*ret_set |= 1U << i;
			return true;
		}
	}
	return false;
}

enum err repair_parse(const char *words, unsigned *ret_set)
{
	static const char blanks[] = " \t\n";
	unsigned set = 0;

	for (words += strspn(words, blanks); *words; words += strspn(words, blanks)) {
		size_t length = strcspn(words, blanks);

		if (!find_name(words, length, &set))
			return ERR_FORMAT;
		words += length;
	}
	*ret_set = set;
	return ERR_OK;
}

unsigned repair_of_path(const struct path *path)
{
	unsigned set = 0;

	if (path->mended & PATH_SLASH)
		set |= 1U << REPAIR_SLASH;
	if (path->mended & PATH_BACKSLASH)
		set |= 1U << REPAIR_BACKSLASH;
	if (path->mended & PATH_TRAILING)
		set |= 1U << REPAIR_TRAILING;
	return set;
}

void repair_put(struct text *out, unsigned set)
{
	const char *between = "";

	for (unsigned i = 0; i < REPAIRS; i++) {
		if (!(set >> i & 1))
			continue;
		text_put(out, between);
		text_put(out, names[i]);
		between = ", ";
	}
}

/* What shim looks for beside itself, wherever it believes to be. */
static bool is_second_stage(const char *name)
{
	static const char *const begins[] = {"grubx64", "grubaa64",    "grubia32",
					     "mmx64",	"mmaa64",      "mmia32",
					     "fbx64",	"revocations", "shim_certificate"};
	size_t length = strlen(name);

	if (length < 4 || strcasecmp(name + length - 4, ".efi") != 0)
		return false;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		if (strncasecmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	}
	return false;
}

/* Folder (its first `length` octets) and name as one more proposal, unless it is known. */
static void propose(struct repair_paths *paths, const char *asked, const char *folder,
		    size_t length, const char *name)
{
	char candidate[PATH_SIZE];

	if (paths->count == REPAIR_PATHS_MAX || length + strlen(name) >= sizeof(candidate))
		return;
	memcpy(candidate, folder, length);
	memcpy(candidate + length, name, strlen(name) + 1);
	if (strcmp(candidate, asked) == 0)
		return;
	for (size_t i = 0; i < paths->count; i++) {
		if (strcmp(candidate, paths->path[i]) == 0)
			return;
	}
	memcpy(paths->path[paths->count++], candidate, length + strlen(name) + 1);
}

/* The path without its first folder, without its first two, ... */
static void propose_nearer(struct repair_paths *paths, const char *asked)
{
	for (const char *slash = strchr(asked, '/'); slash; slash = strchr(slash + 1, '/'))
		propose(paths, asked, "", 0, slash + 1);
}

static void propose_beside_first_stages(struct repair_paths *paths, const struct site *site,
					const char *asked, const char *name)
{
	static const char *const usual[] = {"EFI/BOOT/", "grub/", "boot/grub/"};

	for (size_t i = 0; i < site->boot_file_count; i++) {
		const char *file = site->boot_files[i].file;
		const char *slash = strrchr(file, '/');

		if (slash)
			propose(paths, asked, file, (size_t)(slash + 1 - file), name);
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		propose(paths, asked, usual[i], strlen(usual[i]), name);
}

/* "grub/..." within a path: GRUB's own tree, whose place is built into its binary. */
static const char *grub_tree(const char *path)
{
	const char *found = strncmp(path, "grub/", 5) == 0 ? path : NULL;

	for (const char *at = strstr(path, "/grub/"); at; at = strstr(at + 1, "/grub/"))
		found = at + 1;
	return found;
}

void repair_folders(const struct site *site, const char *path, struct repair_paths *ret_paths)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *tree = grub_tree(path);

	ret_paths->count = 0;
	if (is_second_stage(name)) {
		propose_nearer(ret_paths, path);
		propose_beside_first_stages(ret_paths, site, path, name);
	} else if (tree) {
		propose(ret_paths, path, "", 0, tree);
		propose(ret_paths, path, "boot/", 5, tree);
	}
}
