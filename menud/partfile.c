#include "menud/partfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024)

static enum partfile_result failed(struct partfile *part)
{
	part->error = errno;
	return errno == ENOSPC || errno == EDQUOT ? PARTFILE_FULL : PARTFILE_FAILED;
}

/* "a/b/3.zst" -> "a/b/.3.zst.part" */
static void hidden_name(const char *path, char name[PATH_SIZE + 8])
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;

	(void)snprintf(name, PATH_SIZE + 8, "%.*s.%s.part", folder, path, path + folder);
}

static bool make_folders(int store, const char *path)
{
	char folder[PATH_SIZE];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (mkdirat(store, folder, 0755) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

/* The folder's own entries are on stable storage. */
static bool sync_folder(int store, const char *path)
{
	char folder[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	int opened;
	bool is_done;

	(void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1,
		       slash ? path : ".");
	opened = openat(store, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_done = opened >= 0 && fsync(opened) == 0;
	if (opened >= 0)
		(void)close(opened);
	return is_done;
}

/* Locked, but is it still the file of that name? Whoever had the lock before may have finished
 * the part, and published, meanwhile. */
static bool has_name(const struct partfile *part, const char *name)
{
	struct stat opened;
	struct stat named;

	return fstat(part->file, &opened) == 0 &&
	       fstatat(part->store, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static enum partfile_result open_hidden(struct partfile *part)
{
	char name[PATH_SIZE + 8];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	hidden_name(part->path, name);
	if (!make_folders(part->store, part->path))
		return failed(part);
	part->file = openat(part->store, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (part->file < 0)
		return failed(part);
	if (fcntl(part->file, F_OFD_SETLK, &lock) == 0)
		return has_name(part, name) ? PARTFILE_OK : PARTFILE_BUSY;
	if (errno == EAGAIN || errno == EACCES)
		return PARTFILE_BUSY;
	return failed(part);
}

/* What is in the file and not in the hash: all of it after a restart of menud. */
static enum partfile_result catch_up(struct partfile *part)
{
	static _Thread_local uint8_t octets[READ_SIZE];
	ssize_t got;

	if (part->hashed > part->size)
		part->hashed = 0;
	if (part->hashed == 0)
		sha256_init(&part->hash);
	while (part->hashed < part->size) {
		got = pread(part->file, octets, READ_SIZE, (off_t)part->hashed);
		if (got < 0 && errno != EINTR)
			return failed(part);
		if (got == 0) /* truncated under our hands */
			part->size = part->hashed;
		if (got <= 0)
			continue;
		sha256_update(&part->hash, (size_t)got, octets);
		part->hashed += (uint64_t)got;
	}
	return PARTFILE_OK;
}

enum partfile_result partfile_open(struct partfile *part)
{
	enum partfile_result result = PARTFILE_OK;
	struct stat facts;

	part->file = openat(part->store, part->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	part->is_whole = part->file >= 0;
	if (!part->is_whole)
		result = errno == ENOENT ? open_hidden(part) : failed(part);
	if (result == PARTFILE_OK && fstat(part->file, &facts) != 0)
		result = failed(part);
	if (result == PARTFILE_OK) {
		part->size = (uint64_t)facts.st_size;
		result = catch_up(part);
	}
	if (result != PARTFILE_OK)
		partfile_close(part);
	return result;
}

enum partfile_result partfile_append(struct partfile *part, const uint8_t *octets,
				     size_t length)
{
	while (length > 0) {
		ssize_t written = pwrite(part->file, octets, length, (off_t)part->size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return failed(part);
		sha256_update(&part->hash, (size_t)written, octets);
		part->size += (uint64_t)written;
		part->hashed = part->size;
		octets += written;
		length -= (size_t)written;
	}
	return PARTFILE_OK;
}

enum partfile_result partfile_sync(struct partfile *part)
{
	return fdatasync(part->file) == 0 ? PARTFILE_OK : failed(part);
}

enum partfile_result partfile_finish(struct partfile *part, const uint8_t *digest)
{
	struct sha256_ctx hash = part->hash;
	uint8_t found[SHA256_DIGEST_SIZE];
	char name[PATH_SIZE + 8];

	sha256_digest(&hash, sizeof(found), found);
	hidden_name(part->path, name);
	if (memcmp(found, digest, sizeof(found)) != 0) {
		/* a part that was whole before stays: it may be published already */
		if (!part->is_whole)
			(void)unlinkat(part->store, name, 0);
		part->hashed = 0;
		return PARTFILE_DIFFERENT;
	}
	if (part->is_whole)
		return PARTFILE_OK;
	if (fsync(part->file) != 0 ||
	    renameat(part->store, name, part->store, part->path) != 0 ||
	    !sync_folder(part->store, part->path))
		return failed(part);
	part->is_whole = true;
	return PARTFILE_OK;
}

void partfile_close(struct partfile *part)
{
	if (part->file >= 0)
		(void)close(part->file); /* and with it the lock */
	part->file = -1;
}

/* The files in a folder, hidden ones too; deeper folders are not ours and stay. */
static bool empty_folder(int store, const char *path)
{
	int opened = openat(store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = opened >= 0 ? fdopendir(opened) : NULL;
	const struct dirent *entry;
	bool is_done = true;

	if (!folder) {
		if (opened >= 0)
			(void)close(opened);
		return false;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		is_done = unlinkat(dirfd(folder), entry->d_name, 0) == 0 && is_done;
	}
	(void)closedir(folder);
	return is_done;
}

enum err partfile_remove(int store, const char *path)
{
	char folder[PATH_SIZE];
	char *slash;
	bool is_folder;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	is_folder = unlinkat(store, path, 0) != 0 && errno == EISDIR;
	if (!is_folder && errno != ENOENT &&
	    faccessat(store, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_SYSTEM;
	if (is_folder &&
	    (!empty_folder(store, path) || unlinkat(store, path, AT_REMOVEDIR) != 0))
		return ERR_SYSTEM;
	/* images/room/7, then images/room: whoever stores there anew makes them again */
	while ((slash = strrchr(folder, '/')) != NULL && strchr(folder, '/') != slash) {
		*slash = '\0';
		if (unlinkat(store, folder, AT_REMOVEDIR) != 0)
			break;
	}
	return ERR_OK;
}
