/*
 * saver - keeps the saved leases (leasefile.h) without holding up the loop: the table is
 * written some thousand leases a turn, and what waits for the disk does so in libuv's pool.
 *
 *	saver_open(loop, path, leases, &saver);
 *	saver_read(saver, on_lease, data, &found);
 *	saver_note(saver, lease);	 a grant; saver_flush() ten times a second
 *	saver_begin(saver, timeline);	 when saver_is_due()
 *	saver_close(saver, &(struct saver_end){.timeline = timeline, ...});
 */
#ifndef ROUSE_DHCPD_SAVER_H
#define ROUSE_DHCPD_SAVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/leasefile.h"
#include "io/loop.h"

struct saver;

/* How it ends. */
struct saver_end {
	const char *timeline; /* copied; NULL: the file stays as it is */
	uint64_t most_ms; /* a disk that takes longer for the table does not get all of it */
	/* The table is not read any more, and `data` not used. Never from within. */
	void (*on_closed)(void *data);
	void *data;
};

/* `path` is copied; "": nothing is kept. `leases` must live until saver_end's on_closed().
 * ERR_MEMORY, ERR_SPACE: the path is too long. */
MUST_CHECK enum err saver_open(struct loop *loop, const char *path,
			       const struct lease_table *leases, struct saver **ret_saver);
/* As leasefile_read(); what is wrong is in the log. */
void saver_read(struct saver *saver, void (*on_lease)(void *data, const struct lease *lease),
		void *data, struct leasefile_found *ret_found);
void saver_note(struct saver *saver, const struct lease *lease);
void saver_note_timeline(struct saver *saver, const char *timeline);
/* What was noted reaches the file. */
void saver_flush(struct saver *saver);
/* Every five minutes, and when the notes have become many. */
bool saver_is_due(const struct saver *saver);
/* The whole table, from now on slice by slice. Does nothing while that is under way. */
void saver_begin(struct saver *saver, const char *timeline);
/*
 * Saves the whole table once more, slice by slice, and ends. A file that libuv's pool is at is
 * enough instead: what was noted meanwhile is in it.
 */
void saver_close(struct saver *saver, const struct saver_end *end);

#endif
