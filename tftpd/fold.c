#include "tftpd/fold.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "io/beneath.h"

#define SETTLED_SECONDS                                                                        \
	1 /* file systems stamp changes by a clock that is coarser than they are */

/* What a folder held when its status was so. */
struct fold_folder {
	char *path;
	struct stat status;
	char **names; /* without regard to case, then in order of bytes */
	size_t count;
	size_t bytes;
	struct fold_folder *prev, *next;
};

static void free_folder(struct fold_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free(folder->names[i]);
	free(folder->names);
	free(folder->path);
	free(folder);
}

static void forget(struct folds *folds, struct fold_folder *folder)
{
	DL_DELETE(folds->folders, folder);
	folds->bytes -= folder->bytes;
	free_folder(folder);
}

void folds_free(struct folds *folds)
{
	while (folds->folders)
		forget(folds, folds->folders);
}

/* Adding, removing or renaming an entry changes a folder's ctime. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool is_settled(const struct stat *status)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > status->st_ctim.tv_sec + SETTLED_SECONDS;
}

static int compare(const void *a, const void *b)
{
	const char *const *first = a;
	const char *const *second = b;
	int order = strcasecmp(*first, *second);

	return order != 0 ? order : strcmp(*first, *second);
}

/* Most folders are small, and many are remembered. */
static void give_back_room(struct fold_folder *folder)
{
	size_t needed = folder->count > 0 ? folder->count * sizeof(*folder->names) : 1;
	char **names = realloc(folder->names, needed);

	if (names)
		folder->names = names;
}

/* False: no memory. */
static bool read_entries(DIR *stream, struct fold_folder *folder)
{
	const struct dirent *entry;

	folder->names = calloc(FOLD_ENTRIES_MAX, sizeof(*folder->names));
	if (!folder->names)
		return false;
	while (folder->count < FOLD_ENTRIES_MAX && (entry = readdir(stream))) {
		char *name = strdup(entry->d_name);

		if (!name)
			return false;
		folder->names[folder->count++] = name;
		folder->bytes += sizeof(name) + strlen(name) + 1;
	}
	give_back_room(folder);
	qsort(folder->names, folder->count, sizeof(*folder->names), compare);
	return true;
}

/* As it is now. NULL: it is none, or there is no memory. Closes `file`. */
static struct fold_folder *read_folder(int file, const char *path)
{
	struct fold_folder *folder = calloc(1, sizeof(*folder));
	DIR *stream = fdopendir(file);
	bool is_read = false;

	if (folder && stream) {
		folder->path = strdup(path);
		folder->bytes = sizeof(*folder) + strlen(path);
		is_read = folder->path && fstat(file, &folder->status) == 0 &&
			  read_entries(stream, folder);
	}
	if (stream)
		(void)closedir(stream);
	else
		(void)close(file);
	if (is_read || !folder)
		return folder;
	free_folder(folder);
	return NULL;
}

static struct fold_folder *recall(struct folds *folds, const char *path)
{
	struct fold_folder *folder;
	struct stat status;

	DL_FOREACH(folds->folders, folder)
	{
		if (strcmp(folder->path, path) == 0)
			break;
	}
	if (!folder)
		return NULL;
	if (stat(path, &status) < 0 || !is_same(&status, &folder->status)) {
		forget(folds, folder);
		return NULL;
	}
	DL_DELETE(folds->folders, folder);
	DL_PREPEND(folds->folders, folder);
	return folder;
}

static void remember(struct folds *folds, struct fold_folder *folder)
{
	DL_PREPEND(folds->folders, folder);
	folds->bytes += folder->bytes;
	while (folds->bytes > FOLD_BYTES_MAX && folds->folders->next)
		forget(folds, folds->folders->prev); /* the head's prev is the last one */
}

/* Of the entries that fold to `name`, itself or the least; NULL when there is none. */
static const char *choose_entry(const struct fold_folder *folder, const char *name)
{
	size_t low = 0, high = folder->count;
	const char *least;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(folder->names[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	least = low < folder->count ? folder->names[low] : NULL;
	if (!least || strcasecmp(least, name) != 0)
		return NULL;
	for (; low < folder->count && strcasecmp(folder->names[low], name) == 0; low++) {
		if (strcmp(folder->names[low], name) == 0)
			return folder->names[low];
	}
	return least;
}

/* Opens the folder `place` ("" is the root itself) beneath the root; -1. */
static int open_place(const char *root, const char *place)
{
	int root_file = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int file;

	if (root_file < 0)
		return -1;
	file = beneath_open(root_file, *place ? place : ".", O_RDONLY | O_DIRECTORY);
	(void)close(root_file);
	return file;
}

/* Looks for `name` in the folder `place` of a root. */
static bool find_entry(struct folds *folds, const char *root, const char *place,
		       const char *name, char chosen[PATH_SIZE])
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/%s", root, place);
	struct fold_folder *folder;
	const char *entry;

	if (length < 0 || (size_t)length >= sizeof(path))
		return false;
	folder = recall(folds, path);
	if (!folder) {
		int file = open_place(root, place);

		folder = file < 0 ? NULL : read_folder(file, path);
		if (!folder)
			return false;
		/* the newest is never forgotten for want of room: it is of use below */
		remember(folds, folder);
	}
	entry = choose_entry(folder, name);
	if (entry)
		memcpy(chosen, entry, strlen(entry) + 1); /* as long as `name`, which fits */
	if (!is_settled(&folder->status))
		forget(folds, folder);
	return entry != NULL;
}

static bool find_in_root(struct folds *folds, const char *root, const char *path,
			 char found[PATH_SIZE])
{
	size_t length = 0;

	found[0] = '\0';
	while (*path) {
		size_t segment = strcspn(path, "/");
		char name[PATH_SIZE];
		char chosen[PATH_SIZE];

		memcpy(name, path, segment);
		name[segment] = '\0';
		if (!find_entry(folds, root, found, name, chosen))
			return false;
		if (length > 0)
			found[length++] = '/';
		memcpy(found + length, chosen, segment + 1); /* folding keeps the length */
		length += segment;
		path += segment + (path[segment] == '/');
	}
	return true;
}

enum err fold_find(struct folds *folds, const struct source_roots *roots, const char *path,
		   char ret_found[PATH_SIZE])
{
	for (size_t i = 0; i < roots->count; i++) {
		char found[PATH_SIZE];

		if (find_in_root(folds, roots->path[i], path, found)) {
			memcpy(ret_found, found, strlen(found) + 1);
			return ERR_OK;
		}
	}
	return ERR_ABSENT;
}
