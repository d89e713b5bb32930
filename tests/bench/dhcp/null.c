/*
 * null - what the path and perfdhcp themselves carry: a DHCP server that decides nothing.
 *
 *	null 10.77.0.1
 *
 * Each DISCOVER gets an OFFER and each REQUEST an ACK, with an address made from the last
 * octets of the hardware address and options that never change, to the relay (giaddr) that
 * sent it. Nothing is looked up, kept or recorded. No server is faster here: its rate is the
 * limit of this machine and of perfdhcp.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define OCTETS 1500
#define REPLY_OCTETS 300
#define OPTIONS 240 /* where they begin, behind the magic cookie */

static uint8_t buffers[BATCH][OCTETS];
static struct sockaddr_in peers[BATCH];
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];

/* Type, server, lease time (an hour), mask; then the end. */
static uint8_t options[] = {53, 1, 0,  54, 4, 0, 0,   0,   0, 51, 4,
			    0,	0, 14, 16, 1, 4, 255, 255, 0, 0,  255};

static int open_socket(const char *address)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(67)};
	int opened = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

	(void)setsockopt(opened, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (inet_pton(AF_INET, address, &local.sin_addr) != 1 ||
	    bind(opened, (struct sockaddr *)&local, sizeof(local)) < 0) {
		perror("null: socket");
		exit(1);
	}
	memcpy(options + 5, &local.sin_addr, 4);
	return opened;
}

/* The message type, or 0. */
static uint8_t type_of(const uint8_t *packet, size_t length)
{
	for (size_t at = OPTIONS; at + 2 < length && packet[at] != 255;
	     at += packet[at] == 0 ? 1 : 2U + packet[at + 1]) {
		if (packet[at] == 53)
			return packet[at + 2];
	}
	return 0;
}

/* Makes the reply where the request stands. */
static void answer(uint8_t *packet, uint8_t type)
{
	packet[0] = 2; /* BOOTREPLY */
	/* yiaddr: of 10.77.0.0/16, as the clients of perfdhcp count */
	packet[16] = 10;
	packet[17] = 77;
	packet[18] = (uint8_t)(1 + packet[32] % 254);
	packet[19] = packet[33];
	options[2] = type == 1 ? 2 : 5;
	memset(packet + OPTIONS, 0, REPLY_OCTETS - OPTIONS);
	memcpy(packet + OPTIONS, options, sizeof(options));
}

/* Takes what lies there; the number of replies, side by side. */
static unsigned receive(int opened)
{
	unsigned count = 0;
	int received;

	for (size_t i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){buffers[i], OCTETS};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
						      .msg_namelen = sizeof(peers[i]),
						      .msg_iov = &vectors[i],
						      .msg_iovlen = 1};
	}
	received = recvmmsg(opened, messages, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < received; i++) {
		uint8_t type = type_of(buffers[i], messages[i].msg_len);

		if (type != 1 && type != 3)
			continue;
		answer(buffers[i], type);
		memcpy(&peers[i].sin_addr, buffers[i] + 24, 4);
		peers[i].sin_port = htons(67);
		vectors[i].iov_len = REPLY_OCTETS;
		messages[count++].msg_hdr = messages[i].msg_hdr;
	}
	return count;
}

int main(int argc, char **argv)
{
	int opened;

	if (argc != 2)
		return 64;
	opened = open_socket(argv[1]);
	for (;;)
		(void)sendmmsg(opened, messages, receive(opened), 0);
}
