/* What ICMP says about datagrams that were sent: Linux keeps it in the error queue, ip(7),
 * ipv6(7). */
#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>

#include "io/udp_internal.h"

/* More than the queue of a socket holds; the rest waits for the loop's next turn. */
#define ERRORS_PER_TURN 256

/* An errno when the message tells of an ICMP error, 0 when of something local: send saw that.
 */
static int icmp_error(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		const struct sock_extended_err *extended = (const void *)CMSG_DATA(part);

		bool is_error =
			(part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
			(part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);

		if (!is_error)
			continue;
		return extended->ee_origin == SO_EE_ORIGIN_ICMP ||
				       extended->ee_origin == SO_EE_ORIGIN_ICMP6
			       ? (int)extended->ee_errno
			       : 0;
	}
	return 0;
}

void udp_drain_errors(struct udp *udp)
{
	for (int i = 0; i < ERRORS_PER_TURN && !udp->is_closing; i++) {
		union socket_address address = {.any = {0}};
		struct udp_peer peer;
		_Alignas(struct cmsghdr) uint8_t control[512];
		struct msghdr message = {.msg_name = &address,
					 .msg_namelen = sizeof(address),
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		int error;

		if (recvmsg(udp->socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		error = icmp_error(&message);
		peer = udp_read_sockaddr(&address);
		if (error != 0 && udp->options.on_error)
			udp->options.on_error(udp->options.data, &peer, error);
	}
}
