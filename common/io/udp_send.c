/* Sending: sendmmsg(2), and UDP segmentation (udp(7)) where one message is many datagrams. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <netinet/udp.h>

#include "io/log.h"
#include "io/udp_internal.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Room for one of the kinds' packet information, and UDP_SEGMENT. */
#define CONTROL_SIZE (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)))

/* Storage for the messages of one system call. */
struct messages {
	struct mmsghdr headers[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	union socket_address peers[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][CONTROL_SIZE];
};

static void put_control(struct cmsghdr *part, int level, int type, const void *value,
			size_t length)
{
	part->cmsg_level = level;
	part->cmsg_type = type;
	part->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(part), value, length);
}

/* From which address and interface it leaves. */
static void put_source(struct msghdr *message, const struct udp_datagram *datagram)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	struct in_pktinfo ip4 = {.ipi_ifindex = (int)datagram->interface,
				 .ipi_spec_dst.s_addr = htonl(ip_v4(&datagram->local))};
	struct in6_pktinfo ip6 = {.ipi6_ifindex = datagram->interface};

	if (ip_is_v4(&datagram->peer.address)) {
		put_control(part, IPPROTO_IP, IP_PKTINFO, &ip4, sizeof(ip4));
		message->msg_controllen = CMSG_SPACE(sizeof(ip4));
		return;
	}
	memcpy(&ip6.ipi6_addr, datagram->local.octet, sizeof(ip6.ipi6_addr));
	put_control(part, IPPROTO_IPV6, IPV6_PKTINFO, &ip6, sizeof(ip6));
	message->msg_controllen = CMSG_SPACE(sizeof(ip6));
}

static void prepare(const struct udp *udp, struct messages *messages, size_t number,
		    const struct udp_datagram *datagram)
{
	uint16_t segment = (uint16_t)datagram->segment;
	struct msghdr *message = &messages->headers[number].msg_hdr;
	union socket_address *peer = &messages->peers[number];
	uint8_t *control = messages->control[number];

	/* the kernel only reads what is sent, but its types do not say so */
	messages->vectors[number] = (struct iovec){(void *)datagram->data, datagram->length};
	memset(control, 0, CONTROL_SIZE);
	*message = (struct msghdr){.msg_name = peer,
				   .msg_namelen = socket_write_address(
					   udp->is_ip6, &datagram->peer.address,
					   datagram->peer.scope, datagram->peer.port, peer),
				   .msg_iov = &messages->vectors[number],
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = CONTROL_SIZE};
	put_source(message, datagram);
	if (segment == 0)
		return;
	message->msg_controllen += CMSG_SPACE(sizeof(segment));
	put_control(CMSG_NXTHDR(message, CMSG_FIRSTHDR(message)), IPPROTO_UDP, UDP_SEGMENT,
		    &segment, sizeof(segment));
}

/* Sends up to a batch; the number that the kernel took, or -1 with errno. */
static int send_batch(struct udp *udp, const struct udp_datagram *datagrams, size_t count)
{
	struct messages messages;

	if (count > UDP_BATCH)
		count = UDP_BATCH;
	for (size_t i = 0; i < count; i++)
		prepare(udp, &messages, i, &datagrams[i]);
	return sendmmsg(udp->socket, messages.headers, (unsigned)count, MSG_DONTWAIT);
}

static bool is_kernel_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

/* These do not depend on the datagram: an old kernel, a device that makes no checksums. */
static void note_refusal(struct udp *udp, int error)
{
	if (error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT)
		udp->cannot_segment = true;
	log_debug("not_segmented", "reason=%s", log_text(strerror(error)));
}

/* As many as the kernel takes of datagrams that are one each. */
static size_t send_plain(struct udp *udp, const struct udp_datagram *datagrams, size_t count)
{
	size_t taken = 0;
	bool is_second_try = false;

	while (taken < count) {
		int sent = send_batch(udp, datagrams + taken, count - taken);

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

/* What the kernel does not cut is cut here. False: not all of it was taken. */
static bool send_cut(struct udp *udp, const struct udp_datagram *whole)
{
	struct udp_datagram pieces[UDP_SEGMENTS];
	size_t count = 0;

	for (size_t at = 0; at < whole->length && count < UDP_SEGMENTS; at += whole->segment) {
		size_t left = whole->length - at;

		pieces[count] = *whole;
		pieces[count].segment = 0;
		pieces[count].data = whole->data + at;
		pieces[count++].length = left < whole->segment ? left : whole->segment;
	}
	return send_plain(udp, pieces, count) == count;
}

/* The datagrams from the first on that are of one kind: segmented or not. */
static size_t run_of_kind(const struct udp_datagram *datagrams, size_t count)
{
	size_t length = 1;

	while (length < count && (datagrams[length].segment > 0) == (datagrams[0].segment > 0))
		length++;
	return length;
}

static size_t send_segmented(struct udp *udp, const struct udp_datagram *datagrams,
			     size_t count)
{
	size_t taken = 0;

	while (taken < count) {
		int sent;

		if (udp->cannot_segment) {
			if (!send_cut(udp, &datagrams[taken]))
				break;
			taken++;
			continue;
		}
		sent = send_batch(udp, datagrams + taken, count - taken);
		if (sent > 0) {
			taken += (size_t)sent;
			continue;
		}
		if (is_kernel_full(errno))
			break;
		/* Too narrow a path, ICMP's word on an earlier datagram, or worse: the plain
		   way sends it, or counts that it cannot be sent at all. */
		note_refusal(udp, errno);
		if (!send_cut(udp, &datagrams[taken]))
			break;
		taken++;
	}
	return taken;
}

size_t udp_send(struct udp *udp, const struct udp_datagram *datagrams, size_t count)
{
	size_t taken = 0;

	while (taken < count) {
		size_t run = run_of_kind(datagrams + taken, count - taken);
		size_t sent = datagrams[taken].segment > 0
				      ? send_segmented(udp, datagrams + taken, run)
				      : send_plain(udp, datagrams + taken, run);

		taken += sent;
		if (sent < run)
			break;
	}
	return taken;
}

uint64_t udp_send_errors(const struct udp *udp)
{
	return udp->send_errors;
}
