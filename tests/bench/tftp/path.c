/*
 * path - what the path itself carries: the octets of a file by UDP segmentation, no protocol.
 *
 *	path sink 7000 67108864 0 &		receives, and says how fast it came
 *	path send 10.99.0.2 7000 67108864 0 [FILE]	sends, and says what it cost
 *
 * The sink takes what arrives as the load generator does; what it could not take is lost. With
 * another last number than 0, both go in windows of so many segments: the next one leaves when
 * the sink has answered the last by an octet. That is the least that any protocol of windows
 * costs. With a file behind it, what is sent is read from there, window by window: the least
 * that it costs a server of files.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

#define SEGMENT 1472
#define SEGMENTS 44	  /* as many as one datagram of 65,507 octets holds */
#define QUIET_MS 300	  /* then the rest is lost: nobody repeats it */
#define PATIENCE_MS 10000 /* for what is not lost, on a machine that is busy */

static uint8_t buffer[65536];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int open_socket(uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int opened = socket(AF_INET, SOCK_DGRAM, 0), size = 16 << 20;

	(void)setsockopt(opened, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (opened < 0 || bind(opened, (struct sockaddr *)&any, sizeof(any)) < 0) {
		perror("path: socket");
		exit(1);
	}
	return opened;
}

/* After each whole window, and at the end, one octet goes back. */
static void answer(int opened, const struct sockaddr_in *peer, uint64_t octets, uint64_t window)
{
	static uint64_t answered;

	if (window == 0 || octets < answered + window)
		return;
	answered = octets;
	(void)sendto(opened, "", 1, 0, (const struct sockaddr *)peer, sizeof(*peer));
}

static void sink(uint16_t port, uint64_t wanted, uint64_t window)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	int opened = open_socket(port), on = 1, wait_ms = PATIENCE_MS;
	double first = 0, last = 0;
	uint64_t octets = 0;

	(void)setsockopt(opened, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	while (octets < wanted) {
		struct pollfd readable = {.fd = opened, .events = POLLIN};
		ssize_t got = recvfrom(opened, buffer, sizeof(buffer), MSG_DONTWAIT,
				       (struct sockaddr *)&peer, &size);

		if (got > 0) {
			first = first > 0 ? first : now();
			last = now();
			octets += (uint64_t)got;
			wait_ms = window == 0 ? QUIET_MS : PATIENCE_MS;
			answer(opened, &peer, octets, window);
		} else if (poll(&readable, 1, wait_ms) <= 0) {
			break;
		}
	}
	printf("{\"megabytes_per_second\": %.1f, \"received\": %.3f}\n",
	       last > first ? (double)octets / 1e6 / (last - first) : 0,
	       (double)octets / (double)wanted);
}

/* A segment's octets, but for those of TFTP's header. */
#define BLOCK 1468

/* Each block to where its header has room before it. The file is as long as what is sent. */
static void read_blocks(int file, uint64_t segment, unsigned count)
{
	struct iovec parts[SEGMENTS];

	for (unsigned i = 0; i < count; i++)
		parts[i] = (struct iovec){buffer + (size_t)(i + 1) * SEGMENT - BLOCK, BLOCK};
	if (preadv(file, parts, (int)count, (off_t)(segment * BLOCK)) < 0) {
		perror("path: the file cannot be read");
		exit(1);
	}
}

static void send_window(int opened, int file, uint64_t first, uint64_t window)
{
	for (uint64_t sent = 0; sent < window;) {
		uint64_t left = window - sent;
		unsigned count = left < SEGMENTS ? (unsigned)left : SEGMENTS;

		if (file >= 0)
			read_blocks(file, first + sent, count);
		if (send(opened, buffer, (size_t)count * SEGMENT, 0) > 0)
			sent += count;
	}
}

static void send_all(int opened, uint64_t octets)
{
	const uint64_t most = (uint64_t)SEGMENT * SEGMENTS;

	while (octets > 0) {
		ssize_t taken = send(opened, buffer, octets < most ? octets : most, 0);

		octets -= taken > 0 ? (uint64_t)taken : 0;
	}
}

static void transmit(const char *address, uint16_t port, uint64_t octets, uint64_t window,
		     const char *file_name)
{
	int file = file_name ? open(file_name, O_RDONLY) : -1;
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int opened = open_socket(0), segment = SEGMENT;

	if ((file_name && file < 0) ||
	    setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    inet_pton(AF_INET, address, &peer.sin_addr) != 1 ||
	    connect(opened, (struct sockaddr *)&peer, sizeof(peer)) < 0 ||
	    setsockopt(opened, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0) {
		perror("path: this kernel, address or file cannot be used");
		exit(1);
	}
	if (window == 0)
		send_all(opened, octets);
	for (uint64_t sent = 0; window > 0 && sent < octets; sent += window) {
		send_window(opened, file, sent / SEGMENT, window / SEGMENT);
		if (recv(opened, buffer, 1, 0) < 0) {
			perror("path: the sink does not answer");
			exit(1);
		}
	}
	printf("{\"cpu_per_gb\": %.3f}\n", cpu_seconds() / ((double)octets / 1e9));
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "sink") == 0)
		sink((uint16_t)atoi(argv[2]), strtoull(argv[3], NULL, 10),
		     SEGMENT * strtoull(argv[4], NULL, 10));
	else if ((argc == 6 || argc == 7) && strcmp(argv[1], "send") == 0)
		transmit(argv[2], (uint16_t)atoi(argv[3]), strtoull(argv[4], NULL, 10),
			 SEGMENT * strtoull(argv[5], NULL, 10), argv[6]);
	else
		return 64;
	return 0;
}
