/*
 * In place of db/events in a dhcpd that records nothing: what tests/bench/why/recording_dhcp
 * compares with. The linker leads the calls here (--wrap).
 */
#include "db/events.h"

void __wrap_events_push(struct events *events, const struct event *event);
bool __wrap_events_have_room(struct events *events);

void __wrap_events_push(struct events *events, const struct event *event)
{
	(void)events;
	(void)event;
}

bool __wrap_events_have_room(struct events *events)
{
	(void)events;
	return false;
}
