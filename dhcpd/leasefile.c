#include "dhcpd/leasefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"
#include "dhcpd/leaseline.h"

#define TITLE "rouse leases 2\n"
#define PATH_MAX_LENGTH 512
#define FRESH_BUFFER ((size_t)64 * 1024)

/* A file that lines are added to. */
struct lines {
	FILE *out; /* NULL: none */
	size_t growth;
	int failure; /* an errno: the end may be half a line, and nothing may follow it */
};

struct leasefile {
	char path[PATH_MAX_LENGTH], fresh_path[PATH_MAX_LENGTH + 4];
	struct lines notes;   /* at the end of the file */
	struct lines fresh;   /* the file that a save makes */
	size_t at;	      /* how many of the table's entries that save has before it */
	int fresh_descriptor; /* of fresh.out: for the thread that publishes it */
	bool is_published;    /* the old file is gone, */
	int publish_failure;  /* though not all went well; an errno */
	FILE *replaced;	      /* to be closed */
	bool is_failure_told;
};

enum err leasefile_open(const char *path, struct leasefile **ret_file)
{
	struct leasefile *file = calloc(1, sizeof(*file));

	if (!file)
		return ERR_MEMORY;
	if (strlen(path) >= sizeof(file->path)) {
		free(file);
		return ERR_SPACE;
	}
	memcpy(file->path, path, strlen(path) + 1);
	(void)snprintf(file->fresh_path, sizeof(file->fresh_path), "%s.new", path);
	*ret_file = file;
	return ERR_OK;
}

const char *leasefile_path(const struct leasefile *file)
{
	return file->path;
}

/* --- lines --- */

/* ERR_SYSTEM. `flags` are open()'s, beside those for writing. */
static enum err open_lines(const char *path, int flags, struct lines *ret_lines)
{
	int opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	FILE *out = opened >= 0 ? fdopen(opened, "a") : NULL;

	if (!out) {
		if (opened >= 0)
			(void)close(opened);
		return ERR_SYSTEM;
	}
	*ret_lines = (struct lines){.out = out};
	return ERR_OK;
}

static void fail_lines(struct lines *lines)
{
	lines->failure = errno;
	__fpurge(lines->out); /* so that it is not tried again when the file is closed */
}

static void put_line(struct lines *lines, const char *line, size_t length)
{
	if (!lines->out || lines->failure != 0)
		return;
	if (fwrite(line, 1, length, lines->out) == length)
		lines->growth += length;
	else
		fail_lines(lines);
}

static void flush_lines(struct lines *lines)
{
	if (lines->out && lines->failure == 0 && fflush(lines->out) != 0)
		fail_lines(lines);
}

static void close_lines(struct lines *lines)
{
	if (lines->out)
		(void)fclose(lines->out);
	*lines = (struct lines){0};
}

/* --- notes --- */

/* What changes during a save may be behind the save's place in the table already. */
static void note(struct leasefile *file, const struct text *line)
{
	put_line(&file->notes, line->start, line->length);
	put_line(&file->fresh, line->start, line->length);
}

void leasefile_note(struct leasefile *file, const struct lease *lease, uint64_t now_ms)
{
	const struct leaseline_clock clock = {now_ms, time(NULL)};
	char line[LEASELINE_SIZE];
	struct text text = text_into(line, sizeof(line));

	if (!leaseline_has(lease))
		return;
	leaseline_put(&text, lease, &clock);
	note(file, &text);
}

void leasefile_note_timeline(struct leasefile *file, const char *timeline)
{
	char line[LEASELINE_SIZE];
	struct text text = text_into(line, sizeof(line));

	leaseline_put_timeline(&text, timeline);
	note(file, &text);
}

enum err leasefile_flush(struct leasefile *file)
{
	flush_lines(&file->notes);
	flush_lines(&file->fresh); /* its failure is the save's */
	if (file->notes.failure == 0 || file->is_failure_told)
		return ERR_OK;
	file->is_failure_told = true;
	errno = file->notes.failure;
	return ERR_SYSTEM;
}

size_t leasefile_growth(const struct leasefile *file)
{
	return file->fresh.out ? file->fresh.growth : file->notes.growth;
}

/* --- saving --- */

/* Only one is waiting to be closed: another one before it is closed now. */
static void put_away(struct leasefile *file, struct lines *lines)
{
	leasefile_tidy(file);
	file->replaced = lines->out;
	*lines = (struct lines){0};
}

static enum err give_up(struct leasefile *file, int reason)
{
	(void)unlink(file->fresh_path);
	__fpurge(file->fresh.out);
	put_away(file, &file->fresh);
	errno = reason;
	return ERR_SYSTEM;
}

enum err leasefile_save_begin(struct leasefile *file, const struct lease_table *leases,
			      const char *timeline)
{
	char line[LEASELINE_SIZE];
	struct text text = text_into(line, sizeof(line));

	if (!*file->path)
		return ERR_OK;
	if (file->fresh.out)
		(void)give_up(file, 0);
	if (open_lines(file->fresh_path, O_TRUNC, &file->fresh) != ERR_OK)
		return ERR_SYSTEM;
	/* not to be had, it is written in smaller pieces */
	(void)setvbuf(file->fresh.out, NULL, _IOFBF, FRESH_BUFFER);
	text_put(&text, TITLE);
	if (*timeline)
		leaseline_put_timeline(&text, timeline);
	put_line(&file->fresh, line, text.length);
	file->fresh.growth = 0;
	file->fresh_descriptor = fileno(file->fresh.out);
	file->is_published = false;
	file->publish_failure = 0;
	file->at = leases->count;
	return ERR_OK;
}

static void save_lease(struct leasefile *file, const struct lease *lease,
		       const struct leaseline_clock *clock)
{
	char line[LEASELINE_SIZE];
	struct text text = text_into(line, sizeof(line));
	size_t growth = file->fresh.growth;

	if (!leaseline_has(lease))
		return;
	leaseline_put(&text, lease, clock);
	put_line(&file->fresh, line, text.length);
	file->fresh.growth = growth; /* that is for notes */
}

enum err leasefile_save_slice(struct leasefile *file, const struct lease_table *leases,
			      size_t most, uint64_t now_ms, bool *ret_is_whole)
{
	const struct leaseline_clock clock = {now_ms, time(NULL)};

	/*
	 * From the end: what takes a removed entry's place was written before, or is still to
	 * come. What was added behind is of the database or was noted.
	 */
	if (file->at > leases->count)
		file->at = leases->count;
	while (most-- > 0 && file->at > 0)
		save_lease(file, &leases->leases[--file->at], &clock);
	if (file->at == 0)
		flush_lines(&file->fresh);
	if (file->fresh.failure != 0)
		return give_up(file, file->fresh.failure);
	*ret_is_whole = file->at == 0;
	return ERR_OK;
}

/* A name that was changed is on the disk only when its folder is. An errno, or 0. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX_LENGTH] = ".";
	const char *slash = strrchr(path, '/');
	int descriptor, failure;

	if (slash)
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return errno;
	failure = fsync(descriptor) == 0 ? 0 : errno;
	(void)close(descriptor);
	return failure;
}

void leasefile_save_publish(struct leasefile *file)
{
	if (!*file->path)
		return;
	if (fsync(file->fresh_descriptor) != 0 || rename(file->fresh_path, file->path) != 0) {
		file->publish_failure = errno;
		return;
	}
	file->is_published = true;
	file->publish_failure = sync_folder(file->path);
}

enum err leasefile_save_end(struct leasefile *file)
{
	if (!*file->path)
		return ERR_OK;
	if (!file->is_published)
		return give_up(file, file->publish_failure);
	/* the old file is gone: notes go behind the new one's lines */
	put_away(file, &file->notes);
	file->notes = file->fresh;
	file->fresh = (struct lines){0};
	file->is_failure_told = false;
	errno = file->publish_failure;
	return file->publish_failure == 0 ? ERR_OK : ERR_SYSTEM;
}

void leasefile_tidy(struct leasefile *file)
{
	if (file->replaced)
		(void)fclose(file->replaced);
	file->replaced = NULL;
}

void leasefile_close(struct leasefile *file)
{
	if (!file)
		return;
	if (file->fresh.out)
		(void)give_up(file, 0);
	leasefile_tidy(file);
	close_lines(&file->notes);
	free(file);
}

/* --- reading --- */

/* How many octets of the file are to be kept: 0 if it is not one of ours. */
static off_t read_lines(FILE *in, uint64_t now_ms,
			void (*on_lease)(void *data, const struct lease *lease), void *data,
			struct leasefile_found *found)
{
	const struct leaseline_clock clock = {now_ms, time(NULL)};
	char line[LEASELINE_SIZE];
	struct lease_client client;
	struct lease lease;

	if (!fgets(line, sizeof(line), in) || strcmp(line, TITLE) != 0) {
		found->bad++;
		return 0;
	}
	while (fgets(line, sizeof(line), in)) {
		size_t length = strlen(line);

		/* the process died while it wrote it */
		if (feof(in) && line[length - (length > 0)] != '\n')
			return ftello(in) - (off_t)length;
		if (leaseline_read(line, &clock, &client, &lease))
			on_lease(data, &lease);
		else if (!leaseline_read_timeline(line, found->timeline,
						  sizeof(found->timeline)))
			found->bad++;
	}
	return ftello(in);
}

/* Opens the file to add to it; what is behind `kept` octets goes. */
static enum err begin_notes(struct leasefile *file, off_t kept)
{
	if (open_lines(file->path, O_APPEND, &file->notes) != ERR_OK)
		return ERR_SYSTEM;
	if (ftruncate(fileno(file->notes.out), kept) == 0 &&
	    (kept > 0 || fputs(TITLE, file->notes.out) != EOF))
		return ERR_OK;
	close_lines(&file->notes);
	return ERR_SYSTEM;
}

enum err leasefile_read(struct leasefile *file, uint64_t now_ms,
			void (*on_lease)(void *data, const struct lease *lease), void *data,
			struct leasefile_found *ret_found)
{
	struct leasefile_found found = {.timeline = ""};
	off_t kept = 0;
	enum err err;
	FILE *in;

	*ret_found = found;
	if (!*file->path)
		return ERR_ABSENT;
	in = fopen(file->path, "re");
	if (!in && errno != ENOENT)
		return ERR_SYSTEM;
	if (in) {
		kept = read_lines(in, now_ms, on_lease, data, &found);
		(void)fclose(in);
	}
	err = begin_notes(file, kept);
	*ret_found = found;
	return err == ERR_OK && !in ? ERR_ABSENT : err;
}
