#include "dhcpd/leasefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/hex.h"
#include "core/text.h"

#define TITLE "rouse leases 2\n"
#define TIMELINE "timeline "
#define PATH_MAX_LENGTH 512
#define LINE_SIZE 700
#define FRESH_BUFFER ((size_t)64 * 1024)

static const char *const state_names[] = {NULL, "bound", "released", "declined", "expired"};

struct leasefile {
	char path[PATH_MAX_LENGTH];
	FILE *notes; /* at the end of the file; NULL: not to be had */
	size_t growth;
	int failure; /* of a note, not yet told; an errno */
	FILE *fresh; /* what will take its place; NULL: no save is under way */
	size_t left; /* entries of the table that it lacks: the first ones */
	size_t fresh_growth;
	int fresh_failure;
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
	*ret_file = file;
	return ERR_OK;
}

/* --- writing --- */

static void put_lease(struct text *out, const struct lease *lease, uint64_t now_ms, time_t now)
{
	int64_t left = ((int64_t)lease->ends_ms - (int64_t)now_ms) / 1000;
	int64_t age = ((int64_t)now_ms - (int64_t)lease->granted_ms) / 1000;
	char address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE] = "-";

	ip4_format(lease->address, address);
	if (lease->has_mac)
		mac_format(&lease->mac, mac);
	text_put(out, address);
	text_put(out, " ");
	text_put_hex(out, lease_key_octets(&lease->client), lease->client.length);
	text_printf(out, " %s %" PRId64 " %" PRId64 " %s\n", state_names[lease->state],
		    (int64_t)now + left, lease->granted_ms > 0 ? (int64_t)now - age : 0, mac);
}

static void stop_notes(struct leasefile *file)
{
	if (file->notes)
		(void)fclose(file->notes);
	file->notes = NULL;
}

/* ERR_SYSTEM. `flags` are open()'s, beside those for writing. */
static enum err open_to_write(const char *path, int flags, FILE **ret_out)
{
	int opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	FILE *out = opened >= 0 ? fdopen(opened, "a") : NULL;

	if (!out) {
		if (opened >= 0)
			(void)close(opened);
		return ERR_SYSTEM;
	}
	*ret_out = out;
	return ERR_OK;
}

/* --- a save --- */

static const char *fresh_path(const struct leasefile *file, char path[PATH_MAX_LENGTH + 4])
{
	(void)snprintf(path, PATH_MAX_LENGTH + 4, "%s.new", file->path);
	return path;
}

enum err leasefile_save_begin(struct leasefile *file, const struct lease_table *leases,
			      const char *timeline)
{
	char path[PATH_MAX_LENGTH + 4];

	leasefile_save_abandon(file);
	if (!*file->path)
		return ERR_ABSENT;
	if (open_to_write(fresh_path(file, path), O_TRUNC, &file->fresh) != ERR_OK)
		return ERR_SYSTEM;
	/* not to be had, it is written in smaller pieces */
	(void)setvbuf(file->fresh, NULL, _IOFBF, FRESH_BUFFER);
	file->left = leases->count;
	file->fresh_growth = 0;
	file->fresh_failure = 0;
	if (fputs(TITLE, file->fresh) == EOF ||
	    (*timeline && fprintf(file->fresh, TIMELINE "%s\n", timeline) < 0))
		file->fresh_failure = errno;
	return ERR_OK;
}

static void put_fresh(struct leasefile *file, const struct text *line)
{
	if (file->fresh_failure == 0 &&
	    fwrite(line->start, 1, line->length, file->fresh) != line->length)
		file->fresh_failure = errno;
}

bool leasefile_save_some(struct leasefile *file, const struct lease_table *leases, size_t most,
			 uint64_t now_ms)
{
	time_t now = time(NULL);
	char line[LINE_SIZE];

	/*
	 * From the end: what leaves the table is replaced by its last entry, which has been
	 * written by then; what comes is behind, and was noted.
	 */
	if (file->left > leases->count)
		file->left = leases->count;
	while (file->left > 0 && most-- > 0 && file->fresh_failure == 0) {
		const struct lease *lease = &leases->leases[--file->left];
		struct text text = text_into(line, sizeof(line));

		if (!state_names[lease->state])
			continue; /* an offer is no lease */
		put_lease(&text, lease, now_ms, now);
		put_fresh(file, &text);
	}
	if (file->left > 0 && file->fresh_failure == 0)
		return true;
	if (file->fresh_failure == 0 && fflush(file->fresh) != 0)
		file->fresh_failure = errno;
	return false;
}

int leasefile_save_descriptor(const struct leasefile *file)
{
	return fileno(file->fresh);
}

enum err leasefile_save_end(struct leasefile *file)
{
	char path[PATH_MAX_LENGTH + 4];

	if (file->fresh_failure == 0 && rename(fresh_path(file, path), file->path) != 0)
		file->fresh_failure = errno;
	if (file->fresh_failure != 0) {
		leasefile_save_abandon(file);
		errno = file->fresh_failure;
		return ERR_SYSTEM;
	}
	/* the old file is gone: notes go behind the new one's lines */
	stop_notes(file);
	file->notes = file->fresh;
	file->fresh = NULL;
	file->growth = file->fresh_growth;
	file->failure = 0;
	return ERR_OK;
}

void leasefile_save_abandon(struct leasefile *file)
{
	char path[PATH_MAX_LENGTH + 4];

	if (!file->fresh)
		return;
	(void)fclose(file->fresh);
	file->fresh = NULL;
	(void)unlink(fresh_path(file, path));
}

enum err leasefile_save(struct leasefile *file, const struct lease_table *leases,
			const char *timeline, uint64_t now_ms)
{
	enum err err = leasefile_save_begin(file, leases, timeline);

	if (err != ERR_OK)
		return err == ERR_ABSENT ? ERR_OK : err;
	while (leasefile_save_some(file, leases, SIZE_MAX, now_ms))
		;
	if (file->fresh_failure == 0 && fsync(fileno(file->fresh)) != 0)
		file->fresh_failure = errno;
	return leasefile_save_end(file);
}

/* --- notes --- */

static void note(struct leasefile *file, const struct text *line)
{
	if (file->fresh) {
		put_fresh(file, line);
		file->fresh_growth += line->length;
	}
	if (!file->notes)
		return;
	if (fwrite(line->start, 1, line->length, file->notes) == line->length) {
		file->growth += line->length;
		return;
	}
	/* the end may be half a line now: nothing may follow it */
	file->failure = errno;
	stop_notes(file);
}

void leasefile_note(struct leasefile *file, const struct lease *lease, uint64_t now_ms)
{
	char line[LINE_SIZE];
	struct text text = text_into(line, sizeof(line));

	if ((!file->notes && !file->fresh) || !state_names[lease->state])
		return;
	put_lease(&text, lease, now_ms, time(NULL));
	note(file, &text);
}

void leasefile_note_timeline(struct leasefile *file, const char *timeline)
{
	char line[LINE_SIZE];
	struct text text = text_into(line, sizeof(line));

	text_printf(&text, TIMELINE "%s\n", timeline);
	note(file, &text);
}

enum err leasefile_flush(struct leasefile *file)
{
	if (file->notes && fflush(file->notes) != 0) {
		file->failure = errno;
		stop_notes(file);
	}
	if (file->failure == 0)
		return ERR_OK;
	errno = file->failure;
	file->failure = 0;
	return ERR_SYSTEM;
}

size_t leasefile_growth(const struct leasefile *file)
{
	return file->growth;
}

void leasefile_close(struct leasefile *file)
{
	if (!file)
		return;
	leasefile_save_abandon(file);
	stop_notes(file);
	free(file);
}

/* --- reading --- */

static bool read_client(const char *hex, struct lease_client *client)
{
	size_t length = strlen(hex);

	if (length == 0 || length % 2 || length / 2 > sizeof(client->octets))
		return false;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		client->octets[i] = (uint8_t)(high << 4 | low);
	}
	client->length = (uint16_t)(length / 2);
	return true;
}

static bool read_state(const char *word, struct lease *lease)
{
	for (int i = LEASE_BOUND; i <= LEASE_EXPIRED; i++) {
		if (strcmp(word, state_names[i]) == 0) {
			lease->state = (enum lease_state)i;
			return true;
		}
	}
	return false;
}

static bool read_mac(const char *word, struct lease *lease)
{
	lease->has_mac = strcmp(word, "-") != 0;
	return !lease->has_mac || mac_parse(word, strlen(word), &lease->mac) == ERR_OK;
}

/* A time of the clock on the wall as one of the loop's; before its beginning: `least`. */
static bool read_time(int64_t seconds, time_t now, uint64_t now_ms, uint64_t least,
		      uint64_t *time_ms)
{
	int64_t left_ms;

	if (seconds < 0 || seconds > INT64_MAX / 2000)
		return false;
	left_ms = (seconds - (int64_t)now) * 1000;
	*time_ms = left_ms >= 0 || (uint64_t)-left_ms < now_ms ? now_ms + (uint64_t)left_ms
							       : least;
	return true;
}

/* `client` is where the lease's key is kept. */
static bool read_line(const char *line, uint64_t now_ms, time_t now,
		      struct lease_client *client, struct lease *lease)
{
	char address[IP4_TEXT_SIZE], hex[2 * LEASE_CLIENT_MAX + 1], state[16];
	char mac[MAC_TEXT_SIZE];
	int64_t ends, granted;

	*lease = (struct lease){0};
	if (sscanf(line, "%15s %512s %15s %" SCNd64 " %" SCNd64 " %17s", address, hex, state,
		   &ends, &granted, mac) != 6 ||
	    ip4_parse(address, &lease->address) != ERR_OK || !read_client(hex, client) ||
	    !read_state(state, lease) || !read_mac(mac, lease) ||
	    !read_time(ends, now, now_ms, 0, &lease->ends_ms))
		return false;
	lease->client = lease_key_of(client);
	/* it was granted before this machine started: as early as can be said */
	return granted == 0 || read_time(granted, now, now_ms, 1, &lease->granted_ms);
}

static bool read_timeline(const char *line, struct leasefile_found *found)
{
	size_t title = strlen(TIMELINE), length;

	if (strncmp(line, TIMELINE, title) != 0)
		return false;
	length = strspn(line + title, "0123456789");
	if (length == 0 || length >= sizeof(found->timeline) || line[title + length] != '\n')
		return false;
	memcpy(found->timeline, line + title, length);
	found->timeline[length] = '\0';
	return true;
}

/* How many octets of the file are to be kept: 0 if it is not one of ours. */
static off_t read_lines(FILE *in, uint64_t now_ms,
			void (*on_lease)(void *data, const struct lease *lease), void *data,
			struct leasefile_found *found)
{
	time_t now = time(NULL);
	char line[LINE_SIZE];
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
		if (read_line(line, now_ms, now, &client, &lease))
			on_lease(data, &lease);
		else if (!read_timeline(line, found))
			found->bad++;
	}
	return ftello(in);
}

/* Opens the file to add to it; what is behind `kept` octets goes. */
static enum err begin_notes(struct leasefile *file, off_t kept)
{
	if (open_to_write(file->path, O_APPEND, &file->notes) != ERR_OK)
		return ERR_SYSTEM;
	if (ftruncate(fileno(file->notes), kept) == 0 &&
	    (kept > 0 || fputs(TITLE, file->notes) != EOF))
		return ERR_OK;
	stop_notes(file);
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
