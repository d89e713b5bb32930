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

#define ADDRESS_MS 1000 /* how long a look at the interface's address counts */
#define EARS_MAX 4

struct link {
	char name[IF_NAMESIZE];
	unsigned index;
	struct mac mac;
	uint32_t address;
	uint64_t address_at_ms;
	bool is_gone;	       /* and told so */
	struct ear *discovery; /* of IPv6 routers; every frame is sent by its socket */
	struct ear *ears[EARS_MAX];
	size_t ear_count;
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
	if (sendto(ear_socket(link->discovery), octets, length, MSG_DONTWAIT,
		   (struct sockaddr *)&to, sizeof(to)) >= 0)
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

static void on_frame(void *data, const struct sockaddr_ll *from, const uint8_t *packet,
		     size_t length)
{
	struct link *link = data;
	uint8_t source[16];
	struct mac mac;

	memcpy(mac.octet, from->sll_addr, sizeof(mac.octet));
	if (from->sll_pkttype == PACKET_OUTGOING || from->sll_halen != sizeof(mac.octet))
		return;
	if (advert_read(&link->memory, packet, length, loop_now_ms(link->loop), source))
		answer_solicitation(link, &mac, source);
	else
		take_solicit(link, &mac, packet, length);
}

/* Cards filter multicast: all-nodes (ff02::1) brings other routers' advertisements, all-routers
 * (ff02::2) questions, all DHCPv6 servers (ff02::1:2) what machines solicit. */
static void join_groups(const struct link *link)
{
	static const struct mac groups[] = {{{0x33, 0x33, 0, 0, 0, 1}},
					    {{0x33, 0x33, 0, 0, 0, 2}},
					    {{0x33, 0x33, 0, 1, 0, 2}}};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (ear_join(link->discovery, PACKET_MR_MULTICAST, &groups[i]) != ERR_OK)
			log_warning("multicast_not_heard", "interface=%s reason=%s", link->name,
				    log_text(strerror(errno)));
	}
}

enum err link_listen(struct link *link, const struct ear_options *options, struct ear **ret_ear)
{
	struct ear_options here = *options;

	here.interface = link->index;
	if (link->ear_count < EARS_MAX && ear_open(link->loop, &here, ret_ear) == ERR_OK) {
		link->ears[link->ear_count++] = *ret_ear;
		return ERR_OK;
	}
	log_error("packet_socket_failed", "interface=%s reason=%s remedy=%s", link->name,
		  log_text(strerror(errno)),
		  log_text("start dhcpd as root, or with the capabilities CAP_NET_RAW and "
			   "CAP_NET_BIND_SERVICE"));
	return ERR_SYSTEM;
}

static enum err listen_for_routers(struct link *link)
{
	struct ear_options options = {
		.protocol = ETH_P_IPV6,
		.filter = {sizeof(discovery_filter) / sizeof(discovery_filter[0]),
			   discovery_filter},
		.on_frame = on_frame,
		.data = link,
	};
	enum err err = link_listen(link, &options, &link->discovery);

	if (err == ERR_OK)
		join_groups(link);
	return err;
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
		err = listen_for_routers(link);
	if (err != ERR_OK) {
		free(link);
		return err;
	}
	*ret_link = link;
	return ERR_OK;
}

/* It was made anew: all ears go there. */
static enum link_change move_to(struct link *link, unsigned index)
{
	link->address = 0;
	link->is_gone = false;
	if (read_hardware(link) != ERR_OK)
		return LINK_GONE; /* what is not taken now is looked at again */
	link->index = index;
	for (size_t i = 0; i < link->ear_count; i++) {
		if (ear_move(link->ears[i], index) != ERR_OK)
			log_error("packet_socket_failed", "interface=%s reason=%s remedy=%s",
				  link->name, log_text(strerror(errno)),
				  log_text("restart dhcpd"));
	}
	return LINK_ANEW;
}

enum link_change link_look(struct link *link)
{
	struct ifreq request = {0};
	unsigned index = 0;

	memcpy(request.ifr_name, link->name, sizeof(request.ifr_name));
	if (ioctl(ear_socket(link->discovery), SIOCGIFINDEX, &request) == 0)
		index = (unsigned)request.ifr_ifindex;
	if (index != 0 && index != link->index)
		return move_to(link, index);
	if (index == 0 && !link->is_gone)
		log_warning("interface_gone", "interface=%s remedy=%s", link->name,
			    log_text("it is served again as soon as there is one of its "
				     "name"));
	link->is_gone = index == 0;
	return index == 0 ? LINK_GONE : LINK_THERE;
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
	if (ioctl(ear_socket(link->discovery), SIOCGIFADDR, &request) != 0)
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

void link_read_ours(const struct link *link, struct ours *ours)
{
	struct ifreq list[OURS_MAX];
	struct ifconf found = {.ifc_len = sizeof(list), .ifc_req = list};
	struct sockaddr_in address;

	if (ioctl(ear_socket(link->discovery), SIOCGIFCONF, &found) != 0)
		return;
	ours->count = (size_t)found.ifc_len / sizeof(list[0]);
	for (size_t i = 0; i < ours->count; i++) {
		memcpy(&address, &list[i].ifr_addr, sizeof(address));
		ours->addresses[i] = ntohl(address.sin_addr.s_addr);
	}
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

void link_close(struct link *link)
{
	if (!link)
		return;
	for (size_t i = 0; i < link->ear_count; i++)
		ear_close(link->ears[i]);
	free(link);
}
