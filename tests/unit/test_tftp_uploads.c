/*
 * A property: whatever a network does to the datagrams of an upload, and however slow the disk
 * is, both sides end; when the client believes that the file is there, it is, with its very
 * octets; and what is there was sent. From the request's bytes to the last ACK's, on a
 * simulated clock.
 */
#include "unit.h"

#include <stdlib.h>

#include "simnet.h"
#include "tftpd/receive.h"

#define CLIENT_WAIT_MS 1000
#define CLIENT_TRIES 8
#define DALLY_MS 10000

/* RFC 7440's sender; with a window of 1 that is RFC 1350's. */
struct client {
	const uint8_t *file;
	uint64_t size, blocks, acked, sent;
	uint16_t blksize, windowsize;
	uint64_t wait_until_ms;
	unsigned tries;
	bool is_answered, is_done, has_failed;
};

struct network {
	struct simnet sim;
	struct packet_options asked;
	struct receive receive;
	enum session_outcome outcome;
	uint64_t ended_ms;
	uint8_t *file; /* what is stored */
	size_t kept, stored;
	uint32_t disk_ms;
	uint64_t disk_done_ms; /* UINT64_MAX: it rests */
	struct client client;
};

/* ---- the server: what tftpd's shell does with a step */

static void server_step(struct network *net, struct session_event event);

static void server_send(struct network *net, const struct session_step *step)
{
	uint8_t buffer[SIMNET_DATAGRAM_MAX];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	if (step->send == SESSION_SEND_OACK)
		session_write_oack(&out, &net->asked, &net->receive.terms);
	if (step->send == SESSION_SEND_ACK)
		packet_write_ack(&out, (uint16_t)step->first);
	if (step->send == SESSION_SEND_ERROR)
		packet_write_error(&out, step->code, step->reason);
	if (out.length > 0)
		simnet_post(&net->sim, true, &out);
}

static void server_step(struct network *net, struct session_event event)
{
	struct session_step step;

	if (net->outcome != SESSION_OPEN)
		return;
	step = receive_step(&net->receive, &event, net->sim.now_ms);
	net->outcome = step.outcome;
	net->ended_ms = net->sim.now_ms;
	if (step.keep) {
		assert_true(net->kept + event.message_length <= net->client.size);
		memcpy(net->file + net->kept, event.message, event.message_length);
		net->kept += event.message_length;
	}
	if (step.store)
		net->disk_done_ms =
			net->sim.now_ms + simnet_random(&net->sim, net->disk_ms + 1);
	server_send(net, &step);
}

static void server_receive(struct network *net, const struct datagram *datagram)
{
	struct packet_reply reply;
	struct bytes_writer out;
	uint8_t buffer[4];

	assert_int_equal(packet_parse_reply(datagram->data, datagram->length, &reply), ERR_OK);
	if (net->outcome == SESSION_RECEIVED && reply.opcode == PACKET_DATA &&
	    receive_is_last(&net->receive, reply.number) &&
	    net->sim.now_ms - net->ended_ms < DALLY_MS) {
		out = bytes_writer(buffer, sizeof(buffer));
		packet_write_ack(&out, reply.number);
		simnet_post(&net->sim, true, &out);
		return;
	}
	server_step(net,
		    (struct session_event){.kind = reply.opcode == PACKET_DATA ? SESSION_DATA
									       : SESSION_ERROR,
					   .number = reply.number,
					   .message = reply.message,
					   .message_length = reply.message_length});
}

static void disk_turn(struct network *net)
{
	if (net->disk_done_ms > net->sim.now_ms)
		return;
	net->disk_done_ms = UINT64_MAX;
	net->stored = net->kept;
	server_step(net, (struct session_event){.kind = SESSION_STORED});
}

/* ---- the client */

static void client_send_window(struct network *net)
{
	struct client *client = &net->client;
	uint8_t buffer[SIMNET_DATAGRAM_MAX];

	for (uint16_t i = 0; i < client->windowsize && client->acked + i < client->blocks;
	     i++) {
		struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));
		uint64_t offset = (client->acked + i) * client->blksize;
		uint64_t left = client->size - offset;

		packet_write_data_header(&out, (uint16_t)(client->acked + i + 1));
		bytes_put(&out, client->file + offset,
			  (size_t)(left < client->blksize ? left : client->blksize));
		simnet_post(&net->sim, false, &out);
		client->sent = client->acked + i + 1;
	}
	client->wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS * (client->tries + 1);
}

static void client_receive(struct network *net, const struct datagram *datagram)
{
	struct bytes_reader in = bytes_reader(datagram->data, datagram->length);
	uint16_t opcode = bytes_get_u16(&in);
	struct client *client = &net->client;
	uint16_t ahead;

	if (client->is_done || client->has_failed)
		return;
	if (opcode == PACKET_ERROR) {
		client->has_failed = true;
		return;
	}
	if (opcode == PACKET_OACK) {
		if (!client->is_answered)
			client_send_window(net);
		client->is_answered = true;
		return;
	}
	assert_int_equal(opcode, PACKET_ACK);
	ahead = (uint16_t)(bytes_get_u16(&in) - (uint16_t)client->acked);
	/* a repeated ACK is left to the timer: RFC 1123 section 4.2.3.1. In a window it is a
	   gap before its first block, and the timer sees to that, too. */
	if (client->is_answered && (ahead == 0 || ahead > client->sent - client->acked))
		return;
	client->is_answered = true;
	client->acked += ahead;
	client->tries = 0;
	client->is_done = client->acked == client->blocks;
	if (!client->is_done)
		client_send_window(net);
}

static void client_timer(struct network *net)
{
	struct client *client = &net->client;

	if (client->is_done || client->has_failed || net->sim.now_ms < client->wait_until_ms)
		return;
	if (++client->tries > CLIENT_TRIES) {
		client->has_failed = true;
		return;
	}
	if (client->is_answered) {
		client_send_window(net);
		return;
	}
	client->wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS * client->tries;
	server_step(net, (struct session_event){.kind = SESSION_ASKED_AGAIN});
}

/* ---- the play */

static void request(struct network *net)
{
	struct session_limits limits = {.blksize = 1468, .windowsize = SESSION_WINDOW_MAX};
	struct client *client = &net->client;
	struct session_terms terms;

	net->asked = simnet_request(PACKET_WRQ, client->windowsize, client->blksize);
	terms = session_agree(&net->asked, &limits, 0);
	receive_begin(&net->receive, &terms, client->size, net->sim.now_ms);
	client->wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS;
	server_step(net, (struct session_event){.kind = SESSION_START});
}

static uint64_t next_moment(const struct network *net)
{
	const struct client *client = &net->client;
	uint64_t next = simnet_next(&net->sim);

	if (net->disk_done_ms < next)
		next = net->disk_done_ms;
	if (net->outcome == SESSION_OPEN && net->receive.wait_until_ms < next)
		next = net->receive.wait_until_ms;
	if (!client->is_done && !client->has_failed && client->wait_until_ms < next)
		next = client->wait_until_ms;
	return next;
}

static void play(struct network *net)
{
	struct datagram datagram;

	while (net->outcome == SESSION_OPEN || net->sim.count > 0 ||
	       !(net->client.is_done || net->client.has_failed)) {
		uint64_t next = next_moment(net);

		assert_true(next < 3600 * 1000); /* nobody waits for ever */
		net->sim.now_ms = next > net->sim.now_ms ? next : net->sim.now_ms;
		while (simnet_take(&net->sim, &datagram)) {
			if (datagram.is_for_client)
				client_receive(net, &datagram);
			else
				server_receive(net, &datagram);
		}
		disk_turn(net);
		client_timer(net);
		server_step(net, (struct session_event){.kind = SESSION_TIMER});
	}
}

struct run {
	bool is_whole, believes;
	enum session_outcome outcome;
	uint64_t sent_by_server, blocks, repeats, took_ms;
};

static struct run upload(uint32_t seed, struct weather weather, uint64_t size,
			 uint16_t windowsize, uint32_t disk_ms)
{
	uint8_t *file = malloc(size + 1);
	struct network net = {.file = malloc(size + 1),
			      .disk_ms = disk_ms,
			      .disk_done_ms = UINT64_MAX,
			      .client = {.file = file,
					 .size = size,
					 .blocks = size / 512 + 1,
					 .blksize = 512,
					 .windowsize = windowsize}};
	struct run run;

	for (uint64_t i = 0; i < size; i++)
		file[i] = (uint8_t)(i * 31 + i / 251 + seed);
	simnet_open(&net.sim, seed, weather);
	request(&net);
	play(&net);
	run = (struct run){.outcome = net.outcome,
			   .is_whole = net.outcome == SESSION_RECEIVED && net.stored == size &&
				       memcmp(net.file, file, size) == 0,
			   .believes = net.client.is_done,
			   .sent_by_server = net.sim.sent_by_server,
			   .blocks = net.client.blocks,
			   .repeats = net.receive.repeats,
			   .took_ms = net.sim.now_ms};
	/* whoever says that it is there is right */
	assert_true(run.is_whole || !run.believes);
	assert_true(run.is_whole || run.outcome != SESSION_RECEIVED);
	simnet_close(&net.sim);
	free(net.file);
	free(file);
	return run;
}

static const uint64_t sizes[] = {0, 1, 511, 512, 513, 8 * 512, 100000};
static const uint16_t windows[] = {1, 2, 4, 16, 64};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_good_weather_wastes_nothing(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(sizes); s++) {
		for (size_t w = 0; w < COUNT(windows); w++) {
			struct run run =
				upload(1, (struct weather){0}, sizes[s], windows[w], 0);
			uint64_t acks = (run.blocks + windows[w] - 1) / windows[w];

			assert_true(run.is_whole && run.believes);
			assert_int_equal(run.repeats, 0);
			assert_int_equal(run.sent_by_server, 1 + acks);
		}
	}
}

static void test_every_weather_ends_well(void **state)
{
	static const struct weather weathers[] = {
		{1, 0, 0},    {0, 100, 0},   {0, 0, 20}, {5, 5, 5},
		{10, 30, 40}, {50, 50, 100}, {95, 0, 0},
	};

	(void)state;
	for (uint32_t seed = 1; seed <= 25; seed++) {
		for (size_t i = 0; i < COUNT(weathers); i++) {
			for (size_t w = 0; w < COUNT(windows); w++)
				(void)upload(seed, weathers[i], sizes[seed % COUNT(sizes)],
					     windows[w], seed % 3 * 700);
		}
	}
}

static void test_some_loss_is_overcome(void **state)
{
	struct weather weather = {.loss = 3, .doubling = 3, .jitter_ms = 3};

	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		for (size_t w = 0; w < COUNT(windows); w++) {
			struct run run = upload(seed, weather, 100000, windows[w], 5);

			assert_true(run.is_whole && run.believes);
		}
	}
}

/* Every datagram comes twice: no block is kept twice, and no ACK is said twice. */
static void test_doubled_datagrams_do_not_multiply(void **state)
{
	struct weather weather = {.doubling = 100};

	(void)state;
	for (size_t w = 0; w < COUNT(windows); w++) {
		struct run run = upload(7, weather, 500 * 512, windows[w], 0);

		assert_true(run.is_whole && run.believes);
		assert_int_equal(run.repeats, 0);
	}
}

/* A disk that takes longer than the client waits: it repeats, and is answered once. */
static void test_slow_disk(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 10; seed++) {
		struct run run = upload(seed, (struct weather){0}, 5 * 512, 1, 5000);

		assert_true(run.is_whole && run.believes);
	}
}

/* A lost block within a window costs no timer's second. */
static void test_gaps_are_closed_fast(void **state)
{
	struct weather weather = {.loss = 1};

	(void)state;
	/* some ten gaps; where the first of a window or an ACK is lost, the client's timer has
	 * to */
	assert_true(upload(3, weather, 1000 * 512, 64, 0).took_ms < 6000);
}

static void test_wrap(void **state)
{
	(void)state;
	assert_true(upload(5, (struct weather){.loss = 1}, 66000ULL * 512, 64, 0).is_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_weather_wastes_nothing),
		cmocka_unit_test(test_every_weather_ends_well),
		cmocka_unit_test(test_some_loss_is_overcome),
		cmocka_unit_test(test_doubled_datagrams_do_not_multiply),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_gaps_are_closed_fast),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
