/*
 * socket - what UDP's and HTTP's sockets have in common: a kind of IPv4, of IPv6, or of both,
 * and addresses as the kernel has them.
 */
#ifndef ROUSE_IO_SOCKET_H
#define ROUSE_IO_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/ip.h"

/* An address as the kernel has it. */
union socket_address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

/*
 * A new socket of `type` (SOCK_DGRAM or SOCK_STREAM) for this local address; none: all of
 * IPv4's, or with `both` all of IPv6's and IPv4's, as far as the kernel has them. Not bound
 * yet. -1 with errno.
 */
int socket_make(int type, const struct ip *address, bool both, bool *ret_is_ip6);
/* Writes an address as a socket of that kind wants it; its length. `scope` is for a link-local
 * one, `port` in host order. */
socklen_t socket_write_address(bool is_ip6, const struct ip *address, unsigned scope,
			       uint16_t port, union socket_address *ret_address);
/* None, and port 0, for what is of neither family. */
struct ip socket_read_address(const union socket_address *address, uint16_t *ret_port);

#endif
