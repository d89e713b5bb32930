#include "dhcpd/tap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dhcpd/ear.h"
#include "io/log.h"

#define BUFFER_BYTES (1 << 20)

#define AUXILIARY(what) ((uint32_t)(SKF_AD_OFF + (what)))

struct tap {
	struct tap_options options;
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

static void on_frame(void *data, const struct sockaddr_ll *from, const uint8_t *packet,
		     size_t length)
{
	struct tap *tap = data;
	struct tap_heard heard = {0};

	if (from->sll_halen != sizeof(heard.mac.octet) ||
	    frame_parse(packet, length, &heard.frame) != ERR_OK)
		return;
	heard.is_others = from->sll_pkttype == PACKET_OTHERHOST;
	heard.is_own = from->sll_pkttype == PACKET_OUTGOING;
	memcpy(heard.mac.octet, from->sll_addr, sizeof(heard.mac.octet));
	tap->options.on_heard(tap->options.data, &heard);
}

/* A card drops what is for another one, unless it is told of it. */
static void let_in(const struct tap *tap, struct ear *ear)
{
	if (!mac_is_zero(&tap->options.also) &&
	    ear_join(ear, PACKET_MR_UNICAST, &tap->options.also) != ERR_OK)
		log_warning("unicast_not_heard", "interface=%s reason=%s",
			    link_name(tap->options.link), log_text(strerror(errno)));
}

enum err tap_open(const struct tap_options *options, struct tap **ret_tap)
{
	struct sock_filter program[FILTER_LENGTH];
	struct tap *tap = calloc(1, sizeof(*tap));
	struct ear_options hearing = {
		/* only an ear for all protocols is told what this host sends */
		.protocol = options->what == TAP_EVERYTHING ? ETH_P_ALL : ETH_P_IP,
		.filter = {FILTER_LENGTH, program},
		.receive_bytes = BUFFER_BYTES,
		.on_frame = on_frame,
		.data = tap,
	};
	struct ear *ear;

	if (!tap)
		return ERR_MEMORY;
	tap->options = *options;
	memcpy(program, dhcp_filter, sizeof(program));
	/* port 67 falls through to "no" */
	if (options->what == TAP_REPLIES)
		program[FILTER_PORT_67].jt = 1;
	if (link_listen(options->link, &hearing, &ear) != ERR_OK) {
		free(tap);
		return ERR_SYSTEM;
	}
	let_in(tap, ear);
	*ret_tap = tap;
	return ERR_OK;
}

void tap_close(struct tap *tap)
{
	free(tap);
}
