#include "dhcpd/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dhcpd/packet.h"
#include "io/log.h"

#define FRAMES_PER_TURN 64 /* then the loop's other handles have their turn */
#define BUFFER_BYTES (1 << 20)

#define AUXILIARY(what) ((uint32_t)(SKF_AD_OFF + (what)))

struct tap {
	struct tap_options options;
	int socket;
	uv_poll_t poll;
};

/*
 * Whole UDP datagrams over IPv4 to the ports 68 and 67, and none of a VLAN: that is an
 * interface of its own. The program sees the packet from its IP header on.
 */
static const struct sock_filter dhcp_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_PROTOCOL)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 11),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AUXILIARY(SKF_AD_VLAN_TAG_PRESENT)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 9),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 7),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* flags and fragment */
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 5, 0),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* the header's length */
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),	/* destination port */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 67, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

#define FILTER_LENGTH (sizeof(dhcp_filter) / sizeof(dhcp_filter[0]))
#define FILTER_PORT_67 11

/* false when there is nothing more to read. */
static bool receive(struct tap *tap)
{
	uint8_t packet[PACKET_SIZE_MAX + FRAME_HEADERS_SIZE];
	struct sockaddr_ll from;
	socklen_t from_length = sizeof(from);
	struct tap_heard heard = {0};
	ssize_t length = recvfrom(tap->socket, packet, sizeof(packet), MSG_DONTWAIT,
				  (struct sockaddr *)&from, &from_length);

	if (length < 0)
		return false;
	if (from.sll_halen != sizeof(heard.mac.octet) ||
	    frame_parse(packet, (size_t)length, &heard.frame) != ERR_OK)
		return true;
	heard.is_others = from.sll_pkttype == PACKET_OTHERHOST;
	heard.is_own = from.sll_pkttype == PACKET_OUTGOING;
	memcpy(heard.mac.octet, from.sll_addr, sizeof(heard.mac.octet));
	tap->options.on_heard(tap->options.data, &heard);
	return true;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct tap *tap = handle->data;

	(void)status;
	(void)events;
	for (int i = 0; i < FRAMES_PER_TURN && receive(tap); i++)
		;
}

static bool attach_filter(const struct tap *tap)
{
	struct sock_filter program[FILTER_LENGTH];
	struct sock_fprog filter = {FILTER_LENGTH, program};

	memcpy(program, dhcp_filter, sizeof(program));
	/* port 67 falls through to "no" */
	if (tap->options.what == TAP_REPLIES)
		program[FILTER_PORT_67].jt = 1;
	return setsockopt(tap->socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ==
	       0;
}

/* A card drops what is for another one, unless it is told of it. */
static void let_in(const struct tap *tap)
{
	struct packet_mreq card = {
		.mr_ifindex = (int)link_index(tap->options.link),
		.mr_type = PACKET_MR_UNICAST,
		.mr_alen = sizeof(tap->options.also.octet),
	};

	memcpy(card.mr_address, tap->options.also.octet, sizeof(tap->options.also.octet));
	if (!mac_is_zero(&tap->options.also) &&
	    setsockopt(tap->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &card, sizeof(card)) < 0)
		log_warning("unicast_not_heard", "interface=%s reason=%s",
			    link_name(tap->options.link), log_text(strerror(errno)));
}

static enum err open_socket(struct tap *tap)
{
	/* only a tap of all protocols is shown what this host sends */
	uint16_t protocol = tap->options.what == TAP_EVERYTHING ? ETH_P_ALL : ETH_P_IP;
	struct sockaddr_ll local = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)link_index(tap->options.link),
	};
	int bytes = BUFFER_BYTES;

	/* protocol 0: nothing arrives before the filter is in place */
	tap->socket = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (tap->socket >= 0 && attach_filter(tap) &&
	    bind(tap->socket, (struct sockaddr *)&local, sizeof(local)) == 0) {
		/* a smaller buffer loses frames only in storms */
		(void)setsockopt(tap->socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
				 sizeof(bytes));
		let_in(tap);
		return ERR_OK;
	}
	log_error("packet_socket_failed", "interface=%s reason=%s remedy=%s",
		  link_name(tap->options.link), log_text(strerror(errno)),
		  log_text("start dhcpd as root, or with the capability CAP_NET_RAW"));
	if (tap->socket >= 0)
		(void)close(tap->socket);
	return ERR_SYSTEM;
}

enum err tap_open(struct loop *loop, const struct tap_options *options, struct tap **ret_tap)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	enum err err;

	if (!tap)
		return ERR_MEMORY;
	tap->options = *options;
	err = open_socket(tap);
	if (err == ERR_OK && uv_poll_init(&loop->uv, &tap->poll, tap->socket) != 0) {
		(void)close(tap->socket);
		err = ERR_SYSTEM;
	}
	if (err != ERR_OK) {
		free(tap);
		return err;
	}
	tap->poll.data = tap;
	(void)uv_poll_start(&tap->poll, UV_READABLE, on_readable);
	*ret_tap = tap;
	return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void tap_close(struct tap *tap)
{
	if (!tap)
		return;
	uv_close((uv_handle_t *)&tap->poll, on_closed);
	(void)close(tap->socket);
}
