/*
 * A property: whatever a network does to the datagrams (loses, doubles, reorders, delays them),
 * a transfer ends on both sides, and the client then has the file's very octets or knows that
 * it has not. Everything runs on a simulated clock, from the request's bytes to the last ACK's.
 */
#include "unit.h"

#include <stdlib.h>

#include "simnet.h"
#include "tftpd/session.h"

#define CLIENT_WAIT_MS 1000
#define CLIENT_TRIES 8

struct client {
	uint8_t *file;
	size_t length, size; /* received, room */
	uint16_t blksize, windowsize;
	uint64_t expected;  /* the next block */
	unsigned in_window; /* blocks since the last ACK */
	uint64_t wait_until_ms;
	unsigned tries;
	bool is_answered, is_done, has_failed, was_gap_told;
};

struct network {
	struct simnet sim;
	struct packet_options asked;
	struct session session;
	enum session_outcome outcome;
	const uint8_t *file;
	struct client client;
};

/* The server: what tftpd's shell does with a step. */
static void carry_out(struct network *net, struct session_step step)
{
	uint8_t buffer[SIMNET_DATAGRAM_MAX];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	net->outcome = step.outcome;
	if (step.send == SESSION_SEND_OACK) {
		session_write_oack(&out, &net->asked, &net->session.terms);
		simnet_post(&net->sim, true, &out);
	} else if (step.send == SESSION_SEND_ERROR) {
		packet_write_error(&out, step.code, step.reason);
		simnet_post(&net->sim, true, &out);
	}
	for (unsigned i = 0; step.send == SESSION_SEND_DATA && i < step.count; i++) {
		uint64_t block = step.first + i;

		out = bytes_writer(buffer, sizeof(buffer));
		packet_write_data_header(&out, (uint16_t)block);
		bytes_put(&out, net->file + session_block_offset(&net->session, block),
			  session_block_length(&net->session, block));
		simnet_post(&net->sim, true, &out);
	}
}

static void server_step(struct network *net, struct session_event event)
{
	if (net->outcome == SESSION_OPEN)
		carry_out(net, session_step(&net->session, &event, net->sim.now_ms));
}

static void server_receive(struct network *net, const struct datagram *datagram)
{
	struct packet_reply reply;

	assert_int_equal(packet_parse_reply(datagram->data, datagram->length, &reply), ERR_OK);
	server_step(net,
		    (struct session_event){.kind = reply.opcode == PACKET_ACK ? SESSION_ACK
									      : SESSION_ERROR,
					   .number = reply.number,
					   .message = reply.message,
					   .message_length = reply.message_length});
}

/* The client: RFC 7440's receiver; with a window of 1 that is RFC 1350's. */
static void client_ack(struct network *net)
{
	uint8_t buffer[4];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	bytes_put_u16(&out, PACKET_ACK);
	bytes_put_u16(&out, (uint16_t)(net->client.expected - 1));
	net->client.in_window = 0;
	net->client.wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS;
	simnet_post(&net->sim, false, &out);
}

static void client_take_block(struct network *net, const uint8_t *data, size_t length)
{
	struct client *client = &net->client;

	assert_true(client->length + length <= client->size);
	memcpy(client->file + client->length, data, length);
	client->length += length;
	client->expected++;
	client->tries = 0;
	client->was_gap_told = false;
	client->wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS;
	client->is_done = length < client->blksize;
	if (++client->in_window == client->windowsize || client->is_done)
		client_ack(net);
}

static void client_receive(struct network *net, const struct datagram *datagram)
{
	struct bytes_reader in = bytes_reader(datagram->data, datagram->length);
	uint16_t opcode = bytes_get_u16(&in);
	struct client *client = &net->client;
	uint16_t ahead;

	if (client->has_failed)
		return;
	client->is_answered = true;
	if (opcode == PACKET_ERROR) {
		client->has_failed = !client->is_done;
		return;
	}
	if (opcode == PACKET_OACK) {
		/* the simulator's own request is granted whole: only ACK 0 is to be said */
		if (client->expected == 1)
			client_ack(net);
		return;
	}
	assert_int_equal(opcode, PACKET_DATA);
	ahead = (uint16_t)(bytes_get_u16(&in) - (uint16_t)client->expected);
	if (ahead == 0 && !client->is_done)
		client_take_block(net, in.at, in.left);
	else if (ahead == 0 || ahead > 0x8000)
		client_ack(net); /* an old one: GRUB answers each, the trap of the apprentice */
	else if (!client->was_gap_told) {
		client->was_gap_told = true;
		client_ack(net);
	}
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
	client->wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS * client->tries;
	if (client->is_answered)
		client_ack(net);
	else
		server_step(net, (struct session_event){.kind = SESSION_ASKED_AGAIN});
}

static void deliver_due(struct network *net)
{
	struct datagram datagram;

	while (simnet_take(&net->sim, &datagram)) {
		if (datagram.is_for_client)
			client_receive(net, &datagram);
		else
			server_receive(net, &datagram);
	}
}

static uint64_t next_moment(const struct network *net)
{
	uint64_t next = simnet_next(&net->sim);

	if (net->outcome == SESSION_OPEN && net->session.wait_until_ms < next)
		next = net->session.wait_until_ms;
	if (!net->client.is_done && !net->client.has_failed && net->client.wait_until_ms < next)
		next = net->client.wait_until_ms;
	return next;
}

static void request(struct network *net, uint64_t size)
{
	struct session_limits limits = {.blksize = 1468, .windowsize = SESSION_WINDOW_MAX};
	struct client *client = &net->client;
	struct session_terms terms;

	net->asked = simnet_request(PACKET_RRQ, client->windowsize, client->blksize);
	terms = session_agree(&net->asked, &limits, size);
	assert_int_equal(terms.blksize, client->blksize);
	assert_int_equal(terms.windowsize, client->windowsize);
	session_begin(&net->session, &terms, net->sim.now_ms);
	client->wait_until_ms = net->sim.now_ms + CLIENT_WAIT_MS;
	server_step(net, (struct session_event){.kind = SESSION_START});
}

static void play(struct network *net)
{
	while (net->outcome == SESSION_OPEN || net->sim.count > 0 ||
	       !(net->client.is_done || net->client.has_failed)) {
		uint64_t next = next_moment(net);

		assert_true(next != UINT64_MAX); /* one side waits for ever */
		assert_true(next < 3600 * 1000);
		net->sim.now_ms = next > net->sim.now_ms ? next : net->sim.now_ms;
		deliver_due(net);
		client_timer(net);
		server_step(net, (struct session_event){.kind = SESSION_TIMER});
	}
}

struct run {
	bool is_whole;
	enum session_outcome outcome;
	uint64_t sent_by_server, blocks, retransmits, took_ms;
};

static struct run transfer(uint32_t seed, struct weather weather, uint64_t size,
			   uint16_t blksize, uint16_t windowsize)
{
	uint8_t *file = malloc(size + 1);
	struct network net = {.file = file,
			      .client = {.file = malloc(size + 1),
					 .size = size,
					 .blksize = blksize,
					 .windowsize = windowsize,
					 .expected = 1}};
	struct run run;

	for (uint64_t i = 0; i < size; i++)
		file[i] = (uint8_t)(i * 31 + i / 251 + seed);
	simnet_open(&net.sim, seed, weather);
	request(&net, size);
	play(&net);
	run = (struct run){.outcome = net.outcome,
			   .is_whole = net.client.is_done && net.client.length == size &&
				       memcmp(net.client.file, file, size) == 0,
			   .sent_by_server = net.sim.sent_by_server,
			   .blocks = net.session.blocks,
			   .retransmits = net.session.retransmits,
			   .took_ms = net.sim.now_ms};
	/* the client has all of it, or knows that it has not */
	assert_true(run.is_whole || net.client.has_failed);
	/* and the server never says "sent" of what was not */
	assert_true(run.outcome != SESSION_SENT || run.is_whole);
	free(net.client.file);
	simnet_close(&net.sim);
	free(file);
	return run;
}

static const uint64_t sizes[] = {0, 1, 511, 512, 513, 8 * 512, 100000};
static const uint16_t windows[] = {1, 2, 4, 16, 64};

static void test_good_weather_wastes_nothing(void **state)
{
	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
			struct run run =
				transfer(1, (struct weather){0}, sizes[s], 512, windows[w]);

			assert_true(run.is_whole);
			assert_int_equal(run.outcome, SESSION_SENT);
			assert_int_equal(run.retransmits, 0);
			assert_int_equal(run.sent_by_server, run.blocks + (windows[w] > 1));
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
		for (size_t i = 0; i < sizeof(weathers) / sizeof(weathers[0]); i++) {
			size_t s = seed % (sizeof(sizes) / sizeof(sizes[0]));

			for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++)
				(void)transfer(seed, weathers[i], sizes[s], 512, windows[w]);
		}
	}
}

static void test_some_loss_is_overcome(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
			struct weather weather = {.loss = 3, .doubling = 3, .jitter_ms = 3};

			assert_true(transfer(seed, weather, 100000, 1468, windows[w]).is_whole);
		}
	}
}

/* The apprentice: when every datagram comes twice, DATA must not be sent twice. */
static void test_doubled_datagrams_do_not_multiply(void **state)
{
	struct weather weather = {.doubling = 100};

	(void)state;
	for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
		struct run run = transfer(7, weather, 500 * 512, 512, windows[w]);

		assert_true(run.is_whole);
		assert_int_equal(run.retransmits, 0);
		assert_int_equal(run.sent_by_server, run.blocks + (windows[w] > 1));
	}
}

/* A lost datagram within a window costs milliseconds, not the timer's second. */
static void test_gaps_are_closed_fast(void **state)
{
	struct weather weather = {.loss = 1};

	(void)state;
	/* some twenty losses; one second each, if the timer alone closed them */
	assert_true(transfer(3, weather, 1000 * 512, 512, 16).took_ms < 5000);
}

static void test_wrap_in_bad_weather(void **state)
{
	struct weather weather = {.loss = 1, .doubling = 5, .jitter_ms = 2};

	(void)state;
	assert_true(transfer(5, weather, 66000ULL * 8, 8, 64).is_whole);
	assert_true(transfer(5, (struct weather){0}, 66000ULL * 8, 8, 1).is_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_weather_wastes_nothing),
		cmocka_unit_test(test_every_weather_ends_well),
		cmocka_unit_test(test_some_loss_is_overcome),
		cmocka_unit_test(test_doubled_datagrams_do_not_multiply),
		cmocka_unit_test(test_gaps_are_closed_fast),
		cmocka_unit_test(test_wrap_in_bad_weather),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
