/*
 * wheel - who is to be looked at, and when: the deadlines of many transfers.
 *
 * A deadline moves with every packet, and nearly always away: an entry stays where it stands,
 * and is put where it belongs only when its old place is reached. So an ACK costs one
 * comparison, and thousands of waiting transfers cost nothing until one is due.
 *
 *	wheel_set(&wheel, &transfer->waits, now_ms, now_ms + 1000);
 *	while ((entry = wheel_take(&wheel, now_ms)))
 *		act(entry);
 *	... sleep until wheel_next(&wheel)
 *
 * Deadlines are met up to WHEEL_TICK_MS late, never early. Time must not go back.
 */
#ifndef ROUSE_TFTPD_WHEEL_H
#define ROUSE_TFTPD_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_MS 4
#define WHEEL_SLOTS 1024 /* some four seconds; what is due later goes round once more */

/* Lies within its owner; zeroed memory is one that waits for nothing. */
struct wheel_entry {
	struct wheel_entry *prev, *next;
	uint64_t due_ms;
	uint64_t tick; /* where it stands; 0: nowhere */
};

/* Zeroed memory is an empty wheel. */
struct wheel {
	struct wheel_entry *slots[WHEEL_SLOTS];
	uint64_t tick; /* everything before it has been taken */
	size_t count;
};

void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t now_ms,
	       uint64_t due_ms);
/* Nothing when it waits for nothing. */
void wheel_remove(struct wheel *wheel, struct wheel_entry *entry);
/* One that is due, which then waits for nothing; NULL when there is none. */
struct wheel_entry *wheel_take(struct wheel *wheel, uint64_t now_ms);
/* When to take again at the latest; 0: nobody waits. */
uint64_t wheel_next(const struct wheel *wheel);

#endif
