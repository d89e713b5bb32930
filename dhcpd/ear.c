#include "dhcpd/ear.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES_PER_TURN 64 /* then the loop's other handles have their turn */
#define JOINED_MAX 4

struct ear {
	struct ear_options options;
	int socket;
	uv_poll_t poll;
	struct packet_mreq joined[JOINED_MAX];
	size_t joined_count;
};

/* false when there is nothing more to read. */
static bool receive(struct ear *ear)
{
	uint8_t packet[EAR_FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t from_length = sizeof(from);
	ssize_t length = recvfrom(ear->socket, packet, sizeof(packet), MSG_DONTWAIT,
				  (struct sockaddr *)&from, &from_length);

	/* that the interface went down takes the place of one frame */
	if (length < 0)
		return errno == ENETDOWN;
	ear->options.on_frame(ear->options.data, &from, packet, (size_t)length);
	return true;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct ear *ear = handle->data;

	(void)events;
	/* the interface went down: libuv takes that for a broken descriptor, and stops */
	if (status < 0)
		(void)uv_poll_start(handle, UV_READABLE, on_readable);
	for (int i = 0; i < FRAMES_PER_TURN && receive(ear); i++)
		;
}

static enum err join(const struct ear *ear, const struct packet_mreq *membership)
{
	return setsockopt(ear->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership,
			  sizeof(*membership)) == 0
		       ? ERR_OK
		       : ERR_SYSTEM;
}

enum err ear_join(struct ear *ear, unsigned short type, const struct mac *mac)
{
	struct packet_mreq membership = {
		.mr_ifindex = (int)ear->options.interface,
		.mr_type = type,
		.mr_alen = sizeof(mac->octet),
	};

	if (ear->joined_count == JOINED_MAX)
		return ERR_SPACE;
	memcpy(membership.mr_address, mac->octet, sizeof(mac->octet));
	ear->joined[ear->joined_count++] = membership;
	return join(ear, &membership);
}

static enum err bind_to(const struct ear *ear)
{
	struct sockaddr_ll local = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ear->options.protocol),
		.sll_ifindex = (int)ear->options.interface,
	};

	return bind(ear->socket, (struct sockaddr *)&local, sizeof(local)) == 0 ? ERR_OK
										: ERR_SYSTEM;
}

static enum err open_socket(struct ear *ear)
{
	const struct ear_options *options = &ear->options;

	/* protocol 0: nothing arrives before the filter is in place */
	ear->socket = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ear->socket < 0 || setsockopt(ear->socket, SOL_SOCKET, SO_ATTACH_FILTER,
					  &options->filter, sizeof(options->filter)) < 0)
		return ERR_SYSTEM;
	/* a smaller buffer loses frames only in storms */
	if (options->receive_bytes > 0)
		(void)setsockopt(ear->socket, SOL_SOCKET, SO_RCVBUFFORCE,
				 &options->receive_bytes, sizeof(options->receive_bytes));
	return bind_to(ear);
}

/* errno stays what it was. */
static void discard(struct ear *ear)
{
	int saved = errno;

	if (ear->socket >= 0)
		(void)close(ear->socket);
	free(ear);
	errno = saved;
}

enum err ear_open(struct loop *loop, const struct ear_options *options, struct ear **ret_ear)
{
	struct ear *ear = calloc(1, sizeof(*ear));
	enum err err;

	if (!ear)
		return ERR_SYSTEM; /* errno is ENOMEM */
	ear->options = *options;
	err = open_socket(ear);
	if (err == ERR_OK && uv_poll_init(&loop->uv, &ear->poll, ear->socket) != 0)
		err = ERR_SYSTEM;
	if (err != ERR_OK) {
		discard(ear);
		return err;
	}
	ear->poll.data = ear;
	(void)uv_poll_start(&ear->poll, UV_READABLE, on_readable);
	*ret_ear = ear;
	return ERR_OK;
}

int ear_socket(const struct ear *ear)
{
	return ear->socket;
}

enum err ear_move(struct ear *ear, unsigned interface)
{
	enum err err;

	ear->options.interface = interface;
	err = bind_to(ear);
	/* the kernel forgot them with the interface of before */
	for (size_t i = 0; i < ear->joined_count && err == ERR_OK; i++) {
		ear->joined[i].mr_ifindex = (int)interface;
		err = join(ear, &ear->joined[i]);
	}
	return err;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void ear_close(struct ear *ear)
{
	if (!ear)
		return;
	uv_close((uv_handle_t *)&ear->poll, on_closed);
	(void)close(ear->socket);
}
