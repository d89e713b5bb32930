/*
 * leasefile - the recorded leases on disk, mode 0600: what dhcpd knows when it starts while the
 * database is away, and what it must assert anew when a standby was promoted meanwhile.
 *
 * One line a lease: address, client in hexadecimal, state, its end and when this process had it
 * recorded (seconds since 1970; 0: others did), its card or "-". The line
 * "timeline N" names the database's. Now and then the whole table is written; between, what
 * changes is added at the end, and a later line stands over an earlier one. What is added is
 * not synced: it is for the death of this process, not of the machine.
 *
 *	leasefile_open(path, &file);
 *	leasefile_read(file, now_ms, on_lease, data, &found);
 *	leasefile_note(file, lease, now_ms);	 a grant; many of them, then
 *	leasefile_flush(file);
 *
 * A save writes the table into a new file beside the old one, in slices, while the table goes
 * on changing and notes go to both; only a whole and synced file takes the old one's place:
 *
 *	leasefile_save_begin(file, leases, timeline);
 *	leasefile_save_slice(file, leases, most, now_ms, &is_whole);	until it is
 *	leasefile_save_publish(file);		slow: may run in another thread
 *	leasefile_save_end(file);
 *	leasefile_tidy(file);			slow: may run in another thread
 */
#ifndef ROUSE_DHCPD_LEASEFILE_H
#define ROUSE_DHCPD_LEASEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/lease_table.h"

#define LEASEFILE_TIMELINE_SIZE 24

struct leasefile;

struct leasefile_found {
	char timeline[LEASEFILE_TIMELINE_SIZE]; /* "": none was noted */
	size_t bad;				/* lines that could not be read */
};

/* `path` is copied; "": nothing is kept, and every other function does nothing. ERR_MEMORY,
 * ERR_SPACE: the path is too long. */
MUST_CHECK enum err leasefile_open(const char *path, struct leasefile **ret_file);
const char *leasefile_path(const struct leasefile *file);
/*
 * Calls on_lease for each line that can be read; a last line that was cut is no fault. Then
 * notes may be added behind them. ERR_ABSENT: there was no file. ERR_SYSTEM: errno says why.
 */
MUST_CHECK enum err leasefile_read(struct leasefile *file, uint64_t now_ms,
				   void (*on_lease)(void *data, const struct lease *lease),
				   void *data, struct leasefile_found *ret_found);

/* Added with the next flush. Nothing is noted any more after a failure, until the next save. */
void leasefile_note(struct leasefile *file, const struct lease *lease, uint64_t now_ms);
void leasefile_note_timeline(struct leasefile *file, const char *timeline);
/* ERR_SYSTEM, once: errno says why. */
MUST_CHECK enum err leasefile_flush(struct leasefile *file);
/* Octets noted since the last save began. */
size_t leasefile_growth(const struct leasefile *file);

/* ERR_SYSTEM: errno says why. A save that was under way is given up. */
MUST_CHECK enum err leasefile_save_begin(struct leasefile *file,
					 const struct lease_table *leases,
					 const char *timeline);
/*
 * The next `most` leases, from the table's end. ERR_SYSTEM: errno says why; the save is given
 * up and the old file is as it was.
 */
MUST_CHECK enum err leasefile_save_slice(struct leasefile *file,
					 const struct lease_table *leases, size_t most,
					 uint64_t now_ms, bool *ret_is_whole);
/* Syncs the whole file and puts it in the old one's place. Meanwhile only notes and flushes may
 * be called. */
void leasefile_save_publish(struct leasefile *file);
/* ERR_SYSTEM: it could not be published, and errno says why. */
MUST_CHECK enum err leasefile_save_end(struct leasefile *file);
/* Closes what was replaced or given up: the disk's blocks are freed only then. */
void leasefile_tidy(struct leasefile *file);

/* Accepts NULL. What was noted and not flushed may be lost, a save under way is given up. */
void leasefile_close(struct leasefile *file);

#endif
