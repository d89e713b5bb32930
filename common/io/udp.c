#include "io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/log.h"
#include "io/udp_internal.h"

#define RECEIVE_BYTES (4 * 1024 * 1024)
/* So many batches, then the other handles of the loop have their turn. */
#define BATCHES_PER_TURN 4

static void note_local(struct msghdr *message, struct udp_datagram *datagram)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		struct in_pktinfo info;

		if (part->cmsg_level != IPPROTO_IP || part->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(part), sizeof(info));
		/* ipi_spec_dst is an address of ours even when the datagram was a broadcast */
		datagram->local = info.ipi_spec_dst;
		datagram->interface = (unsigned)info.ipi_ifindex;
	}
}

static void prepare_receive(struct udp *udp)
{
	for (size_t i = 0; i < UDP_BATCH; i++) {
		udp->vectors[i] = (struct iovec){udp->buffers[i], UDP_DATAGRAM_SIZE};
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
			log_debug("datagram_dropped", "reason=too_long most=%d",
				  UDP_DATAGRAM_SIZE);
			continue;
		}
		batch[count] = (struct udp_datagram){.data = udp->buffers[i],
						     .length = udp->headers[i].msg_len,
						     .peer = udp->peers[i]};
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

	prepare_receive(udp);
	received = recvmmsg(udp->socket, udp->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
	/* an ICMP error takes the place of one receive; the error queue tells of it too */
	if (received < 0)
		return errno != EAGAIN && errno != EWOULDBLOCK;
	count = collect(udp, (size_t)received, batch);
	if (count > 0)
		udp->options.on_batch(udp->options.data, batch, count);
	return received == UDP_BATCH;
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
	}
	udp_drain_errors(udp);
	for (int i = 0; i < BATCHES_PER_TURN && !udp->is_closing; i++) {
		if (!receive_batch(udp))
			break;
	}
}

static int set_flag(int socket, int level, int option, int value)
{
	return setsockopt(socket, level, option, &value, sizeof(value));
}

static void set_receive_buffer(int socket, int bytes)
{
	if (bytes == 0)
		bytes = RECEIVE_BYTES;
	/* beyond net.core.rmem_max only with CAP_NET_ADMIN; else as much as the system allows
	 */
	if (set_flag(socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes) < 0)
		(void)set_flag(socket, SOL_SOCKET, SO_RCVBUF, bytes);
}

static int set_options(int socket, const struct udp_options *options)
{
	if (set_flag(socket, IPPROTO_IP, IP_PKTINFO, 1) < 0 ||
	    set_flag(socket, IPPROTO_IP, IP_RECVERR, 1) < 0 ||
	    set_flag(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT) < 0)
		return -1;
	if (options->broadcast && set_flag(socket, SOL_SOCKET, SO_BROADCAST, 1) < 0)
		return -1;
	if (options->reuse_port && set_flag(socket, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	if (options->device && setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, options->device,
					  (socklen_t)strlen(options->device)) < 0)
		return -1;
	set_receive_buffer(socket, options->receive_bytes);
	return 0;
}

/* A bound descriptor, or -1 with errno. */
static int open_socket(const struct udp_options *options)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(options->port),
				      .sin_addr = options->address};
	bool is_ours = options->activated == 0;
	int opened = is_ours ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
			     : options->activated;
	int saved;

	if (opened >= 0 && set_options(opened, options) == 0 &&
	    (!is_ours || bind(opened, (const struct sockaddr *)&address, sizeof(address)) == 0))
		return opened;
	saved = errno;
	if (is_ours && opened >= 0)
		(void)close(opened);
	errno = saved;
	return -1;
}

enum err udp_open(struct loop *loop, const struct udp_options *options, struct udp **ret_socket)
{
	struct udp *udp = calloc(1, sizeof(*udp));
	int status;

	if (!udp)
		return ERR_MEMORY;
	udp->options = *options;
	udp->socket = open_socket(options);
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

static void prepare_send(const struct udp_datagram *datagram, struct mmsghdr *header,
			 struct iovec *vector, uint8_t *control)
{
	struct in_pktinfo info = {.ipi_ifindex = (int)datagram->interface,
				  .ipi_spec_dst = datagram->local};
	struct cmsghdr *part;

	/* the kernel only reads what is sent, but its types do not say so */
	*vector = (struct iovec){(void *)datagram->data, datagram->length};
	header->msg_hdr = (struct msghdr){.msg_name = (void *)&datagram->peer,
					  .msg_namelen = sizeof(datagram->peer),
					  .msg_iov = vector,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = UDP_CONTROL_SIZE};
	part = CMSG_FIRSTHDR(&header->msg_hdr);
	part->cmsg_level = IPPROTO_IP;
	part->cmsg_type = IP_PKTINFO;
	part->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(part), &info, sizeof(info));
}

/* Sends up to a batch; the number that the kernel took, or -1 with errno. */
static int send_batch(struct udp *udp, const struct udp_datagram *datagrams, size_t count)
{
	struct mmsghdr headers[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][UDP_CONTROL_SIZE];

	memset(control, 0, sizeof(control));
	for (size_t i = 0; i < count; i++)
		prepare_send(&datagrams[i], &headers[i], &vectors[i], control[i]);
	return sendmmsg(udp->socket, headers, (unsigned)count, MSG_DONTWAIT);
}

static bool is_kernel_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

size_t udp_send(struct udp *udp, const struct udp_datagram *datagrams, size_t count)
{
	size_t taken = 0;
	bool is_second_try = false;

	while (taken < count) {
		size_t left = count - taken;
		int sent =
			send_batch(udp, datagrams + taken, left < UDP_BATCH ? left : UDP_BATCH);

		if (sent > 0) {
			taken += (size_t)sent;
			is_second_try = false;
			continue;
		}
		if (is_kernel_full(errno))
			break;
		/* The first error may be an earlier datagram's, from ICMP: once more. */
		if (is_second_try) {
			udp->send_errors++;
			log_debug("send_failed", "reason=%s", log_text(strerror(errno)));
			taken++;
		}
		is_second_try = !is_second_try;
	}
	return taken;
}

uint64_t udp_send_errors(const struct udp *udp)
{
	return udp->send_errors;
}

uint16_t udp_port(const struct udp *udp)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	if (getsockname(udp->socket, (struct sockaddr *)&address, &length) < 0)
		return 0;
	return ntohs(address.sin_port);
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
