#include "tftpd/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/beneath.h"
#include "io/log.h"

#define AHEAD_FROM 65536 /* octets; less comes with the first read */

enum err source_roots_parse(const char *list, struct source_roots *ret_roots)
{
	struct source_roots roots = {.list = strdup(list)};
	char *rest = roots.list;
	enum err err = ERR_OK;

	if (!rest)
		return ERR_MEMORY;
	for (char *path; (path = strtok_r(rest, " \t\n", &rest));) {
		if (roots.count == SOURCE_ROOTS_MAX) {
			err = ERR_SPACE;
			break;
		}
		roots.path[roots.count++] = path;
	}
	if (roots.count == 0)
		err = ERR_ABSENT;
	if (err == ERR_OK)
		*ret_roots = roots;
	else
		source_roots_free(&roots);
	return err;
}

void source_roots_check(const struct source_roots *roots)
{
	beneath_check();
	for (size_t i = 0; i < roots->count; i++) {
		int root = open(roots->path[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0 || faccessat(root, ".", X_OK, AT_EACCESS) < 0)
			log_warning("root_unusable", "root=%s reason=%s effect=%s remedy=%s",
				    log_text(roots->path[i]), log_text(strerror(errno)),
				    log_text("nothing of it is served for now"),
				    log_text("make the folder, let tftpd's user enter it, or "
					     "leave it out of 'root'"));
		if (root >= 0)
			(void)close(root);
	}
}

void source_roots_free(struct source_roots *roots)
{
	free(roots->list);
	*roots = (struct source_roots){0};
}

static enum err judge_errno(const char **ret_reason)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return ERR_ABSENT;
	case EXDEV:
		*ret_reason = "a link leads out of the served folder";
		return ERR_REFUSED;
	case ELOOP:
		*ret_reason = "its links go in circles, or are not to be followed";
		return ERR_REFUSED;
	case EACCES:
	case EPERM:
		*ret_reason = "the server may not read it: see its owner and mode";
		return ERR_REFUSED;
	default:
		return ERR_SYSTEM;
	}
}

/* Looks before it opens: opening a device or a FIFO can do things by itself. */
static enum err check_regular(int root, const char *path, const char **ret_reason)
{
	int place = beneath_open(root, path, O_PATH);
	struct stat status;
	int result;

	if (place < 0)
		return judge_errno(ret_reason);
	result = fstat(place, &status);
	(void)close(place);
	if (result < 0)
		return ERR_SYSTEM;
	if (S_ISREG(status.st_mode))
		return ERR_OK;
	*ret_reason = S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file";
	return ERR_REFUSED;
}

static enum err open_in_root(int root, const char *path, struct source *ret_source,
			     const char **ret_reason)
{
	enum err err = check_regular(root, path, ret_reason);
	struct stat status;
	int file;

	if (err != ERR_OK)
		return err;
	file = beneath_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		return judge_errno(ret_reason);
	if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode)) {
		(void)close(file);
		*ret_reason = "it is not a regular file";
		return ERR_REFUSED;
	}
	if (status.st_size > AHEAD_FROM)
		(void)posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);
	*ret_source = (struct source){.file = file, .size = (uint64_t)status.st_size};
	return ERR_OK;
}

enum err source_open(const struct source_roots *roots, const char *path,
		     struct source *ret_source, const char **ret_reason)
{
	for (size_t i = 0; i < roots->count; i++) {
		int root = open(roots->path[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		enum err err;

		if (root < 0 && errno != ENOENT)
			return ERR_SYSTEM;
		if (root < 0)
			continue; /* told at start; it may come yet */
		err = open_in_root(root, path, ret_source, ret_reason);
		(void)close(root);
		if (err != ERR_ABSENT)
			return err;
	}
	return ERR_ABSENT;
}

enum err source_from_text(const char *text, size_t length, struct source *ret_source)
{
	char *copy = malloc(length + 1);

	if (!copy)
		return ERR_MEMORY;
	memcpy(copy, text, length);
	*ret_source = (struct source){.file = -1, .text = copy, .size = length};
	return ERR_OK;
}

enum err source_read(const struct source *source, uint64_t offset, void *buffer, size_t length)
{
	char *at = buffer;

	if (source->text) {
		memcpy(buffer, source->text + offset, length);
		return ERR_OK;
	}
	while (length > 0) {
		ssize_t got = pread(source->file, at, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? ERR_SYSTEM : ERR_SHORT;
		at += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return ERR_OK;
}

/* A filesystem that has no disk is never waited for. */
static bool is_in_memory(int file)
{
	struct statfs status;

	return fstatfs(file, &status) == 0 &&
	       (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

/*
 * Some filesystems (NFS, FUSE, overlays) cannot say whether they would have to wait: their
 * files count as not in memory until they were read ahead.
 */
static ssize_t read_cached(int file, void *buffer, size_t length, uint64_t offset)
{
	const struct iovec whole = {buffer, length};
	ssize_t got;

	do {
		got = preadv2(file, &whole, 1, (off_t)offset, RWF_NOWAIT);
	} while (got < 0 && errno == EINTR);
	if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
		return got;
	if (is_in_memory(file))
		return pread(file, buffer, length, (off_t)offset);
	errno = EAGAIN;
	return -1;
}

enum err source_read_at_once(const struct source *source, uint64_t offset, void *buffer,
			     size_t length)
{
	ssize_t got;

	if (source->text)
		return source_read(source, offset, buffer, length);
	got = read_cached(source->file, buffer, length, offset);
	if (got < 0 && errno != EAGAIN)
		return ERR_SYSTEM;
	/* only a part of it, or nothing, lies in memory; or the file has become shorter */
	return got == (ssize_t)length ? ERR_OK : ERR_AWAY;
}

static size_t expand_line_ends(const char *in, size_t length, char *out)
{
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		if (in[i] == '\n')
			out[written++] = '\r';
		out[written++] = in[i];
		if (in[i] == '\r')
			out[written++] = '\0';
	}
	return written;
}

enum err source_to_netascii(struct source *source, bool may_wait)
{
	size_t size = (size_t)source->size;
	struct source text = {.file = -1};
	char *plain;
	enum err err;

	if (source->size > SOURCE_NETASCII_MAX)
		return ERR_SPACE;
	plain = malloc(size + 1);
	text.text = malloc(size * 2 + 1);
	if (!plain || !text.text)
		err = ERR_MEMORY;
	else if (may_wait || size == 0)
		err = source_read(source, 0, plain, size);
	else
		err = source_read_at_once(source, 0, plain, size);
	if (err == ERR_OK) {
		text.size = expand_line_ends(plain, size, text.text);
		source_close(source);
		*source = text;
	} else {
		free(text.text);
	}
	free(plain);
	return err;
}

void source_close(struct source *source)
{
	if (source->file >= 0)
		(void)close(source->file);
	free(source->text);
	*source = (struct source){.file = -1};
}
