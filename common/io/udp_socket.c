/* Opening: which kind of socket an address wants, with which options; and its addresses. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/udp_internal.h"

#define RECEIVE_BYTES (4 * 1024 * 1024)

bool udp_peer_equal(const struct udp_peer *a, const struct udp_peer *b)
{
	return a->port == b->port && a->scope == b->scope && ip_equal(&a->address, &b->address);
}

struct udp_datagram udp_reply_to(const struct udp_datagram *received)
{
	struct udp_datagram reply = {.peer = received->peer, .local = received->local};

	/* else the kernel's choice: a route back need not be the way that it came */
	if (ip_is_link_local(&received->local))
		reply.interface = received->interface;
	return reply;
}

struct udp_peer udp_read_sockaddr(const union socket_address *address)
{
	struct udp_peer peer = {.scope = 0};

	peer.address = socket_read_address(address, &peer.port);
	if (address->any.sa_family == AF_INET6 && ip_is_link_local(&peer.address))
		peer.scope = address->ip6.sin6_scope_id;
	return peer;
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

/* A socket of IPv6 has IPv4's options as well, for what it gets from there. */
static int set_kind_options(int socket, bool is_ip6)
{
	if (set_flag(socket, IPPROTO_IP, IP_PKTINFO, 1) < 0 ||
	    set_flag(socket, IPPROTO_IP, IP_RECVERR, 1) < 0 ||
	    set_flag(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT) < 0)
		return -1;
	if (!is_ip6)
		return 0;
	if (set_flag(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0 ||
	    set_flag(socket, IPPROTO_IPV6, IPV6_RECVERR, 1) < 0 ||
	    set_flag(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT) < 0)
		return -1;
	return 0;
}

static int set_options(int socket, bool is_ip6, const struct udp_options *options)
{
	if (set_kind_options(socket, is_ip6) < 0)
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

static int bind_socket(int opened, bool is_ip6, const struct udp_options *options)
{
	union socket_address address;
	socklen_t length = socket_write_address(is_ip6, &options->address, options->scope,
						options->port, &address);

	return bind(opened, &address.any, length);
}

static bool is_of_ip6(int given)
{
	int domain = AF_INET;
	socklen_t length = sizeof(domain);

	(void)getsockopt(given, SOL_SOCKET, SO_DOMAIN, &domain, &length);
	return domain == AF_INET6;
}

int udp_open_socket(const struct udp_options *options, bool *ret_is_ip6)
{
	bool is_ours = options->activated == 0;
	int opened = options->activated;
	int saved;

	if (is_ours)
		opened = socket_make(SOCK_DGRAM, &options->address, options->both, ret_is_ip6);
	else
		*ret_is_ip6 = is_of_ip6(opened);
	if (opened >= 0 && set_options(opened, *ret_is_ip6, options) == 0 &&
	    (!is_ours || bind_socket(opened, *ret_is_ip6, options) == 0))
		return opened;
	saved = errno;
	if (is_ours && opened >= 0)
		(void)close(opened);
	errno = saved;
	return -1;
}
