/*
 * noise - datagrams that no client sends, as many as wanted, at a server's request port and at
 * the port of one of its transfers.
 *
 *	noise 10.99.69.1 6969 1000000 file seed
 *
 * A fourth is chance from the first octet to the last; the others begin with an opcode of
 * TFTP's, and some are requests for `file` with something wrong behind it, or nothing. None is
 * lost: after each thousand, a request for what is not there must be refused, which shows that
 * the server has read them. Says how many there were; status 1 when no answer comes any more.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 32
#define BATCH 64
#define PROBE_EVERY 16 /* batches */
#define LENGTH_MAX 600
#define WAIT_MS 1000
#define TRIES 20

static uint64_t state;

static uint32_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static int open_socket(void)
{
	int opened = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (opened < 0) {
		perror("noise: socket");
		exit(1);
	}
	return opened;
}

/* Cut off, or with an octet of its options changed, or as it should be: then nobody
 * acknowledges it. */
static size_t make_request(char *room, const char *file)
{
	static const char rest[] = "octet\0timeout\0001\0blksize\0001468\0windowsize\00016";
	const size_t kept = sizeof("octet\0timeout\0001") - 1; /* so that it is over soon */
	size_t length = 2;

	room[0] = 0;
	room[1] = 1;
	length += (size_t)snprintf(room + length, 200, "%s", file) + 1;
	memcpy(room + length, rest, sizeof(rest));
	if (chance() % 4 == 0)
		return chance() % (length + 5);
	room[length + kept + chance() % (sizeof(rest) - kept)] = (char)chance();
	return length + sizeof(rest);
}

static size_t make_noise(char *room, const char *file)
{
	static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 20, 60, LENGTH_MAX};
	size_t length = lengths[chance() % (sizeof(lengths) / sizeof(lengths[0]))];

	if (chance() % 64 == 0)
		return make_request(room, file);
	for (size_t i = 0; i < length; i++)
		room[i] = (char)chance();
	if (length >= 2 && chance() % 4 > 0) {
		room[0] = 0;
		room[1] = (char)(1 + chance() % 7);
	}
	return length;
}

/* Sends the request until an answer comes; who answered, and the answer's opcode. */
static bool ask(const struct sockaddr_in *server, const char *file,
		struct sockaddr_in *ret_from, int *ret_opcode)
{
	char request[256] = {0, 1};
	size_t length = 2 + (size_t)snprintf(request + 2, 200, "%s", file) + 1;
	struct pollfd readable = {.fd = open_socket(), .events = POLLIN};
	socklen_t size = sizeof(*ret_from);
	uint8_t answer[2048];
	bool is_answered = false;

	memcpy(request + length, "octet", 6);
	for (int i = 0; i < TRIES && !is_answered; i++) {
		(void)sendto(readable.fd, request, length + 6, 0,
			     (const struct sockaddr *)server, sizeof(*server));
		is_answered = poll(&readable, 1, WAIT_MS) > 0 &&
			      recvfrom(readable.fd, answer, sizeof(answer), 0,
				       (struct sockaddr *)ret_from, &size) >= 4;
	}
	*ret_opcode = is_answered ? answer[1] : 0;
	close(readable.fd);
	return is_answered;
}

static void send_batch(int socket, struct sockaddr_in *targets, const char *file)
{
	static char room[BATCH][LENGTH_MAX + 256];
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];

	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){room[i], make_noise(room[i], file)};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &targets[i % 2],
						      .msg_namelen = sizeof(*targets),
						      .msg_iov = &vectors[i],
						      .msg_iovlen = 1};
	}
	for (int sent = 0; sent < BATCH;) {
		int taken = sendmmsg(socket, messages + sent, (unsigned)(BATCH - sent), 0);

		sent += taken > 0 ? taken : 1;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in targets[2] = {{.sin_family = AF_INET}}, from;
	int sockets[SOCKETS], opcode;
	uint64_t wanted, sent = 0;

	if (argc != 6 || inet_pton(AF_INET, argv[1], &targets[0].sin_addr) != 1) {
		fprintf(stderr, "noise: ADDRESS PORT COUNT FILE SEED\n");
		return 64;
	}
	targets[0].sin_port = htons((uint16_t)atoi(argv[2]));
	wanted = strtoull(argv[3], NULL, 10);
	state = strtoull(argv[5], NULL, 10) + 88172645463325252ULL;
	for (int i = 0; i < SOCKETS; i++)
		sockets[i] = open_socket();
	if (!ask(&targets[0], argv[4], &targets[1], &opcode) || opcode != 3) {
		fprintf(stderr, "noise: %s is not served\n", argv[4]);
		return 1;
	}
	for (unsigned batch = 0; sent < wanted; batch++) {
		send_batch(sockets[batch % SOCKETS], targets, argv[4]);
		sent += BATCH;
		if (batch % PROBE_EVERY == 0 &&
		    (!ask(&targets[0], "no/such/file", &from, &opcode) || opcode != 5)) {
			fprintf(stderr, "noise: no answer after %llu\n",
				(unsigned long long)sent);
			return 1;
		}
	}
	printf("%llu sent\n", (unsigned long long)sent);
	return 0;
}
