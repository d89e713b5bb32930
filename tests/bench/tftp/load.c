/*
 * load - many TFTP clients in one process, for tests/bench/tftp/run and the tests of tftpd.
 *
 *	load --server 10.99.0.1 --file f --size 1048576 --clients 500 --windowsize 4
 *
 * `clients` transfers are open at a time until `total` are done. Every client follows RFC 1350
 * and RFC 7440, repeats itself after `wait` milliseconds, and gives up after `tries` of them.
 * Loss is made here, of a hundred datagrams each way, so that every server meets the same:
 * segments that the kernel joined (UDP_GRO) are lost one by one. One line of JSON comes out.
 *
 * With --abandon N every client falls silent after N acknowledgements, and stays until standard
 * input ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BATCH 8
#define JOINED_MAX 65536
#define EVENTS 256
#define TICK_MS 10

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };

static struct {
	struct sockaddr_in server;
	const char *file, *against;
	uint64_t size;
	unsigned clients, total, blksize, windowsize, wait_ms, tries, loss;
	bool expects_error, abandons;
	unsigned acks, timeout; /* before it falls silent; the option */
	const uint8_t *content;
} plan = {.clients = 1, .blksize = 1468, .windowsize = 1, .wait_ms = 1000, .tries = 10};

struct client {
	int socket; /* -1: not in use */
	bool is_answered, is_gap_told;
	uint16_t blksize, windowsize, in_window;
	unsigned tries, acks;
	uint64_t block;	   /* the last one received in order */
	uint64_t received; /* octets */
	uint64_t started_us, due_us;
};

static struct {
	struct client *clients;
	double *seconds; /* of each that ended well */
	unsigned begun, done, failed, damaged;
	uint64_t repeats, octets;
	unsigned granted_windowsize;
	double burst_seconds; /* the first requests left within */
	int epoll;
	uint32_t random;
} run = {.random = 2463534242U};

static uint8_t joined[BATCH][JOINED_MAX];

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static bool is_lost(void)
{
	run.random ^= run.random << 13;
	run.random ^= run.random >> 17;
	run.random ^= run.random << 5;
	return plan.loss > 0 && run.random % 100 < plan.loss;
}

static void say(struct client *client, const void *packet, size_t length)
{
	const struct sockaddr_in *to = client->is_answered ? NULL : &plan.server;

	client->due_us = now_us() + plan.wait_ms * 1000ULL;
	if (is_lost())
		return;
	(void)sendto(client->socket, packet, length, MSG_DONTWAIT, (const struct sockaddr *)to,
		     to ? sizeof(*to) : 0);
}

static void say_request(struct client *client)
{
	char packet[600] = {0, RRQ};
	size_t length = 2;

	length += (size_t)sprintf(packet + length, "%s%coctet", plan.file, 0) + 1;
	if (plan.blksize != 512)
		length += (size_t)sprintf(packet + length, "blksize%c%u", 0, plan.blksize) + 1;
	if (plan.timeout > 0)
		length += (size_t)sprintf(packet + length, "timeout%c%u", 0, plan.timeout) + 1;
	if (plan.windowsize > 1)
		length +=
			(size_t)sprintf(packet + length, "windowsize%c%u", 0, plan.windowsize) +
			1;
	say(client, packet, length);
}

static void say_ack(struct client *client)
{
	uint16_t packet[2] = {htons(ACK), htons((uint16_t)client->block)};

	client->in_window = 0;
	if (plan.abandons && client->acks++ >= plan.acks) {
		client->due_us = UINT64_MAX;
		return;
	}
	say(client, packet, sizeof(packet));
}

static void open_client(struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int on = 1;

	*client = (struct client){.blksize = 512, .windowsize = 1};
	client->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->socket < 0)
		die("socket (raise ulimit -n)");
	(void)setsockopt(client->socket, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, client->socket, &event) < 0)
		die("epoll_ctl");
}

static void begin(struct client *client)
{
	client->started_us = now_us();
	run.begun++;
	say_request(client);
}

static void end(struct client *client, bool is_good)
{
	if (is_good)
		run.seconds[run.done++] = (double)(now_us() - client->started_us) / 1e6;
	else
		run.failed++;
	run.octets += client->received;
	close(client->socket);
	client->socket = -1;
	if (run.begun < plan.total) {
		open_client(client);
		begin(client);
	}
}

/* The names and numbers of an OACK. */
static void take_oack(struct client *client, const char *at, size_t left)
{
	while (left > 0) {
		const char *name = at;
		size_t length = strnlen(name, left) + 1;
		const char *value = name + length;

		if (length >= left || length + strnlen(value, left - length) >= left)
			break;
		if (strcmp(name, "blksize") == 0)
			client->blksize = (uint16_t)atoi(value);
		if (strcmp(name, "windowsize") == 0)
			client->windowsize = (uint16_t)atoi(value);
		length += strlen(value) + 1;
		at += length;
		left -= length;
	}
	run.granted_windowsize = client->windowsize;
	if (client->block == 0)
		say_ack(client);
}

static void take_block(struct client *client, uint16_t number, const uint8_t *data,
		       size_t length)
{
	uint16_t ahead = (uint16_t)(number - (uint16_t)client->block);
	bool is_last = length < client->blksize;

	if (ahead != 1) {
		/* an old block, or one behind a gap: say once where we are */
		if (client->windowsize == 1 || !client->is_gap_told)
			say_ack(client);
		client->is_gap_told = true;
		return;
	}
	if (plan.content && (client->received + length > plan.size ||
			     memcmp(plan.content + client->received, data, length) != 0))
		run.damaged++;
	client->block++;
	client->received += length;
	client->tries = 0;
	client->is_gap_told = false;
	if (++client->in_window == client->windowsize || is_last)
		say_ack(client);
	if (is_last)
		end(client, plan.size == 0 || client->received == plan.size);
}

static void take_datagram(struct client *client, const uint8_t *data, size_t length)
{
	uint16_t opcode;

	if (length < 4 || is_lost())
		return;
	opcode = (uint16_t)(data[0] << 8 | data[1]);
	if (opcode == ERROR)
		end(client, plan.expects_error);
	else if (opcode == OACK)
		take_oack(client, (const char *)data + 2, length - 2);
	else if (opcode == DATA)
		take_block(client, (uint16_t)(data[2] << 8 | data[3]), data + 4, length - 4);
}

/* The size of the segments that the kernel has joined, 0 when it has not. */
static size_t segment_of(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		int size;

		if (part->cmsg_level != IPPROTO_UDP || part->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(part), sizeof(size));
		return (size_t)size;
	}
	return 0;
}

static void take_message(struct client *client, struct mmsghdr *message)
{
	const uint8_t *data = message->msg_hdr.msg_iov->iov_base;
	const struct sockaddr_in *from = message->msg_hdr.msg_name;
	size_t segment = segment_of(&message->msg_hdr);
	int socket = client->socket;

	if (!client->is_answered) {
		client->is_answered = true;
		if (connect(socket, (const struct sockaddr *)from, sizeof(*from)) < 0)
			die("connect");
	}
	/* a transfer that ended may be followed by one that nobody has answered yet */
	for (size_t at = 0;
	     at < message->msg_len && client->socket == socket && client->is_answered;) {
		size_t left = message->msg_len - at;
		size_t length = segment > 0 && segment < left ? segment : left;

		take_datagram(client, data + at, length);
		at += length;
	}
}

static void receive(struct client *client)
{
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_in peers[BATCH];
	char control[BATCH][64];
	int socket = client->socket;
	uint64_t started_us = client->started_us;
	int count;

	for (size_t i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){joined[i], JOINED_MAX};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
						      .msg_namelen = sizeof(peers[i]),
						      .msg_iov = &vectors[i],
						      .msg_iovlen = 1,
						      .msg_control = control[i],
						      .msg_controllen = sizeof(control[i])};
	}
	count = recvmmsg(socket, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		if (client->socket != socket || client->started_us != started_us)
			return;
		take_message(client, &messages[i]);
	}
}

static void repeat(struct client *client)
{
	if (++client->tries > plan.tries) {
		end(client, false);
		return;
	}
	run.repeats++;
	if (client->is_answered)
		say_ack(client);
	else
		say_request(client);
}

static void look_at_clock(void)
{
	uint64_t now = now_us();

	for (unsigned i = 0; i < plan.clients; i++) {
		if (run.clients[i].socket >= 0 && run.clients[i].due_us <= now)
			repeat(&run.clients[i]);
	}
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static double percentile(unsigned of_hundred)
{
	return run.done == 0 ? 0 : run.seconds[(run.done - 1) * of_hundred / 100];
}

static void report(double seconds)
{
	qsort(run.seconds, run.done, sizeof(double), compare);
	printf("{\"seconds\": %.4f, \"p50\": %.4f, \"p99\": %.4f, \"done\": %u, \"failed\": "
	       "%u, "
	       "\"damaged\": %u, \"repeats\": %llu, \"octets\": %llu, \"windowsize\": %u, "
	       "\"burst\": %.4f}\n",
	       seconds, percentile(50), percentile(99), run.done, run.failed, run.damaged,
	       (unsigned long long)run.repeats, (unsigned long long)run.octets,
	       run.granted_windowsize, run.burst_seconds);
}

static void read_content(void)
{
	struct stat status;
	int file = open(plan.against, O_RDONLY | O_CLOEXEC);
	void *content;

	if (file < 0 || fstat(file, &status) < 0)
		die(plan.against);
	plan.size = (uint64_t)status.st_size;
	if (plan.size == 0)
		return;
	content = mmap(NULL, plan.size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
	if (content == MAP_FAILED)
		die("mmap");
	plan.content = content;
}

static void read_plan(int argc, char **argv)
{
	static const struct option options[] = {
		{"server", 1, NULL, 's'},	{"port", 1, NULL, 'p'},
		{"file", 1, NULL, 'f'},		{"against", 1, NULL, 'a'},
		{"size", 1, NULL, 'z'},		{"clients", 1, NULL, 'c'},
		{"total", 1, NULL, 't'},	{"blksize", 1, NULL, 'b'},
		{"windowsize", 1, NULL, 'w'},	{"wait", 1, NULL, 'W'},
		{"tries", 1, NULL, 'T'},	{"loss", 1, NULL, 'l'},
		{"expect-error", 0, NULL, 'e'}, {"abandon", 1, NULL, 'A'},
		{"timeout", 1, NULL, 'o'},	{NULL, 0, NULL, 0}};
	unsigned port = 69;

	for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		switch (letter) {
		case 's':
			inet_pton(AF_INET, optarg, &plan.server.sin_addr);
			break;
		case 'p':
			port = number;
			break;
		case 'f':
			plan.file = optarg;
			break;
		case 'a':
			plan.against = optarg;
			break;
		case 'z':
			plan.size = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			plan.clients = number;
			break;
		case 't':
			plan.total = number;
			break;
		case 'b':
			plan.blksize = number;
			break;
		case 'w':
			plan.windowsize = number;
			break;
		case 'W':
			plan.wait_ms = number;
			break;
		case 'T':
			plan.tries = number;
			break;
		case 'l':
			plan.loss = number;
			break;
		case 'e':
			plan.expects_error = true;
			break;
		case 'A':
			plan.abandons = true;
			plan.acks = number;
			break;
		case 'o':
			plan.timeout = number;
			break;
		default:
			exit(64);
		}
	}
	plan.server.sin_family = AF_INET;
	plan.server.sin_port = htons((uint16_t)port);
	if (!plan.file || plan.server.sin_addr.s_addr == 0 || plan.clients == 0) {
		fprintf(stderr, "load: say at least --server ADDRESS --file NAME\n");
		exit(64);
	}
	if (plan.total < plan.clients)
		plan.total = plan.clients;
	if (plan.against)
		read_content();
}

static void prepare(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	run.clients = calloc(plan.clients, sizeof(*run.clients));
	run.seconds = calloc(plan.total, sizeof(*run.seconds));
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!run.clients || !run.seconds || run.epoll < 0)
		die("memory or epoll");
	if (plan.abandons && epoll_ctl(run.epoll, EPOLL_CTL_ADD, STDIN_FILENO,
				       &(struct epoll_event){.events = EPOLLIN}) < 0)
		die("standard input is to be a pipe");
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	uint64_t started, looked;

	read_plan(argc, argv);
	prepare();
	for (unsigned i = 0; i < plan.clients; i++)
		open_client(&run.clients[i]);
	started = looked = now_us();
	for (unsigned i = 0; i < plan.clients; i++)
		begin(&run.clients[i]);
	run.burst_seconds = (double)(now_us() - started) / 1e6;
	while (run.done + run.failed < plan.total) {
		int count = epoll_wait(run.epoll, events, EVENTS, TICK_MS);

		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr) /* the end of standard input */
				return 0;
			receive(events[i].data.ptr);
		}
		if (now_us() - looked >= TICK_MS * 1000) {
			look_at_clock();
			looked = now_us();
		}
	}
	report((double)(now_us() - started) / 1e6);
	return run.failed + run.damaged > 0;
}
