/*
 * Any octets as an IP packet that a tap hears: the frame, the message in it, what a listener
 * and a prober make of it, and the proxy's answer, which is read again; and as what a TFTP
 * server answers dhcpd's question.
 *
 * The first octet chooses the port that it came to and what the listener has seen before, so
 * that inferences are reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/site.h"
#include "core/tftp_ask.h"
#include "dhcpd/frame.h"
#include "dhcpd/observe.h"
#include "dhcpd/probe.h"
#include "dhcpd/proxy.h"
#include "dhcpd/solicit.h"

#define SERVER 0x0a4d0001U /* 10.77.0.1 */

static struct site_boot_file files[] = {{0, false, "", "undionly.kpxe"},
					{7, false, "", "ipxe.efi"},
					{16, true, "", "ipxe.efi"}};
static struct boot_rule rules[] = {{.position = 1,
				    .name = "iPXE",
				    .loader = 1U << BOOT_LOADER_IPXE,
				    .answer = BOOT_SCRIPT,
				    .argument = "",
				    .reason = "script"},
				   {.position = 2,
				    .name = "firmware",
				    .answer = BOOT_FIRST_STAGE,
				    .argument = "",
				    .reason = "first stage"}};
static uint32_t index_of_none[16];
static struct site site = {.boot_files = files,
			   .boot_file_count = 3,
			   .rules = rules,
			   .rule_count = 2,
			   .mac_index = index_of_none,
			   .uuid_index = index_of_none,
			   .index_size = 16};
static struct observe_memory memory;

static void check_proxy(const struct packet *packet, bool is_proxy_port)
{
	struct proxy_verdict verdict;
	uint8_t *buffer = malloc(packet_reply_max(packet));
	struct packet again;
	size_t length;

	if (!buffer)
		abort();
	proxy_decide(&(struct proxy_question){&site, packet, SERVER, is_proxy_port}, &verdict);
	if (!verdict.reason || !*verdict.reason)
		abort();
	if (verdict.message != 0 && proxy_encode(packet, &verdict, buffer, &length) == ERR_OK) {
		/* never an address, never to a reply, never to who shows no sign of booting */
		if (length < PACKET_SIZE_MIN || length > packet_reply_max(packet) ||
		    packet_parse(buffer, length, &again) != ERR_OK || again.yiaddr != 0 ||
		    again.xid != packet->xid || packet->op != PACKET_BOOTREQUEST ||
		    verdict.pxe.class == PXE_CLASS_OS)
			abort();
	}
	free(buffer);
}

static void check_hearing(const struct packet *packet, const struct frame *frame,
			  bool has_asked)
{
	struct observe_inference inference;
	struct observe_answer answer;
	struct probe probe;
	struct mac mac = {{0x52, 0x54, 0, 0, 0, 1}};
	struct packet before = *packet;

	memset(&memory, 0, sizeof(memory));
	before.message = PACKET_REQUEST;
	if (has_asked)
		(void)observe_request(&memory, &mac, PXE_CLASS_FIRMWARE, &before, 1000,
				      &inference);
	if (observe_request(&memory, &mac, pxe_client(packet).class, packet, 2000,
			    &inference) &&
	    (!has_asked || inference.address == 0))
		abort();
	(void)observe_reply(&memory, &mac, packet);
	probe_begin(&probe, packet->xid, 0);
	if (!observe_read_answer(packet, frame->payload, frame->payload_length, frame->source,
				 &answer))
		return;
	if (memchr(answer.boot_file, 0, sizeof(answer.boot_file)) == NULL)
		abort();
	probe_heard(&probe, packet, answer.server);
}

static void check_solicit(const uint8_t *data, size_t size)
{
	struct solicit solicit;

	if (size > 0 && solicit_read(data + 1, size - 1, &solicit) &&
	    (solicit.class == PXE_CLASS_OS || *pxe_class_name(solicit.class) == '\0'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;
	struct packet packet;

	/* and as what a machine asks by IPv6 */
	check_solicit(data, size);
	/* no answer is so short */
	if (tftp_ask_read(data, size) != TFTP_ASK_NONE && size < 3)
		abort();
	if (size == 0 || frame_parse(data + 1, size - 1, &frame) != ERR_OK ||
	    packet_parse(frame.payload, frame.payload_length, &packet) != ERR_OK)
		return 0;
	check_proxy(&packet, data[0] & 1);
	check_hearing(&packet, &frame, data[0] & 2);
	return 0;
}
