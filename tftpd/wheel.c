#include "tftpd/wheel.h"

static struct wheel_entry **slot_of(struct wheel *wheel, uint64_t tick)
{
	return &wheel->slots[tick % WHEEL_SLOTS];
}

/* The tick in which it is surely due, as far ahead as the wheel reaches. */
static uint64_t tick_of(const struct wheel *wheel, uint64_t due_ms)
{
	uint64_t tick = (due_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
	uint64_t furthest = wheel->tick + WHEEL_SLOTS - 1;

	if (tick < wheel->tick)
		return wheel->tick;
	return tick < furthest ? tick : furthest;
}

static void link_entry(struct wheel *wheel, struct wheel_entry *entry)
{
	struct wheel_entry **slot;

	entry->tick = tick_of(wheel, entry->due_ms);
	slot = slot_of(wheel, entry->tick);
	entry->prev = NULL;
	entry->next = *slot;
	if (*slot)
		(*slot)->prev = entry;
	*slot = entry;
	wheel->count++;
}

void wheel_remove(struct wheel *wheel, struct wheel_entry *entry)
{
	if (entry->tick == 0)
		return;
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		*slot_of(wheel, entry->tick) = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
	entry->tick = 0;
	wheel->count--;
}

void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t now_ms, uint64_t due_ms)
{
	/* nobody waited meanwhile, so nothing has to be gone through; tick 0 is "nowhere" */
	if (wheel->count == 0)
		wheel->tick = now_ms / WHEEL_TICK_MS + 1;
	entry->due_ms = due_ms;
	/* it is met before that, and then put further on */
	if (entry->tick != 0 && entry->tick <= tick_of(wheel, due_ms))
		return;
	wheel_remove(wheel, entry);
	link_entry(wheel, entry);
}

struct wheel_entry *wheel_take(struct wheel *wheel, uint64_t now_ms)
{
	uint64_t now_tick = now_ms / WHEEL_TICK_MS;

	while (wheel->count > 0 && wheel->tick <= now_tick) {
		struct wheel_entry *entry = *slot_of(wheel, wheel->tick);

		if (!entry) {
			wheel->tick++;
			continue;
		}
		wheel_remove(wheel, entry);
		if (entry->due_ms <= now_ms)
			return entry;
		link_entry(wheel, entry);
	}
	if (wheel->tick <= now_tick)
		wheel->tick = now_tick + 1;
	return NULL;
}

uint64_t wheel_next(const struct wheel *wheel)
{
	uint64_t tick = wheel->tick;

	if (wheel->count == 0)
		return 0;
	while (!wheel->slots[tick % WHEEL_SLOTS])
		tick++;
	return tick * WHEEL_TICK_MS;
}
