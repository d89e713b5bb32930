#include "dhcpd/observe.h"

#include <string.h>

#include "dhcpd/option.h"

#define AT_FILE 108
#define OVERLOAD_FILE 1

static struct observe_client *find(struct observe_memory *memory, const struct mac *mac)
{
	for (size_t i = 0; i < OBSERVE_CLIENTS; i++) {
		if (mac_equal(&memory->clients[i].mac, mac))
			return &memory->clients[i];
	}
	return NULL;
}

static struct observe_client *find_or_make(struct observe_memory *memory, const struct mac *mac)
{
	struct observe_client *client = find(memory, mac);

	if (client)
		return client;
	client = &memory->clients[memory->next];
	memory->next = (memory->next + 1) % OBSERVE_CLIENTS;
	*client = (struct observe_client){.mac = *mac};
	return client;
}

/* Has a machine that was `before` come further in its boot when it is `now`? */
static bool is_further(enum pxe_class before, enum pxe_class now)
{
	static const int order[] = {
		[PXE_CLASS_FIRMWARE] = 1, [PXE_CLASS_HTTP] = 1, [PXE_CLASS_IPXE] = 2,
		[PXE_CLASS_UBOOT] = 2,	  [PXE_CLASS_OS] = 3,
	};

	return order[now] > order[before];
}

/* Does this packet show that the client has what it asked for? */
static bool shows_success(const struct observe_client *client, const struct packet *packet,
			  enum pxe_class class, uint64_t now_ms)
{
	if (!client->is_waiting || now_ms - client->at_ms >= OBSERVE_WAIT_MS)
		return false;
	return packet->ciaddr == client->address ||
	       (packet->message == PACKET_DISCOVER && is_further(client->class, class));
}

/* A REQUEST that names a server and an address begins the wait for its ACK. */
static void begin_wait(struct observe_client *client, const struct packet *packet)
{
	uint32_t address, server;

	if (packet->message != PACKET_REQUEST ||
	    !packet_option_u32(packet, OPTION_REQUESTED_ADDRESS, &address) ||
	    !packet_option_u32(packet, OPTION_SERVER_ID, &server) || address == 0)
		return;
	client->is_waiting = true;
	client->address = address;
	client->server = server;
}

bool observe_request(struct observe_memory *memory, const struct mac *mac, enum pxe_class class,
		     const struct packet *packet, uint64_t now_ms,
		     struct observe_inference *ret_inference)
{
	struct observe_client *client;
	bool is_inferred;

	if (mac_is_zero(mac))
		return false;
	client = find_or_make(memory, mac);
	is_inferred = shows_success(client, packet, class, now_ms);
	if (is_inferred)
		*ret_inference = (struct observe_inference){client->class, client->address,
							    client->server};
	client->is_waiting = false;
	client->class = class;
	client->xid = packet->xid;
	client->at_ms = now_ms;
	begin_wait(client, packet);
	return is_inferred;
}

enum pxe_class observe_reply(struct observe_memory *memory, const struct mac *mac,
			     const struct packet *packet)
{
	struct observe_client *client = mac_is_zero(mac) ? NULL : find(memory, mac);

	if (!client || client->xid != packet->xid)
		return client ? client->class : PXE_CLASS_OS;
	/* an ACK that was heard need not be inferred, and a NAK must not */
	if (packet->message == PACKET_NAK ||
	    (packet->message == PACKET_ACK && packet->yiaddr == client->address))
		client->is_waiting = false;
	return client->class;
}

static void copy_name(char *name, const uint8_t *octets, size_t length)
{
	const uint8_t *end = memchr(octets, 0, length);

	if (end)
		length = (size_t)(end - octets);
	if (length >= OBSERVE_FILE_SIZE)
		length = OBSERVE_FILE_SIZE - 1;
	memcpy(name, octets, length);
	name[length] = '\0';
}

static void read_boot_file(const struct packet *packet, const uint8_t *octets, size_t length,
			   char *name)
{
	size_t option_length;
	const uint8_t *option = packet_option(packet, OPTION_BOOT_FILE, &option_length);
	uint8_t overload = 0;

	name[0] = '\0';
	if (option && option_length > 0)
		copy_name(name, option, option_length);
	else if (length >= PACKET_HEADER_SIZE &&
		 !(packet_option_u8(packet, OPTION_OVERLOAD, &overload) &&
		   overload & OVERLOAD_FILE))
		copy_name(name, octets + AT_FILE, PACKET_FILE_SIZE);
}

static bool has_class(const struct packet *packet, const char *wanted)
{
	size_t length;
	const uint8_t *class = packet_option(packet, OPTION_VENDOR_CLASS, &length);

	return class && length >= strlen(wanted) && memcmp(class, wanted, strlen(wanted)) == 0;
}

bool observe_read_answer(const struct packet *packet, const uint8_t *octets, size_t length,
			 uint32_t source, struct observe_answer *ret_answer)
{
	size_t routers_length;
	const uint8_t *routers = packet_option(packet, OPTION_ROUTERS, &routers_length);
	struct bytes_reader in = bytes_reader(routers, routers ? routers_length : 0);

	if (packet->op != PACKET_BOOTREPLY ||
	    (packet->message != PACKET_OFFER && packet->message != PACKET_ACK))
		return false;
	if (!packet_option_u32(packet, OPTION_SERVER_ID, &ret_answer->server))
		ret_answer->server = source;
	ret_answer->says_pxe = has_class(packet, "PXEClient");
	ret_answer->is_proxy = packet->yiaddr == 0 &&
			       (ret_answer->says_pxe || has_class(packet, "HTTPClient"));
	ret_answer->router = bytes_get_u32(&in);
	ret_answer->next_server = packet->siaddr;
	read_boot_file(packet, octets, length, ret_answer->boot_file);
	return true;
}

uint32_t observe_boot_server(const struct observe_answer *answer)
{
	return answer->next_server != 0 ? answer->next_server : answer->server;
}
