#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/udp.h"

#define DEADLINE_MS 5000

struct story {
	struct loop loop;
	struct loop_timer deadline;
	struct udp *server, *client;
	size_t received, largest_batch, wanted, octets;
	struct udp_datagram last;
	uint8_t last_data[64];
	int error;
	struct udp_peer error_peer;
	bool close_in_callback;
};

static struct ip address_of(const char *text)
{
	struct ip address;

	assert_int_equal(ip_parse(text, &address), ERR_OK);
	return address;
}

static bool is_address(const struct ip *address, const char *text)
{
	struct ip expected = address_of(text);

	return ip_equal(address, &expected);
}

static struct udp_datagram datagram_to(const char *peer, uint16_t port, const char *data)
{
	return (struct udp_datagram){
		.data = (const uint8_t *)data,
		.length = strlen(data),
		.peer = {.address = address_of(peer), .port = port},
	};
}

static void on_deadline(void *data)
{
	(void)data;
	fail_msg("nothing happened within %d ms", DEADLINE_MS);
}

static void on_batch(void *data, const struct udp_datagram *datagrams, size_t count)
{
	struct story *story = data;
	const struct udp_datagram *last = &datagrams[count - 1];

	story->received += count;
	for (size_t i = 0; i < count; i++)
		story->octets += datagrams[i].length;
	if (count > story->largest_batch)
		story->largest_batch = count;
	story->last = *last;
	memcpy(story->last_data, last->data, last->length < 64 ? last->length : 64);
	if (story->close_in_callback) {
		udp_close(story->server);
		story->server = NULL;
	}
	if (story->received >= story->wanted)
		loop_stop(&story->loop);
}

static void on_error(void *data, const struct udp_peer *peer, int error)
{
	struct story *story = data;

	story->error = error;
	story->error_peer = *peer;
	loop_stop(&story->loop);
}

/* A server of any address, and of IPv6 too if so; a client of that address. */
static void open_story_at(struct story *story, bool both, const char *client)
{
	struct udp_options any = {
		.both = both, .on_batch = on_batch, .on_error = on_error, .data = story};
	struct udp_options local = any;

	memset(story, 0, sizeof(*story));
	local.address = address_of(client);
	assert_int_equal(loop_open(&story->loop, NULL, NULL), ERR_OK);
	loop_timer_open(&story->loop, &story->deadline, on_deadline, story);
	loop_timer_start(&story->deadline, DEADLINE_MS, 0);
	assert_int_equal(udp_open(&story->loop, &any, &story->server), ERR_OK);
	assert_int_equal(udp_open(&story->loop, &local, &story->client), ERR_OK);
}

static void open_story(struct story *story)
{
	open_story_at(story, false, "127.0.0.1");
}

static void close_story(struct story *story)
{
	udp_close(story->server);
	udp_close(story->client);
	loop_timer_close(&story->deadline);
	loop_close(&story->loop);
}

/* 200 datagrams come in full batches, and each is whole. */
static void test_batches(void **state)
{
	struct story story;
	struct udp_datagram many[200];

	(void)state;
	open_story(&story);
	story.wanted = 200;
	for (size_t i = 0; i < 200; i++)
		many[i] = datagram_to("127.0.0.1", udp_port(story.server), "hello");
	assert_int_equal(udp_send(story.client, many, 200), 200);
	loop_run(&story.loop);
	assert_int_equal(story.received, 200);
	assert_int_equal(story.largest_batch, UDP_BATCH);
	assert_int_equal(story.last.length, 5);
	assert_memory_equal(story.last_data, "hello", 5);
	assert_int_equal(story.last.peer.port, udp_port(story.client));
	assert_int_equal(udp_send_errors(story.client), 0);
	close_story(&story);
}

/* The address that a client reached is told, and an answer can be sent from it. */
static void play_local_address(bool both, const char *client, const char *asked)
{
	struct story story;
	struct udp_datagram ask;
	struct udp_datagram answer;

	open_story_at(&story, both, client);
	story.wanted = 1;
	ask = datagram_to(asked, udp_port(story.server), "ask");
	assert_int_equal(udp_send(story.client, &ask, 1), 1);
	loop_run(&story.loop);
	assert_true(is_address(&story.last.local, asked));
	assert_true(is_address(&story.last.destination, asked));
	assert_true(is_address(&story.last.peer.address, client));
	assert_int_equal(story.last.interface, if_nametoindex("lo"));

	answer = story.last;
	answer.data = (const uint8_t *)"answer";
	answer.length = 6;
	story.received = 0;
	assert_int_equal(udp_send(story.server, &answer, 1), 1);
	loop_run(&story.loop);
	assert_memory_equal(story.last_data, "answer", 6);
	assert_true(is_address(&story.last.peer.address, asked));
	assert_int_equal(story.last.peer.port, udp_port(story.server));
	close_story(&story);
}

static void test_local_address(void **state)
{
	(void)state;
	play_local_address(false, "127.0.0.1", "127.0.0.9");
}

/* One socket of both kinds: each client is met in its own. */
static void test_both_kinds(void **state)
{
	(void)state;
	play_local_address(true, "127.0.0.1", "127.0.0.9");
	play_local_address(true, "::1", "::1");
}

/* A socket of IPv4 alone cannot reach the other kind: counted, and what follows is sent. */
static void test_other_kind(void **state)
{
	struct story story;
	struct udp_datagram batch[2];

	(void)state;
	open_story(&story);
	batch[0] = datagram_to("::1", udp_port(story.server), "lost");
	batch[1] = datagram_to("127.0.0.1", udp_port(story.server), "after");
	assert_int_equal(udp_send(story.client, batch, 2), 2);
	assert_int_equal(udp_send_errors(story.client), 1);
	story.wanted = 1;
	loop_run(&story.loop);
	assert_memory_equal(story.last_data, "after", 5);
	close_story(&story);
}

/* A port with nobody behind it: ICMP names the peer, and the socket goes on. */
static void play_icmp_error(bool both, const char *client)
{
	struct story story;
	struct udp_datagram lost;
	struct udp_datagram fine;
	struct udp *asking;
	uint16_t dead_port;

	open_story_at(&story, both, client);
	asking = both ? story.server : story.client;
	dead_port = udp_port(both ? story.client : story.server);
	udp_close(both ? story.client : story.server);
	lost = datagram_to(client, dead_port, "anybody?");
	assert_int_equal(udp_send(asking, &lost, 1), 1);
	loop_run(&story.loop);
	assert_int_equal(story.error, ECONNREFUSED);
	assert_int_equal(story.error_peer.port, dead_port);
	assert_true(is_address(&story.error_peer.address, client));

	story.wanted = 1;
	fine = datagram_to(client, udp_port(asking), "self");
	assert_int_equal(udp_send(asking, &fine, 1), 1);
	loop_run(&story.loop);
	assert_memory_equal(story.last_data, "self", 4);
	if (both)
		story.client = NULL;
	else
		story.server = NULL;
	close_story(&story);
}

static void test_icmp_error(void **state)
{
	(void)state;
	play_icmp_error(false, "127.0.0.1");
	play_icmp_error(true, "127.0.0.1");
	play_icmp_error(true, "::1");
}

/* The error of an earlier datagram does not eat a later one, nor what has been received. */
static void test_error_hits_nobody_else(void **state)
{
	struct story story;
	struct udp_datagram batch[4];
	uint16_t dead_port;

	(void)state;
	open_story(&story);
	dead_port = udp_port(story.server);
	udp_close(story.server);
	story.server = NULL;
	for (size_t i = 0; i < 4; i++)
		batch[i] = datagram_to("127.0.0.1", i % 2 ? udp_port(story.client) : dead_port,
				       "x");
	/* one by one: an error that is known before the call begins fails that call's first */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(udp_send(story.client, &batch[i], 1), 1);
	assert_int_equal(udp_send_errors(story.client), 0);
	story.wanted = 2;
	while (story.received < 2)
		loop_run(&story.loop); /* on_error stops it as well */
	assert_int_equal(story.received, 2);
	assert_int_equal(story.error, ECONNREFUSED);
	close_story(&story);
}

static void test_unsendable(void **state)
{
	static uint8_t huge[70000];
	struct story story;
	struct udp_datagram batch[2];

	(void)state;
	open_story(&story);
	batch[0] = datagram_to("127.0.0.1", udp_port(story.server), "");
	batch[0].data = huge;
	batch[0].length = sizeof(huge);
	batch[1] = datagram_to("127.0.0.1", udp_port(story.server), "after");
	assert_int_equal(udp_send(story.client, batch, 2), 2);
	assert_int_equal(udp_send_errors(story.client), 1);
	story.wanted = 1;
	loop_run(&story.loop);
	assert_memory_equal(story.last_data, "after", 5);
	close_story(&story);
}

/* Segments come one by one, the last one shorter, and what follows them comes after. */
static void send_segments(struct story *story, const char *server, size_t segment)
{
	static uint8_t window[UDP_PAYLOAD_MAX];
	size_t length = 4 * segment + 7;
	struct udp_datagram batch[3];

	batch[0] = datagram_to(server, udp_port(story->server), "before");
	batch[1] = batch[0];
	batch[1].data = window;
	batch[1].length = length;
	batch[1].segment = segment;
	batch[2] = datagram_to(server, udp_port(story->server), "after");
	assert_int_equal(udp_send(story->client, batch, 3), 3);
	story->wanted = 7;
	loop_run(&story->loop);
	assert_int_equal(story->received, 7);
	assert_int_equal(story->octets, 6 + length + 5);
	assert_memory_equal(story->last_data, "after", 5);
	assert_int_equal(udp_send_errors(story->client), 0);
}

static void test_segments(void **state)
{
	struct story story;

	(void)state;
	open_story(&story);
	send_segments(&story, "127.0.0.1", 1472);
	close_story(&story);
	open_story_at(&story, true, "::1");
	send_segments(&story, "::1", 1452);
	close_story(&story);
}

/* The kernel cuts nothing for a socket that makes no checksums (EINVAL): it is cut here. */
static void test_segments_that_the_kernel_refuses(void **state)
{
	struct story story;
	int given = socket(AF_INET, SOCK_DGRAM, 0);
	struct udp_options options = {.on_batch = on_batch, .activated = given};
	int on = 1;

	(void)state;
	open_story(&story);
	udp_close(story.client);
	assert_int_equal(setsockopt(given, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
	assert_int_equal(udp_open(&story.loop, &options, &story.client), ERR_OK);
	send_segments(&story, "127.0.0.1", 1472);
	close_story(&story);
}

static void test_occupied_port(void **state)
{
	struct story story;
	struct udp_options options = {.on_batch = on_batch};
	struct udp *second = NULL;

	(void)state;
	open_story(&story);
	options.port = udp_port(story.server);
	assert_int_equal(udp_open(&story.loop, &options, &second), ERR_SYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	assert_null(second);
	close_story(&story);
}

static void test_activated(void **state)
{
	struct story story;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int given = socket(AF_INET, SOCK_DGRAM, 0);
	struct udp_options options = {.on_batch = on_batch, .data = &story, .activated = given};
	struct udp_datagram ask;

	(void)state;
	open_story(&story);
	udp_close(story.server);
	assert_int_equal(bind(given, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(udp_open(&story.loop, &options, &story.server), ERR_OK);
	story.wanted = 1;
	ask = datagram_to("127.0.0.1", udp_port(story.server), "ask");
	assert_int_equal(udp_send(story.client, &ask, 1), 1);
	loop_run(&story.loop);
	assert_int_equal(story.received, 1);
	close_story(&story);
}

static void test_close_within_batch(void **state)
{
	struct story story;
	struct udp_datagram many[UDP_BATCH * 2];

	(void)state;
	open_story(&story);
	story.close_in_callback = true;
	for (size_t i = 0; i < UDP_BATCH * 2; i++)
		many[i] = datagram_to("127.0.0.1", udp_port(story.server), "x");
	assert_int_equal(udp_send(story.client, many, UDP_BATCH * 2), UDP_BATCH * 2);
	story.wanted = 1;
	loop_run(&story.loop);
	assert_int_equal(story.received, UDP_BATCH);
	close_story(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_local_address),
		cmocka_unit_test(test_both_kinds),
		cmocka_unit_test(test_other_kind),
		cmocka_unit_test(test_icmp_error),
		cmocka_unit_test(test_error_hits_nobody_else),
		cmocka_unit_test(test_unsendable),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_segments_that_the_kernel_refuses),
		cmocka_unit_test(test_occupied_port),
		cmocka_unit_test(test_activated),
		cmocka_unit_test(test_close_within_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
