#include "db/event_queue.h"

#include <string.h>

#include "core/text.h"

#define FOLD_WITHIN 128 /* how far back a repeat is looked for */

static size_t place(const struct event_queue *queue, size_t position)
{
	return (queue->first + position) % EVENT_QUEUE_MAX;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t length = from ? strnlen(from, size - 1) : 0;

	if (length > 0)
		memcpy(to, from, length);
	to[length] = '\0';
}

static void fill(struct event_record *record, const struct event *event, uint64_t now_ms)
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

static uint32_t hash(uint32_t before, const void *octets, size_t length)
{
	const uint8_t *octet = octets;

	for (size_t i = 0; i < length; i++)
		before = (before ^ octet[i]) * 16777619U; /* FNV-1a */
	return before;
}

static const uint32_t hash_begin = 2166136261U;

/* A few octets that stand close together. */
static uint32_t mark_of(const struct event_record *record)
{
	uint32_t mark = hash(hash_begin, record->mac.octet, sizeof(record->mac.octet));

	/* what tells neighbours apart */
	mark = hash(mark, record->address.octet + 12, sizeof(record->address.octet) - 12);
	return hash(mark, record->kind, strlen(record->kind));
}

/* Whose events share a bound: those of a card, else of an address. */
static uint16_t *share_of(struct event_queue *queue, const struct event_record *record)
{
	uint32_t owner =
		record->has_mac ? hash(hash_begin, record->mac.octet, sizeof(record->mac.octet))
				: hash(hash_begin + 1, record->address.octet,
				       sizeof(record->address.octet));

	return &queue->waiting[(owner ^ owner >> 16) % EVENT_QUEUE_MAX];
}

static bool is_repeat(const struct event_record *a, const struct event_record *b)
{
	return a->has_mac == b->has_mac && mac_equal(&a->mac, &b->mac) &&
	       ip_equal(&a->address, &b->address) && strcmp(a->stage, b->stage) == 0 &&
	       strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->reason, b->reason) == 0;
}

/* Is it the same as one that waits? Then that one counts it. */
static bool fold(struct event_queue *queue, const struct event_record *record, uint32_t mark)
{
	size_t waiting = queue->count - queue->in_flight;
	size_t within = waiting < FOLD_WITHIN ? waiting : FOLD_WITHIN;

	for (size_t i = 1; i <= within; i++) {
		size_t position = (queue->first + queue->count - i) % EVENT_QUEUE_MAX;
		struct event_record *earlier = &queue->ring[position];

		if (queue->marks[position] == mark && is_repeat(earlier, record)) {
			earlier->count++;
			return true;
		}
	}
	return false;
}

bool event_queue_has_room(struct event_queue *queue)
{
	if (queue->count < EVENT_QUEUE_MAX)
		return true;
	queue->dropped++;
	return false;
}

void event_queue_push(struct event_queue *queue, const struct event *event, uint64_t now_ms)
{
	struct event_record record;
	uint32_t mark;
	uint16_t *share;

	fill(&record, event, now_ms);
	mark = mark_of(&record);
	if (fold(queue, &record, mark))
		return;
	share = share_of(queue, &record);
	if (*share >= EVENT_QUEUE_MAX - queue->count) {
		queue->dropped++;
		return;
	}
	queue->ring[place(queue, queue->count)] = record;
	queue->marks[place(queue, queue->count)] = mark;
	queue->count++;
	(*share)++;
}

static void put_string(struct text *out, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	text_printf(out, ",\"%s\":\"", name);
	text_put_json(out, value);
	text_put(out, "\"");
}

static void put_record(struct text *out, const struct event_record *record, uint64_t now_ms)
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

size_t event_queue_take(struct event_queue *queue, char *json, size_t size, uint64_t now_ms)
{
	struct text out = text_into(json, size);
	size_t count = 0;

	if (queue->in_flight > 0)
		return 0;
	text_put(&out, "[");
	while (count < queue->count && count < EVENT_BATCH_MAX) {
		size_t before = out.length;

		text_put(&out, count > 0 ? "," : "");
		put_record(&out, &queue->ring[place(queue, count)], now_ms);
		if (out.failed || out.length + 2 > size) {
			out.failed = false;
			out.length = before;
			json[before] = '\0';
			break;
		}
		count++;
	}
	text_put(&out, "]");
	queue->in_flight = count;
	return count;
}

void event_queue_settle(struct event_queue *queue, enum event_queue_end end)
{
	size_t settled = end == EVENT_QUEUE_AGAIN ? 0 : queue->in_flight;

	for (size_t i = 0; i < settled; i++)
		(*share_of(queue, &queue->ring[place(queue, i)]))--;
	queue->first = place(queue, settled);
	queue->count -= settled;
	queue->in_flight = 0;
	if (end == EVENT_QUEUE_REFUSED)
		queue->dropped += settled;
}
