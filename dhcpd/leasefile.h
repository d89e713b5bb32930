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
/*
 * Calls on_lease for each line that can be read; a last line that was cut is no fault. Then
 * notes may be added behind them. ERR_ABSENT: there was no file. ERR_SYSTEM: errno says why.
 */
MUST_CHECK enum err leasefile_read(struct leasefile *file, uint64_t now_ms,
				   void (*on_lease)(void *data, const struct lease *lease),
				   void *data, struct leasefile_found *ret_found);
/*
 * A save writes the whole table beside the file, a piece at a time, while leases come and go:
 * what changes meanwhile must be noted, and is written into both. The file stays what it was
 *until the last step.
 *
 *	leasefile_save_begin(file, leases, timeline);
 *	while (leasefile_save_some(file, leases, 1000, now_ms)) ...now and then
 *	fsync(leasefile_save_descriptor(file));		perhaps in another thread
 *	leasefile_save_end(file);
 */
/* Begins anew if one is under way. ERR_ABSENT: nothing is kept. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err leasefile_save_begin(struct leasefile *file,
					 const struct lease_table *leases,
					 const char *timeline);
/* So many entries more; false: all of them are with the kernel, or it failed, which the end
 * says. */
bool leasefile_save_some(struct leasefile *file, const struct lease_table *leases, size_t most,
			 uint64_t now_ms);
int leasefile_save_descriptor(const struct leasefile *file);
/* Puts it in the old one's place. ERR_SYSTEM: that one stays; errno says why. */
MUST_CHECK enum err leasefile_save_end(struct leasefile *file);
/* Forgets the save that is under way, if one is. */
void leasefile_save_abandon(struct leasefile *file);
/* All of it at once, synced. ERR_SYSTEM: errno says why. */
MUST_CHECK enum err leasefile_save(struct leasefile *file, const struct lease_table *leases,
				   const char *timeline, uint64_t now_ms);
/* Added with the next flush. Nothing is noted any more after a failure, until the next save. */
void leasefile_note(struct leasefile *file, const struct lease *lease, uint64_t now_ms);
void leasefile_note_timeline(struct leasefile *file, const char *timeline);
/* ERR_SYSTEM, once: errno says why. */
MUST_CHECK enum err leasefile_flush(struct leasefile *file);
/* Octets noted since the last save. */
size_t leasefile_growth(const struct leasefile *file);
/* Accepts NULL. What was noted and not flushed is lost. */
void leasefile_close(struct leasefile *file);

#endif
