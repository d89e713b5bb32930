/* Sockets and addresses of the server: of IPv4, of IPv6, or of both by one socket. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http_internal.h"

static int make_socket(const struct http_options *options, bool *ret_is_ip6)
{
	bool is_any = ip_is_none(&options->address);
	bool is_ip6 = is_any ? options->both : !ip_is_v4(&options->address);
	int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int made = socket(is_ip6 ? AF_INET6 : AF_INET, kind, 0);

	/* a kernel without IPv6 has IPv4's part of "all" */
	if (made < 0 && errno == EAFNOSUPPORT && is_any && is_ip6) {
		is_ip6 = false;
		made = socket(AF_INET, kind, 0);
	}
	*ret_is_ip6 = is_ip6;
	return made;
}

static int bind_to(int made, bool is_ip6, const struct http_options *options)
{
	struct sockaddr_in ip4 = {.sin_family = AF_INET,
				  .sin_port = htons(options->port),
				  .sin_addr.s_addr = htonl(ip_v4(&options->address))};
	struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(options->port)};
	int only = !options->both;

	if (!is_ip6)
		return bind(made, (const struct sockaddr *)&ip4, sizeof(ip4));
	/* the system's default may be either (net.ipv6.bindv6only) */
	if (setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
		return -1;
	memcpy(&ip6.sin6_addr, options->address.octet, sizeof(options->address.octet));
	return bind(made, (const struct sockaddr *)&ip6, sizeof(ip6));
}

int http_listen(const struct http_options *options)
{
	bool is_ip6;
	int made = make_socket(options, &is_ip6);
	int on = 1;
	int saved;

	if (made < 0)
		return -1;
	if (setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (!options->reuse_port ||
	     setsockopt(made, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
	    bind_to(made, is_ip6, options) == 0 && listen(made, SOMAXCONN) == 0)
		return made;
	saved = errno;
	(void)close(made);
	errno = saved;
	return -1;
}

struct ip http_read_address(const struct sockaddr *address, uint16_t *ret_port)
{
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct ip ip = {{0}};

	*ret_port = 0;
	if (address->sa_family == AF_INET) {
		memcpy(&ip4, address, sizeof(ip4));
		*ret_port = ntohs(ip4.sin_port);
		ip = ip_from_v4(ntohl(ip4.sin_addr.s_addr));
	} else if (address->sa_family == AF_INET6) {
		memcpy(&ip6, address, sizeof(ip6));
		*ret_port = ntohs(ip6.sin6_port);
		memcpy(ip.octet, &ip6.sin6_addr, sizeof(ip.octet));
	}
	return ip;
}

struct ip http_socket_address(int opened, uint16_t *ret_port)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	if (getsockname(opened, (struct sockaddr *)&address, &length) < 0)
		address.ss_family = AF_UNSPEC;
	return http_read_address((const struct sockaddr *)&address, ret_port);
}
