#include "io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/log.h"
#include "io/udp_internal.h"

/* So many batches, then the other handles of the loop have their turn. */
#define BATCHES_PER_TURN 4

static struct ip ip6_of(const struct in6_addr *address)
{
	struct ip ip;

	memcpy(ip.octet, address, sizeof(ip.octet));
	return ip;
}

static void note_ip4(const struct cmsghdr *part, struct udp_datagram *datagram)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(part), sizeof(info));
	/* ipi_spec_dst is an address of ours even when the datagram was a broadcast */
	datagram->local = ip_from_v4(ntohl(info.ipi_spec_dst.s_addr));
	datagram->destination = ip_from_v4(ntohl(info.ipi_addr.s_addr));
	datagram->interface = (unsigned)info.ipi_ifindex;
}

static void note_ip6(const struct cmsghdr *part, struct udp_datagram *datagram)
{
	struct in6_pktinfo info;
	struct ip destination;

	memcpy(&info, CMSG_DATA(part), sizeof(info));
	destination = ip6_of(&info.ipi6_addr);
	if (ip_is_v4(&destination))
		return; /* told by IP_PKTINFO too, and better */
	datagram->destination = destination;
	datagram->interface = info.ipi6_ifindex;
	if (!ip_is_multicast(&destination))
		datagram->local = destination;
}

static void note_local(struct msghdr *message, struct udp_datagram *datagram)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO)
			note_ip4(part, datagram);
		if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
			note_ip6(part, datagram);
	}
}

static uint8_t *buffer_of(struct udp *udp, size_t number)
{
	return udp->buffers + number * udp->datagram_max;
}

/* The first `count`: the kernel writes over them what it received. */
static void prepare_receive(struct udp *udp, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		udp->vectors[i] = (struct iovec){buffer_of(udp, i), udp->datagram_max};
		udp->headers[i].msg_hdr = (struct msghdr){.msg_name = &udp->peers[i],
							  .msg_namelen = sizeof(udp->peers[i]),
							  .msg_iov = &udp->vectors[i],
							  .msg_iovlen = 1,
							  .msg_control = udp->control[i],
							  .msg_controllen = UDP_CONTROL_SIZE};
	}
}

/* Fills `batch` from `received` messages, without those that were cut off. */
static size_t collect(struct udp *udp, size_t received, struct udp_datagram *batch)
{
	size_t count = 0;

	for (size_t i = 0; i < received; i++) {
		struct msghdr *message = &udp->headers[i].msg_hdr;

		if (message->msg_flags & MSG_TRUNC) {
			log_debug("datagram_dropped", "reason=too_long most=%zu",
				  udp->datagram_max);
			continue;
		}
		batch[count] = (struct udp_datagram){.data = buffer_of(udp, i),
						     .length = udp->headers[i].msg_len,
						     .peer = udp_read_sockaddr(&udp->peers[i])};
		note_local(message, &batch[count++]);
	}
	return count;
}

/* One batch; false when there is nothing more to read. */
static bool receive_batch(struct udp *udp)
{
	struct udp_datagram batch[UDP_BATCH];
	size_t count;
	int received;

	received = recvmmsg(udp->socket, udp->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
	/* an ICMP error takes the place of one receive; the error queue tells of it too */
	if (received < 0)
		return errno != EAGAIN && errno != EWOULDBLOCK;
	count = collect(udp, (size_t)received, batch);
	if (count > 0)
		udp->options.on_batch(udp->options.data, batch, count);
	prepare_receive(udp, (size_t)received);
	return received == UDP_BATCH;
}

void udp_receive(struct udp *udp)
{
	for (int i = 0; i < BATCHES_PER_TURN && !udp->is_closing; i++) {
		if (!receive_batch(udp))
			break;
	}
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct udp *udp = handle->data;

	(void)events;
	/* libuv takes POLLERR for a broken descriptor and stops; here it means "error queue" */
	if (status < 0) {
		int error;
		socklen_t length = sizeof(error);

		(void)getsockopt(udp->socket, SOL_SOCKET, SO_ERROR, &error, &length);
		(void)uv_poll_start(handle, UV_READABLE, on_readable);
		udp_drain_errors(udp);
	}
	udp_receive(udp);
}

enum err udp_open(struct loop *loop, const struct udp_options *options, struct udp **ret_socket)
{
	size_t datagram_max = options->datagram_max ? options->datagram_max : UDP_DATAGRAM_SIZE;
	struct udp *udp = calloc(1, sizeof(*udp) + UDP_BATCH * datagram_max);
	int status;

	if (!udp)
		return ERR_MEMORY;
	udp->options = *options;
	udp->datagram_max = datagram_max;
	prepare_receive(udp, UDP_BATCH);
	udp->socket = udp_open_socket(options, &udp->is_ip6);
	if (udp->socket < 0) {
		free(udp);
		return ERR_SYSTEM;
	}
	/* sets O_NONBLOCK, on a descriptor from systemd too */
	status = uv_poll_init(&loop->uv, &udp->poll, udp->socket);
	if (status != 0) {
		(void)close(udp->socket);
		free(udp);
		errno = -status;
		return ERR_SYSTEM;
	}
	udp->poll.data = udp;
	(void)uv_poll_start(&udp->poll, UV_READABLE, on_readable);
	*ret_socket = udp;
	return ERR_OK;
}

void udp_pause(struct udp *udp, bool is_paused)
{
	if (is_paused)
		(void)uv_poll_stop(&udp->poll);
	else
		(void)uv_poll_start(&udp->poll, UV_READABLE, on_readable);
}

uint16_t udp_port(const struct udp *udp)
{
	union socket_address address = {.any = {0}};
	socklen_t length = sizeof(address);

	if (getsockname(udp->socket, &address.any, &length) < 0)
		return 0;
	return udp_read_sockaddr(&address).port;
}

enum err udp_set_device(struct udp *udp, const char *name)
{
	return setsockopt(udp->socket, SOL_SOCKET, SO_BINDTODEVICE, name,
			  (socklen_t)strlen(name)) == 0
		       ? ERR_OK
		       : ERR_SYSTEM;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void udp_close(struct udp *udp)
{
	if (!udp || udp->is_closing)
		return;
	udp->is_closing = true;
	uv_close((uv_handle_t *)&udp->poll, on_closed);
	/* at once, so that the port is free for who comes next */
	(void)close(udp->socket);
}
