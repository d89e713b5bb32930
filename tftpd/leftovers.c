#include "tftpd/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/path.h"
#include "io/log.h"
#include "tftpd/resolve.h"

#define DIGITS 16    /* behind RESOLVE_UNFINISHED, see upload.c */
#define DEPTH_MAX 32 /* of folders; each has a descriptor open meanwhile */

struct leftovers {
	const char *root;
	unsigned removed;
	int error;	      /* the first one, an errno, or 0 */
	char path[PATH_SIZE]; /* the first that was removed, or could not be: its name */
};

void leftovers_claim(int file)
{
	(void)flock(file, LOCK_EX | LOCK_NB);
}

static bool is_unfinished(const char *name)
{
	const size_t begin = sizeof(RESOLVE_UNFINISHED) - 1;

	return strncmp(name, RESOLVE_UNFINISHED, begin) == 0 &&
	       strlen(name) == begin + DIGITS &&
	       strspn(name + begin, "0123456789abcdef") == DIGITS;
}

static void note(struct leftovers *found, const char *name, int error)
{
	if (found->removed == 0 && found->error == 0)
		memcpy(found->path, name, strlen(name) + 1); /* is_unfinished(): it fits */
	if (error == 0)
		found->removed++;
	else if (found->error == 0)
		found->error = error;
}

static void remove_dead(struct leftovers *found, int folder, const char *name)
{
	int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = 0;

	if (file < 0) {
		if (errno != ENOENT) /* it has taken its place by now */
			note(found, name, errno);
		return;
	}
	if (flock(file, LOCK_EX | LOCK_NB) == 0) {
		if (unlinkat(folder, name, 0) < 0)
			error = errno;
		if (error != ENOENT)
			note(found, name, error);
	}
	(void)close(file);
}

/* Takes the descriptor. Links are not followed, and so no folder is met twice. */
static void search(struct leftovers *found, int folder, unsigned depth)
{
	DIR *stream = fdopendir(folder);
	const struct dirent *entry;

	if (!stream) {
		(void)close(folder);
		return;
	}
	while ((entry = readdir(stream))) {
		int inner;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (is_unfinished(entry->d_name))
			remove_dead(found, folder, entry->d_name);
		if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
		    depth == DEPTH_MAX)
			continue;
		inner = openat(folder, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			search(found, inner, depth + 1);
	}
	(void)closedir(stream);
}

/* In another thread. */
static void collect(void *data)
{
	struct leftovers *found = data;
	int root = open(found->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root >= 0)
		search(found, root, 0);
}

static void on_collected(void *data)
{
	struct leftovers *found = data;

	if (found->removed > 0)
		log_info("leftovers_removed", "upload_root=%s count=%u first=%s reason=%s",
			 log_text(found->root), found->removed, found->path,
			 log_text("tftpd was killed while uploads took the place of files"));
	if (found->error != 0)
		log_warning("leftover_stays", "upload_root=%s file=%s reason=%s remedy=%s",
			    log_text(found->root), found->path,
			    log_text(strerror(found->error)),
			    log_text("remove it: it is half of an upload that never ended"));
	free(found);
}

enum err leftovers_collect(struct loop *loop, const char *root)
{
	struct leftovers *found = calloc(1, sizeof(*found));

	if (!found)
		return ERR_MEMORY;
	found->root = root;
	loop_work(loop, collect, on_collected, found);
	return ERR_OK;
}
