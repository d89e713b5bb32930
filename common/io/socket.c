#include "io/socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The system's default may be either (net.ipv6.bindv6only). */
static int set_both(int made, bool both)
{
	int only = !both;
	int saved;

	if (setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) == 0)
		return made;
	saved = errno;
	(void)close(made);
	errno = saved;
	return -1;
}

int socket_make(int type, const struct ip *address, bool both, bool *ret_is_ip6)
{
	bool is_any = ip_is_none(address);
	bool is_ip6 = is_any ? both : !ip_is_v4(address);
	int made = socket(is_ip6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* a kernel without IPv6 has IPv4's part of "all" */
	if (made < 0 && errno == EAFNOSUPPORT && is_any && is_ip6) {
		is_ip6 = false;
		made = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	*ret_is_ip6 = is_ip6;
	return made >= 0 && is_ip6 ? set_both(made, both) : made;
}

/* An IPv6 peer stays one: a socket of IPv4 alone refuses it by itself, and that is counted. */
socklen_t socket_write_address(bool is_ip6, const struct ip *address, unsigned scope,
			       uint16_t port, union socket_address *ret_address)
{
	bool is_v4 = ip_is_v4(address) || ip_is_none(address);

	memset(ret_address, 0, sizeof(*ret_address));
	if (!is_ip6 && is_v4) {
		ret_address->ip4 =
			(struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr.s_addr = htonl(ip_v4(address))};
		return sizeof(ret_address->ip4);
	}
	ret_address->ip6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
	memcpy(&ret_address->ip6.sin6_addr, address->octet, sizeof(address->octet));
	return sizeof(ret_address->ip6);
}

struct ip socket_read_address(const union socket_address *address, uint16_t *ret_port)
{
	struct ip ip = {{0}};

	*ret_port = 0;
	if (address->any.sa_family == AF_INET) {
		*ret_port = ntohs(address->ip4.sin_port);
		return ip_from_v4(ntohl(address->ip4.sin_addr.s_addr));
	}
	if (address->any.sa_family == AF_INET6) {
		*ret_port = ntohs(address->ip6.sin6_port);
		memcpy(ip.octet, &address->ip6.sin6_addr, sizeof(ip.octet));
	}
	return ip;
}
