#include "tftpd/fold.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Of the entries that fold to `name`, itself or the least; false when there is none. */
static bool choose_entry(DIR *folder, const char *name, char chosen[PATH_SIZE])
{
	bool is_found = false;

	for (int i = 0; i < FOLD_ENTRIES_MAX; i++) {
		const struct dirent *entry = readdir(folder);

		if (!entry)
			break;
		if (strcasecmp(entry->d_name, name) != 0 ||
		    (is_found && strcmp(entry->d_name, chosen) >= 0))
			continue;
		memcpy(chosen, entry->d_name, strlen(entry->d_name) + 1);
		is_found = true;
		if (strcmp(chosen, name) == 0)
			break;
	}
	return is_found;
}

/* Looks for `name` in the folder `place` ("" is the root itself). */
static bool find_entry(int root, const char *place, const char *name, char chosen[PATH_SIZE])
{
	int file = source_open_beneath(root, *place ? place : ".", O_RDONLY | O_DIRECTORY);
	DIR *folder;
	bool is_found;

	if (file < 0)
		return false;
	folder = fdopendir(file);
	if (!folder) {
		(void)close(file);
		return false;
	}
	is_found = choose_entry(folder, name, chosen);
	(void)closedir(folder);
	return is_found;
}

static bool find_in_root(int root, const char *path, char found[PATH_SIZE])
{
	size_t length = 0;

	found[0] = '\0';
	while (*path) {
		size_t segment = strcspn(path, "/");
		char name[PATH_SIZE];
		char chosen[PATH_SIZE];

		memcpy(name, path, segment);
		name[segment] = '\0';
		if (!find_entry(root, found, name, chosen))
			return false;
		if (length > 0)
			found[length++] = '/';
		memcpy(found + length, chosen, segment + 1); /* folding keeps the length */
		length += segment;
		path += segment + (path[segment] == '/');
	}
	return true;
}

enum err fold_find(const struct source_roots *roots, const char *path,
		   char ret_found[PATH_SIZE])
{
	for (size_t i = 0; i < roots->count; i++) {
		int root = open(roots->path[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		char found[PATH_SIZE];
		bool is_found;

		if (root < 0)
			continue;
		is_found = find_in_root(root, path, found);
		(void)close(root);
		if (is_found) {
			memcpy(ret_found, found, strlen(found) + 1);
			return ERR_OK;
		}
	}
	return ERR_ABSENT;
}
