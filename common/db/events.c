#include "db/events.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/event_queue.h"
#include "io/log.h"

#define FLUSH_MS 100
#define AWAY_MS 1000 /* the same while there is no database */
#define REPEAT_MS 60000

struct events {
	struct loop *loop;
	struct db_conn *conn;
	struct loop_timer timer; /* runs while something waits */
	char daemon[16];
	char instance[96];
	struct event_queue queue;
	uint64_t dropped_told;
	struct log_repeat refusals, drops;
	unsigned closing; /* what must end before it is freed: the timer, the last answer */
	bool is_closed;
};

bool events_have_room(struct events *events)
{
	return event_queue_has_room(&events->queue);
}

void events_push(struct events *events, const struct event *event)
{
	event_queue_push(&events->queue, event, loop_now_ms(events->loop));
	if (!loop_timer_is_running(&events->timer))
		loop_timer_start(&events->timer, FLUSH_MS, FLUSH_MS);
}

/* What is lost is said, once in a minute. */
static void tell_dropped(struct events *events)
{
	uint64_t dropped = events->queue.dropped - events->dropped_told;
	unsigned long left_out;

	if (dropped == 0 ||
	    !log_repeat_due(&events->drops, loop_now_ms(events->loop), REPEAT_MS, &left_out))
		return;
	events->dropped_told = events->queue.dropped;
	log_warning("events_dropped", "count=%llu reason=%s remedy=%s",
		    (unsigned long long)dropped,
		    db_is_up(events->conn)
			    ? "\"more than the database takes, or one machine floods\""
			    : "\"the database is away\"",
		    "\"table rouse.events shows who sends most; see why the database is slow "
		    "or away\"");
}

static void on_recorded(void *data, const struct db_answer *answer);

static void flush(struct events *events)
{
	static char json[EVENT_BATCH_SIZE];
	const char *params[3] = {events->daemon, events->instance, json};

	tell_dropped(events);
	if (events->queue.count == 0 || !db_is_up(events->conn) ||
	    event_queue_take(&events->queue, json, sizeof(json), loop_now_ms(events->loop)) ==
		    0)
		return;
	if (db_query(events->conn, "select rouse_daemon.record($1, $2, $3::jsonb)", params, 3,
		     10000, on_recorded, events) != ERR_OK)
		event_queue_settle(&events->queue, EVENT_QUEUE_AGAIN);
}

static void on_time(void *data)
{
	struct events *events = data;

	flush(events);
	if (events->queue.count == 0)
		loop_timer_stop(&events->timer);
	else if (!db_is_up(events->conn))
		loop_timer_start(&events->timer, AWAY_MS, FLUSH_MS);
}

static void release(void *data)
{
	struct events *events = data;

	if (--events->closing > 0)
		return;
	free(events->queue.ring);
	free(events);
}

static void on_recorded(void *data, const struct db_answer *answer)
{
	struct events *events = data;
	size_t sent = events->queue.in_flight;
	unsigned long left_out;

	if (events->is_closed) {
		release(events);
		return;
	}
	if (answer->outcome == DB_OK) {
		event_queue_settle(&events->queue, EVENT_QUEUE_KEPT);
	} else if (!db_is_refusal(answer)) {
		event_queue_settle(&events->queue, EVENT_QUEUE_AGAIN);
	} else {
		event_queue_settle(&events->queue, EVENT_QUEUE_REFUSED);
		events->dropped_told += sent;
		if (log_repeat_due(&events->refusals, loop_now_ms(events->loop), REPEAT_MS,
				   &left_out))
			log_warning("events_refused", "count=%zu reason=%s", sent,
				    log_text(answer->message));
	}
}

enum err events_open(struct loop *loop, struct db_conn *conn, const char *daemon,
		     const char *instance, struct events **ret_events)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return ERR_MEMORY;
	events->queue.ring = calloc(EVENT_QUEUE_MAX, sizeof(*events->queue.ring));
	if (!events->queue.ring) {
		free(events);
		return ERR_MEMORY;
	}
	events->loop = loop;
	events->conn = conn;
	(void)snprintf(events->daemon, sizeof(events->daemon), "%s", daemon);
	(void)snprintf(events->instance, sizeof(events->instance), "%s", instance);
	loop_timer_open(loop, &events->timer, on_time, events);
	*ret_events = events;
	return ERR_OK;
}

size_t events_waiting(const struct events *events)
{
	return events->queue.count;
}

uint64_t events_dropped(const struct events *events)
{
	return events->queue.dropped;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	flush(events);
	events->is_closed = true;
	events->closing = events->queue.in_flight > 0 ? 2 : 1;
	loop_timer_close_then(&events->timer, release);
}
