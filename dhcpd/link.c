#include "dhcpd/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dhcpd/advert.h"
#include "dhcpd/packet.h"
#include "dhcpd/solicit.h"
#include "io/log.h"

#define ADDRESS_MS 1000	   /* how long a look at the interface's address counts */
#define SOLICIT_SIZE 576   /* octets of one that are read: what firmware sends is shorter */
#define FRAMES_PER_TURN 64 /* then the loop's other handles have their turn */

struct link {
	char name[IF_NAMESIZE];
	unsigned index;
	struct mac mac;
	uint32_t address;
	uint64_t address_at_ms;
	int socket;
	uv_poll_t poll;
	struct loop *loop;
	struct advert_memory memory;
	bool is_advertising;
	uint64_t adverts_sent;
	struct solicit_memory solicits;
	link_on_solicit *on_solicit; /* NULL: nobody wants to hear of them */
	void *data;
};

/*
 * ICMPv6 solicitations and advertisements, and DHCPv6 clients' messages only: a storm of other
 * traffic must not wake us.
 */
static struct sock_filter discovery_filter[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), /* next header */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 2),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42), /* destination port */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 547, 4, 5),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40), /* ICMPv6 type */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 133, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 134, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static bool send_frame(struct link *link, uint16_t protocol, const struct mac *mac,
		       const void *octets, size_t length)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)link->index,
		.sll_halen = sizeof(mac->octet),
	};

	memcpy(to.sll_addr, mac->octet, sizeof(mac->octet));
	if (sendto(link->socket, octets, length, MSG_DONTWAIT, (struct sockaddr *)&to,
		   sizeof(to)) >= 0)
		return true;
	log_debug("frame_failed", "interface=%s reason=%s", link->name,
		  log_text(strerror(errno)));
	return false;
}

bool link_send(struct link *link, const struct mac *mac, const struct frame *frame)
{
	uint8_t buffer[PACKET_SIZE_REPLY_MAX + FRAME_HEADERS_SIZE];
	size_t length;

	return frame_encode(frame, buffer, sizeof(buffer), &length) == ERR_OK &&
	       send_frame(link, ETH_P_IP, mac, buffer, length);
}

bool link_send_arp(struct link *link, const void *packet, size_t length)
{
	static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return send_frame(link, ETH_P_ARP, &everybody, packet, length);
}

static void answer_solicitation(struct link *link, const struct mac *mac,
				const uint8_t source[16])
{
	uint8_t packet[ADVERT_SIZE];

	if (!link->is_advertising ||
	    !advert_is_due(&link->memory, mac, loop_now_ms(link->loop)))
		return;
	advert_encode(&link->mac, source, packet);
	if (send_frame(link, ETH_P_IPV6, mac, packet, sizeof(packet))) {
		link->adverts_sent++;
		log_debug("router_wait_ended", "interface=%s", link->name);
	}
}

static void take_solicit(struct link *link, const struct mac *mac, const uint8_t *packet,
			 size_t length)
{
	struct solicit solicit;

	if (link->on_solicit && solicit_read(packet, length, &solicit) &&
	    solicit_is_new(&link->solicits, mac, loop_now_ms(link->loop)))
		link->on_solicit(link->data, mac, &solicit);
}

/* false when there is nothing more to read. */
static bool receive_frame(struct link *link)
{
	uint8_t packet[SOLICIT_SIZE], source[16];
	struct sockaddr_ll from;
	socklen_t from_length = sizeof(from);
	ssize_t length = recvfrom(link->socket, packet, sizeof(packet), MSG_DONTWAIT,
				  (struct sockaddr *)&from, &from_length);
	struct mac mac;

	if (length < 0)
		return false;
	memcpy(mac.octet, from.sll_addr, sizeof(mac.octet));
	if (from.sll_pkttype == PACKET_OUTGOING || from.sll_halen != sizeof(mac.octet))
		return true;
	if (advert_read(&link->memory, packet, (size_t)length, loop_now_ms(link->loop), source))
		answer_solicitation(link, &mac, source);
	else
		take_solicit(link, &mac, packet, (size_t)length);
	return true;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct link *link = handle->data;

	(void)status;
	(void)events;
	for (int i = 0; i < FRAMES_PER_TURN && receive_frame(link); i++)
		;
}

/* Cards filter multicast: all-nodes (ff02::1) brings other routers' advertisements, all-routers
 * (ff02::2) questions, all DHCPv6 servers (ff02::1:2) what machines solicit. */
static void join_groups(const struct link *link)
{
	static const uint8_t ends[][2] = {{0, 1}, {0, 2}, {1, 2}};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct packet_mreq group = {
			.mr_ifindex = (int)link->index,
			.mr_type = PACKET_MR_MULTICAST,
			.mr_alen = 6,
			.mr_address = {0x33, 0x33, 0, ends[i][0], 0, ends[i][1]},
		};

		if (setsockopt(link->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group,
			       sizeof(group)) < 0)
			log_warning("multicast_not_heard", "interface=%s reason=%s", link->name,
				    log_text(strerror(errno)));
	}
}

static enum err open_packet_socket(struct link *link)
{
	struct sock_fprog filter = {sizeof(discovery_filter) / sizeof(discovery_filter[0]),
				    discovery_filter};
	struct sockaddr_ll local = {.sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_IPV6),
				    .sll_ifindex = (int)link->index};

	/* protocol 0: nothing arrives before the filter is in place */
	link->socket = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->socket >= 0 &&
	    setsockopt(link->socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ==
		    0 &&
	    bind(link->socket, (struct sockaddr *)&local, sizeof(local)) == 0) {
		join_groups(link);
		return ERR_OK;
	}
	log_error("packet_socket_failed", "interface=%s reason=%s remedy=%s", link->name,
		  log_text(strerror(errno)),
		  log_text("start dhcpd as root, or with the capabilities CAP_NET_RAW and "
			   "CAP_NET_BIND_SERVICE"));
	if (link->socket >= 0)
		(void)close(link->socket);
	return ERR_SYSTEM;
}

static enum err read_hardware(struct link *link)
{
	struct ifreq request = {0};
	int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_read;

	memcpy(request.ifr_name, link->name, sizeof(request.ifr_name));
	is_read = probe >= 0 && ioctl(probe, SIOCGIFHWADDR, &request) == 0;
	if (probe >= 0)
		(void)close(probe);
	if (!is_read || request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		log_error("not_ethernet", "interface=%s remedy=%s", link->name,
			  log_text("dhcpd serves Ethernet interfaces: name one of those"));
		return ERR_FORMAT;
	}
	memcpy(link->mac.octet, request.ifr_hwaddr.sa_data, sizeof(link->mac.octet));
	return ERR_OK;
}

static enum err find_interface(struct link *link, const char *name)
{
	link->index = strlen(name) < IF_NAMESIZE ? if_nametoindex(name) : 0;
	if (link->index == 0) {
		log_error("no_such_interface", "interface=%s remedy=%s", log_text(name),
			  log_text("`ip link` lists the interfaces of this machine"));
		return ERR_ABSENT;
	}
	memcpy(link->name, name, strlen(name));
	return read_hardware(link);
}

enum err link_open(struct loop *loop, const char *name, struct link **ret_link)
{
	struct link *link = calloc(1, sizeof(*link));
	enum err err;

	if (!link)
		return ERR_MEMORY;
	link->loop = loop;
	err = find_interface(link, name);
	if (err == ERR_OK)
		err = open_packet_socket(link);
	if (err != ERR_OK) {
		free(link);
		return err;
	}
	if (uv_poll_init(&loop->uv, &link->poll, link->socket) != 0) {
		(void)close(link->socket);
		free(link);
		return ERR_SYSTEM;
	}
	link->poll.data = link;
	(void)uv_poll_start(&link->poll, UV_READABLE, on_readable);
	*ret_link = link;
	return ERR_OK;
}

const char *link_name(const struct link *link)
{
	return link->name;
}

unsigned link_index(const struct link *link)
{
	return link->index;
}

struct mac link_mac(const struct link *link)
{
	return link->mac;
}

static uint32_t read_address(const struct link *link)
{
	struct ifreq request = {0};
	struct sockaddr_in address = {0};

	memcpy(request.ifr_name, link->name, sizeof(request.ifr_name));
	request.ifr_addr.sa_family = AF_INET;
	/* any socket will do for the question */
	if (ioctl(link->socket, SIOCGIFADDR, &request) != 0)
		return 0;
	memcpy(&address, &request.ifr_addr, sizeof(address));
	return ntohl(address.sin_addr.s_addr);
}

uint32_t link_address(struct link *link)
{
	uint64_t now = loop_now_ms(link->loop);

	/* it may come late or change; a system call for every packet is too many */
	if (link->address == 0 || now - link->address_at_ms >= ADDRESS_MS) {
		link->address = read_address(link);
		link->address_at_ms = now;
	}
	return link->address;
}

void link_note_booting(struct link *link, const struct mac *mac)
{
	advert_note_client(&link->memory, mac, loop_now_ms(link->loop));
}

void link_set_adverts(struct link *link, bool is_on)
{
	link->is_advertising = is_on;
}

void link_hear_solicits(struct link *link, link_on_solicit *on_solicit, void *data)
{
	link->on_solicit = on_solicit;
	link->data = data;
}

uint64_t link_adverts_sent(const struct link *link)
{
	return link->adverts_sent;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void link_close(struct link *link)
{
	if (!link)
		return;
	uv_close((uv_handle_t *)&link->poll, on_closed);
	(void)close(link->socket);
}
