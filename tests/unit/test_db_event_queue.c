/* Events on their way to the database: what is folded, who gets how much room, what becomes of
 * a batch. */
#include "unit.h"

#include <string.h>

#include "core/text.h"
#include "db/event_queue.h"

static struct event_record ring[EVENT_QUEUE_MAX];
static struct event_queue queue;
static char json[EVENT_BATCH_SIZE];

static int begin(void **state)
{
	(void)state;
	memset(&queue, 0, sizeof(queue));
	queue.ring = ring;
	return 0;
}

/* The n-th event of a card; all differ. */
static void push(unsigned card, unsigned n)
{
	struct mac mac = {.octet = {0x52, 0x54, 0, 0, (uint8_t)(card >> 8), (uint8_t)card}};
	char name[16];
	struct text out = text_into(name, sizeof(name));

	text_printf(&out, "%u", n);
	event_queue_push(
		&queue,
		&(struct event){
			.stage = "tftp_nbp", .kind = "missing", .mac = &mac, .name = name},
		1000);
}

static size_t waiting_of(unsigned card)
{
	size_t count = 0;

	for (size_t i = 0; i < queue.count; i++) {
		const struct event_record *record = &ring[(queue.first + i) % EVENT_QUEUE_MAX];

		if (record->has_mac && record->mac.octet[5] == (uint8_t)card &&
		    record->mac.octet[4] == (uint8_t)(card >> 8))
			count++;
	}
	return count;
}

static void repeats_are_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		push(1, 7);
	assert_int_equal(queue.count, 1);
	assert_int_equal(event_queue_take(&queue, json, sizeof(json), 1500), 1);
	assert_string_equal(json, "[{\"ago_ms\":500,\"count\":10000,\"stage\":\"tftp_nbp\","
				  "\"kind\":\"missing\",\"mac\":\"52:54:00:00:00:01\","
				  "\"name\":\"7\"}]");
	/* what is on its way is not changed any more */
	push(1, 7);
	assert_int_equal(queue.count, 2);
	assert_int_equal(queue.dropped, 0);
}

static void one_card_gets_half(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		push(1, i);
	assert_int_equal(queue.count, EVENT_QUEUE_MAX / 2);
	assert_int_equal(queue.dropped, 20000 - EVENT_QUEUE_MAX / 2);
	/* the others do not feel it */
	for (unsigned i = 0; i < 1000; i++)
		push(2 + i % 50, i);
	assert_int_equal(queue.count, EVENT_QUEUE_MAX / 2 + 1000);
	assert_int_equal(queue.dropped, 20000 - EVENT_QUEUE_MAX / 2);
}

static void several_floods_share(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		push(1 + i % 3, i);
	for (unsigned card = 1; card <= 3; card++)
		assert_in_range(waiting_of(card), EVENT_QUEUE_MAX / 4 - 1,
				EVENT_QUEUE_MAX / 4 + 1);
	push(9, 0);
	assert_int_equal(waiting_of(9), 1);
}

static void many_cards_fill_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * EVENT_QUEUE_MAX; i++)
		push(i, i);
	assert_in_range(queue.count, EVENT_QUEUE_MAX * 9 / 10, EVENT_QUEUE_MAX);
	while (event_queue_has_room(&queue))
		push((unsigned)(queue.dropped + 10000), 0);
	assert_int_equal(queue.count, EVENT_QUEUE_MAX);
}

/* An address stands for a card that is not known. */
static void addresses_have_a_share(void **state)
{
	struct event event = {.stage = "script", .kind = "menu"};
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct text out = text_into(name, sizeof(name));

		text_printf(&out, "%u", i);
		event.name = name;
		event.address = ip_from_v4(0x0a4d0001);
		event_queue_push(&queue, &event, 0);
	}
	assert_int_equal(queue.count, EVENT_QUEUE_MAX / 2);
	event.address = ip_from_v4(0x0a4d0002);
	event_queue_push(&queue, &event, 0);
	assert_int_equal(queue.count, EVENT_QUEUE_MAX / 2 + 1);
}

/* However batches end: the shares are given back with what leaves, and none of it is lost. */
static void batches_end(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		size_t taken;

		for (unsigned i = 0; i < 150; i++)
			push(1 + i % 2, round * 1000 + i);
		taken = event_queue_take(&queue, json, sizeof(json), 2000);
		assert_int_equal(taken, EVENT_BATCH_MAX);
		assert_int_equal(event_queue_take(&queue, json, sizeof(json), 2000), 0);
		event_queue_settle(&queue,
				   round % 3 == 0 ? EVENT_QUEUE_AGAIN : EVENT_QUEUE_KEPT);
	}
	while (event_queue_take(&queue, json, sizeof(json), 2000) > 0)
		event_queue_settle(&queue, EVENT_QUEUE_KEPT);
	assert_int_equal(queue.count, 0);
	for (size_t i = 0; i < EVENT_QUEUE_MAX; i++)
		assert_int_equal(queue.waiting[i], 0);
	push(1, 1);
	(void)event_queue_take(&queue, json, sizeof(json), 2000);
	queue.dropped = 0;
	event_queue_settle(&queue, EVENT_QUEUE_REFUSED);
	assert_int_equal(queue.dropped, 1);
	assert_int_equal(queue.count, 0);
}

/* What does not fit stays for the next batch, and what is sent is whole. */
static void a_batch_is_whole(void **state)
{
	size_t taken;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		push(1, i);
	taken = event_queue_take(&queue, json, 300, 1000);
	assert_in_range(taken, 1, 3);
	assert_int_equal(json[strlen(json) - 1], ']');
	event_queue_settle(&queue, EVENT_QUEUE_KEPT);
	assert_int_equal(queue.count, 10 - taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(repeats_are_counted, begin),
		cmocka_unit_test_setup(one_card_gets_half, begin),
		cmocka_unit_test_setup(several_floods_share, begin),
		cmocka_unit_test_setup(many_cards_fill_it, begin),
		cmocka_unit_test_setup(addresses_have_a_share, begin),
		cmocka_unit_test_setup(batches_end, begin),
		cmocka_unit_test_setup(a_batch_is_whole, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
