/* Sockets and addresses of the server: of IPv4, of IPv6, or of both by one socket. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/http_internal.h"
#include "io/socket.h"

static int bind_to(int made, bool is_ip6, const struct http_options *options)
{
	union socket_address address;
	socklen_t length =
		socket_write_address(is_ip6, &options->address, 0, options->port, &address);

	return bind(made, &address.any, length);
}

int http_listen(const struct http_options *options)
{
	bool is_ip6;
	int made = socket_make(SOCK_STREAM, &options->address, options->both, &is_ip6);
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

struct ip http_read_address(const struct sockaddr *given, uint16_t *ret_port)
{
	union socket_address address = {.any = *given};

	if (given->sa_family == AF_INET)
		memcpy(&address.ip4, given, sizeof(address.ip4));
	else if (given->sa_family == AF_INET6)
		memcpy(&address.ip6, given, sizeof(address.ip6));
	return socket_read_address(&address, ret_port);
}

struct ip http_socket_address(int opened, uint16_t *ret_port)
{
	union socket_address address = {.any = {0}};
	socklen_t length = sizeof(address);

	if (getsockname(opened, &address.any, &length) < 0)
		address.any.sa_family = AF_UNSPEC;
	return socket_read_address(&address, ret_port);
}
