#include "io/neigh.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IP4_OCTETS 4

struct question {
	struct nlmsghdr header;
	struct ndmsg neighbour;
	struct rtattr attribute;
	uint8_t address[16];
};

enum err neigh_open(struct neigh *neigh)
{
	neigh->socket =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	return neigh->socket < 0 ? ERR_SYSTEM : ERR_OK;
}

static enum err ask(const struct neigh *neigh, unsigned interface, const struct ip *address)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	bool is_v4 = ip_is_v4(address);
	size_t skipped = is_v4 ? sizeof(address->octet) - IP4_OCTETS : 0; /* as it is mapped */
	size_t octets = sizeof(address->octet) - skipped;
	struct question question = {
		.header = {.nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST},
		.neighbour = {.ndm_family = is_v4 ? AF_INET : AF_INET6,
			      .ndm_ifindex = (int)interface},
		.attribute = {.rta_len = (unsigned short)RTA_LENGTH(octets),
			      .rta_type = NDA_DST},
	};
	size_t length = offsetof(struct question, address) + octets;
	ssize_t sent;

	question.header.nlmsg_len = (uint32_t)length;
	memcpy(question.address, address->octet + skipped, octets);
	sent = sendto(neigh->socket, &question, length, 0, (const struct sockaddr *)&kernel,
		      sizeof(kernel));
	return sent == (ssize_t)length ? ERR_OK : ERR_SYSTEM;
}

/* The link-layer address among the attributes behind the answer's head. */
static enum err read_answer(const char *message, size_t length, struct mac *ret_mac)
{
	size_t at = NLMSG_LENGTH(sizeof(struct ndmsg));
	struct rtattr attribute;

	while (at + sizeof(attribute) <= length) {
		memcpy(&attribute, message + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > length - at)
			return ERR_ABSENT;
		if (attribute.rta_type == NDA_LLADDR) {
			if (attribute.rta_len != RTA_LENGTH(sizeof(ret_mac->octet)))
				return ERR_ABSENT;
			memcpy(ret_mac->octet, message + at + RTA_LENGTH(0),
			       sizeof(ret_mac->octet));
			return mac_is_zero(ret_mac) ? ERR_ABSENT : ERR_OK;
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
	return ERR_ABSENT;
}

enum err neigh_find(struct neigh *neigh, unsigned interface, const struct ip *address,
		    struct mac *ret_mac)
{
	char buffer[1024];
	struct nlmsghdr header;
	enum err err;
	ssize_t length;

	if (neigh->socket < 0)
		return ERR_ABSENT;
	err = ask(neigh, interface, address);
	if (err != ERR_OK)
		return err;
	length = recv(neigh->socket, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (length < 0)
		return ERR_SYSTEM;
	if ((size_t)length < sizeof(header))
		return ERR_ABSENT;
	memcpy(&header, buffer, sizeof(header));
	/* else it is an error message: most often, that there is no such neighbour */
	if (header.nlmsg_type != RTM_NEWNEIGH || header.nlmsg_len > (size_t)length)
		return ERR_ABSENT;
	return read_answer(buffer, header.nlmsg_len, ret_mac);
}

void neigh_close(struct neigh *neigh)
{
	if (neigh->socket >= 0)
		(void)close(neigh->socket);
	neigh->socket = -1;
}
