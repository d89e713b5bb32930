#include "db/events.h"

#include <stdlib.h>
#include <string.h>

#include "core/ip4.h"
#include "core/text.h"
#include "io/log.h"

#define QUEUE_MAX 4096
#define BATCH_MAX 100 /* leases wait behind it on the same connection: some ms */
#define FLUSH_MS 100
#define AWAY_MS 1000	/* the same while there is no database */
#define FOLD_WITHIN 128 /* how far back a repeat is looked for */

struct record {
	char stage[16];
	char kind[16];
	char name[160];
	char reason[160];
	char detail[320];
	struct mac mac;
	struct uuid uuid;
	bool has_mac, has_uuid;
	struct ip address;
	uint32_t count;
	uint64_t at_ms;
};

struct events {
	struct loop *loop;
	struct db_conn *conn;
	struct loop_timer timer; /* runs while something waits */
	char daemon[16];
	char instance[96];
	struct record *ring;
	uint32_t marks[QUEUE_MAX]; /* of each record: most that differ, differ here */
	size_t first, count;	   /* what waits, the oldest first */
	size_t in_flight;
	uint64_t dropped;
	struct log_repeat repeat;
	unsigned closing; /* what must end before it is freed: the timer, the last answer */
	bool is_closed;
};

static struct record *record_at(const struct events *events, size_t position)
{
	return &events->ring[(events->first + position) % QUEUE_MAX];
}

static void copy(char *to, size_t size, const char *from)
{
	size_t length = from ? strnlen(from, size - 1) : 0;

	if (length > 0)
		memcpy(to, from, length);
	to[length] = '\0';
}

static void fill(struct record *record, const struct event *event, uint64_t now_ms)
{
	memset(record, 0, sizeof(*record));
	copy(record->stage, sizeof(record->stage), event->stage);
	copy(record->kind, sizeof(record->kind), event->kind);
	copy(record->name, sizeof(record->name), event->name);
	copy(record->reason, sizeof(record->reason), event->reason);
	/* half a JSON object would be none: too long a detail is left out */
	if (event->detail && strlen(event->detail) < sizeof(record->detail))
		copy(record->detail, sizeof(record->detail), event->detail);
	record->has_mac = event->mac != NULL;
	record->has_uuid = event->uuid != NULL;
	if (event->mac)
		record->mac = *event->mac;
	if (event->uuid)
		record->uuid = *event->uuid;
	record->address = event->address;
	record->count = 1;
	record->at_ms = now_ms;
}

/* A few octets that stand close together; FNV-1a. */
static uint32_t mark_of(const struct record *record)
{
	const uint8_t *mac = record->mac.octet;
	uint32_t mark = 2166136261U;

	for (size_t i = 0; i < sizeof(record->mac.octet); i++)
		mark = (mark ^ mac[i]) * 16777619U;
	/* what tells neighbours apart */
	for (size_t i = 12; i < sizeof(record->address.octet); i++)
		mark = (mark ^ record->address.octet[i]) * 16777619U;
	for (const char *at = record->kind; *at; at++)
		mark = (mark ^ (uint8_t)*at) * 16777619U;
	return mark;
}

static bool is_repeat(const struct record *a, const struct record *b)
{
	return a->has_mac == b->has_mac && mac_equal(&a->mac, &b->mac) &&
	       ip_equal(&a->address, &b->address) && strcmp(a->stage, b->stage) == 0 &&
	       strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->reason, b->reason) == 0;
}

/* Is it the same as one that waits? Then that one counts it. */
static bool fold(struct events *events, const struct record *record, uint32_t mark)
{
	size_t waiting = events->count - events->in_flight;
	size_t within = waiting < FOLD_WITHIN ? waiting : FOLD_WITHIN;

	for (size_t i = 1; i <= within; i++) {
		size_t position = (events->first + events->count - i) % QUEUE_MAX;
		struct record *earlier = &events->ring[position];

		if (events->marks[position] == mark && is_repeat(earlier, record)) {
			earlier->count++;
			return true;
		}
	}
	return false;
}

bool events_have_room(struct events *events)
{
	if (events->count < QUEUE_MAX)
		return true;
	events->dropped++;
	return false;
}

void events_push(struct events *events, const struct event *event)
{
	struct record record;
	uint32_t mark;

	if (!events_have_room(events))
		return;
	fill(&record, event, loop_now_ms(events->loop));
	mark = mark_of(&record);
	if (fold(events, &record, mark))
		return;
	*record_at(events, events->count) = record;
	events->marks[(events->first + events->count) % QUEUE_MAX] = mark;
	events->count++;
	if (!loop_timer_is_running(&events->timer))
		loop_timer_start(&events->timer, FLUSH_MS, FLUSH_MS);
}

static void put_string(struct text *out, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	text_printf(out, ",\"%s\":\"", name);
	text_put_json(out, value);
	text_put(out, "\"");
}

static void put_record(struct text *out, const struct record *record, uint64_t now_ms)
{
	char mac[MAC_TEXT_SIZE] = "";
	char uuid[UUID_TEXT_SIZE] = "";
	char address[IP_TEXT_SIZE] = "";

	if (record->has_mac)
		mac_format(&record->mac, mac);
	if (record->has_uuid)
		uuid_format(&record->uuid, uuid);
	if (!ip_is_none(&record->address))
		ip_format(&record->address, address);
	text_printf(out, "{\"ago_ms\":%llu,\"count\":%u",
		    (unsigned long long)(now_ms - record->at_ms), record->count);
	put_string(out, "stage", record->stage);
	put_string(out, "kind", record->kind);
	put_string(out, "mac", mac);
	put_string(out, "uuid", uuid);
	put_string(out, "address", address);
	put_string(out, "name", record->name);
	put_string(out, "reason", record->reason);
	if (record->detail[0] != '\0')
		text_printf(out, ",\"detail\":%s", record->detail);
	text_put(out, "}");
}

static void on_recorded(void *data, const struct db_answer *answer);

static void flush(struct events *events)
{
	static char json[BATCH_MAX * 1024];
	struct text out = text_into(json, sizeof(json));
	const char *params[3] = {events->daemon, events->instance, json};
	size_t count = 0;

	if (events->in_flight > 0 || events->count == 0 || !db_is_up(events->conn))
		return;
	text_put(&out, "[");
	while (count < events->count && count < BATCH_MAX) {
		size_t before = out.length;

		text_put(&out, count > 0 ? "," : "");
		put_record(&out, record_at(events, count), loop_now_ms(events->loop));
		if (out.failed || out.length + 2 > sizeof(json)) {
			out.failed = false;
			out.length = before;
			json[before] = '\0';
			break;
		}
		count++;
	}
	text_put(&out, "]");
	if (db_query(events->conn, "select rouse_daemon.record($1, $2, $3::jsonb)", params, 3,
		     10000, on_recorded, events) == ERR_OK)
		events->in_flight = count;
}

static void on_time(void *data)
{
	struct events *events = data;

	flush(events);
	if (events->count == 0)
		loop_timer_stop(&events->timer);
	else if (!db_is_up(events->conn))
		loop_timer_start(&events->timer, AWAY_MS, FLUSH_MS);
}

static void release(void *data)
{
	struct events *events = data;

	if (--events->closing > 0)
		return;
	free(events->ring);
	free(events);
}

static void on_recorded(void *data, const struct db_answer *answer)
{
	struct events *events = data;
	size_t sent = events->in_flight;
	unsigned long left_out;

	events->in_flight = 0;
	if (events->is_closed) {
		release(events);
		return;
	}
	if (answer->outcome != DB_OK && !db_is_refusal(answer))
		return; /* they go again; twice is better than never */
	if (answer->outcome != DB_OK) {
		events->dropped += sent;
		if (log_repeat_due(&events->repeat, loop_now_ms(events->loop), 60000,
				   &left_out))
			log_warning("events_refused", "count=%zu reason=%s", sent,
				    log_text(answer->message));
	}
	events->first = (events->first + sent) % QUEUE_MAX;
	events->count -= sent;
}

enum err events_open(struct loop *loop, struct db_conn *conn, const char *daemon,
		     const char *instance, struct events **ret_events)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return ERR_MEMORY;
	events->ring = calloc(QUEUE_MAX, sizeof(*events->ring));
	if (!events->ring) {
		free(events);
		return ERR_MEMORY;
	}
	events->loop = loop;
	events->conn = conn;
	copy(events->daemon, sizeof(events->daemon), daemon);
	copy(events->instance, sizeof(events->instance), instance);
	loop_timer_open(loop, &events->timer, on_time, events);
	*ret_events = events;
	return ERR_OK;
}

uint64_t events_dropped(const struct events *events)
{
	return events->dropped;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	flush(events);
	events->is_closed = true;
	events->closing = events->in_flight > 0 ? 2 : 1;
	loop_timer_close_then(&events->timer, release);
}
