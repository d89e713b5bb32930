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

/* An IPv6 peer stays one: a socket of IPv4 alone refuses it by itself, and that is counted. */
socklen_t udp_write_sockaddr(bool is_ip6, const struct udp_peer *peer,
			     union udp_sockaddr *ret_address)
{
	bool is_v4 = ip_is_v4(&peer->address) || ip_is_none(&peer->address);

	memset(ret_address, 0, sizeof(*ret_address));
	if (!is_ip6 && is_v4) {
		ret_address->ip4 =
			(struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = htons(peer->port),
					     .sin_addr.s_addr = htonl(ip_v4(&peer->address))};
		return sizeof(ret_address->ip4);
	}
	ret_address->ip6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						 .sin6_port = htons(peer->port),
						 .sin6_scope_id = peer->scope};
	memcpy(&ret_address->ip6.sin6_addr, peer->address.octet, sizeof(peer->address.octet));
	return sizeof(ret_address->ip6);
}

struct udp_peer udp_read_sockaddr(const union udp_sockaddr *address)
{
	struct udp_peer peer = {.port = ntohs(address->ip4.sin_port)};

	if (address->any.sa_family != AF_INET6) {
		peer.address = ip_from_v4(ntohl(address->ip4.sin_addr.s_addr));
		return peer;
	}
	memcpy(peer.address.octet, &address->ip6.sin6_addr, sizeof(peer.address.octet));
	if (ip_is_link_local(&peer.address))
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
	struct udp_peer wanted = {options->address, options->scope, options->port};
	union udp_sockaddr address;
	socklen_t length = udp_write_sockaddr(is_ip6, &wanted, &address);

	/* the system's default may be either (net.ipv6.bindv6only) */
	if (is_ip6 && set_flag(opened, IPPROTO_IPV6, IPV6_V6ONLY, !options->both) < 0)
		return -1;
	return bind(opened, &address.any, length);
}

/* One of ours, or -1 with errno. */
static int make_socket(const struct udp_options *options, bool *ret_is_ip6)
{
	bool is_any = ip_is_none(&options->address);
	bool is_ip6 = is_any ? options->both : !ip_is_v4(&options->address);
	int kind = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int made = socket(is_ip6 ? AF_INET6 : AF_INET, kind, 0);

	if (made < 0 && errno == EAFNOSUPPORT && is_any && is_ip6) {
		is_ip6 = false;
		made = socket(AF_INET, kind, 0);
	}
	*ret_is_ip6 = is_ip6;
	return made;
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
		opened = make_socket(options, ret_is_ip6);
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
