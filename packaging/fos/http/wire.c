#include "wire.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECT_TIMEOUT_MS = 5000,
	IDLE_TIMEOUT_MS = 30000, /* a server that is silent for longer is taken for gone */
	HEAD_MAX = 16 * 1024,
};

int wire_fail(struct wire *wire, int code, const char *format, ...)
{
	va_list arguments;
	int used = snprintf(wire->error, sizeof(wire->error), "%s port %s: ", wire->url.host,
			    wire->url.port);

	va_start(arguments, format);
	vsnprintf(wire->error + used, sizeof(wire->error) - (size_t)used, format, arguments);
	va_end(arguments);
	return code;
}

static bool wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int ready;

	do
		ready = poll(&poll_fd, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0;
}

/* A connected, non-blocking socket, or -1 with errno. */
static int connect_to(const struct addrinfo *address)
{
	int error = 0,
	    fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(error);

	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
		if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, CONNECT_TIMEOUT_MS))
			error = errno;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
	}
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

int wire_open(struct wire *wire)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses, *address;
	int error = getaddrinfo(wire->url.host, wire->url.port, &hints, &addresses);

	if (error != 0)
		return wire_fail(wire, EXIT_NETWORK, "%s", gai_strerror(error));
	wire->socket = -1;
	for (address = addresses; address && wire->socket < 0; address = address->ai_next)
		wire->socket = connect_to(address);
	error = errno;
	freeaddrinfo(addresses);
	if (wire->socket < 0)
		return wire_fail(wire, EXIT_NETWORK, "%s", strerror(error));
	return 0;
}

int wire_send(struct wire *wire, const char *bytes, size_t length)
{
	ssize_t sent;

	for (size_t done = 0; done < length; done += (size_t)sent) {
		sent = send(wire->socket, bytes + done, length - done, MSG_NOSIGNAL);
		if (sent >= 0)
			continue;
		sent = 0;
		if ((errno != EAGAIN && errno != EINTR) ||
		    !wait_for(wire->socket, POLLOUT, IDLE_TIMEOUT_MS))
			return wire_fail(wire, EXIT_NETWORK, "%s while sending",
					 strerror(errno));
	}
	return 0;
}

ssize_t wire_receive(const struct wire *wire, char *buffer, size_t size)
{
	ssize_t got;

	do {
		if (!wait_for(wire->socket, POLLIN, IDLE_TIMEOUT_MS))
			return -1;
		got = recv(wire->socket, buffer, size, 0);
	} while (got < 0 && (errno == EAGAIN || errno == EINTR));
	return got;
}

int wire_receive_head(struct wire *wire, char *buffer, size_t size, struct head *head,
		      size_t *extra)
{
	size_t have = 0, length = 0;
	ssize_t got;

	while (length == 0 && have < HEAD_MAX && have < size) {
		got = wire_receive(wire, buffer + have, size - have);
		if (got < 0)
			return wire_fail(wire, EXIT_NETWORK, "%s before an answer",
					 strerror(errno));
		if (got == 0)
			return wire_fail(wire, EXIT_NETWORK,
					 "closed the connection without an answer");
		have += (size_t)got;
		length = head_length(buffer, have);
	}
	if (length == 0 || !head_parse(buffer, length, head)) {
		head->status = 0;
		return wire_fail(wire, EXIT_NETWORK, "the answer is no HTTP");
	}
	*extra = have - length;
	memmove(buffer, buffer + length, *extra);
	return 0;
}
