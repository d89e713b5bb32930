#include "dhcpd/inquirer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dhcpd/ear.h"
#include "dhcpd/inuse.h"
#include "io/log.h"

#define INTERFACES_MAX 16
#define PACKETS_PER_TURN 64 /* then the loop's other handles have their turn */
#define TICK_MS 20
/* the inquiry ends before: whoever outlives it would be a leak */
#define PARKED_MS 60000

struct inquirer {
	struct inquirer_options options;
	struct inquiry_table table;
	struct parking *parking;
	struct link *links[INTERFACES_MAX]; /* with an ear for ARP each */
	size_t interface_count;
	int echo_socket; /* for ICMP */
	uv_poll_t echo_poll;
	struct loop_timer timer;
	uint64_t token; /* in every echo request; random */
	struct inquirer_counts counts;
};

/* Of ARP only replies: requests are what a busy wire is full of. */
static struct sock_filter reply_filter[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* operation */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* --- asking --- */

static void send_arp(struct inquirer *inquirer, const struct inquiry *inquiry)
{
	struct link *link = inquirer->links[inquiry->interface];
	struct mac our_mac = link_mac(link);
	uint8_t packet[INUSE_ARP_SIZE];

	inuse_put_arp(&our_mac, inquiry->address, packet);
	(void)link_send_arp(link, packet, sizeof(packet));
}

static void send_echo(struct inquirer *inquirer, const struct inquiry *inquiry)
{
	uint8_t message[INUSE_ECHO_SIZE];
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(inquiry->address)};

	inuse_put_echo(inquirer->token, message);
	/* what does not leave is like an address that does not answer */
	if (sendto(inquirer->echo_socket, message, sizeof(message), MSG_DONTWAIT,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		log_debug("echo_failed", "reason=%s", log_text(strerror(errno)));
}

static void ask(struct inquirer *inquirer, const struct inquiry *inquiry)
{
	if (inquiry->way == INUSE_ARP)
		send_arp(inquirer, inquiry);
	else
		send_echo(inquirer, inquiry);
}

enum err inquirer_ask(struct inquirer *inquirer, const struct parked *parked,
		      const struct inquiry *inquiry, unsigned wait_ms)
{
	const struct inquiry *before = inquiry_of(&inquirer->table, &inquiry->client);
	bool is_under_way = before && before->address == inquiry->address;
	uint64_t now = loop_now_ms(inquirer->options.loop);
	struct inquiry fresh = *inquiry;

	if (parking_put(inquirer->parking, parked, now + PARKED_MS) != ERR_OK)
		return ERR_SPACE;
	if (is_under_way)
		return ERR_OK;
	fresh.is_repeated = false;
	fresh.repeat_ms = now + wait_ms / 2;
	fresh.ends_ms = now + wait_ms;
	if (inquiry_put(&inquirer->table, &fresh) != ERR_OK) {
		inquirer_forget(inquirer, &inquiry->client);
		return ERR_SPACE;
	}
	inquirer->counts.asked++;
	ask(inquirer, &fresh);
	if (inquirer->table.count == 1)
		loop_timer_start(&inquirer->timer, TICK_MS, TICK_MS);
	return ERR_OK;
}

/* --- the end of an inquiry --- */

static void finish(struct inquirer *inquirer, const struct lease_client *client,
		   const struct inuse_answer *answer)
{
	struct inquiry inquiry;
	struct parked parked;

	if (inquiry_take(&inquirer->table, client, &inquiry) != ERR_OK ||
	    parking_take(inquirer->parking, &inquiry.client, 0, &parked) != ERR_OK)
		return;
	if (answer)
		inquirer->counts.in_use++;
	inquirer->options.on_result(inquirer->options.data,
				    &(struct inquirer_result){&parked, &inquiry, answer});
}

void inquirer_forget(struct inquirer *inquirer, const struct lease_client *client)
{
	struct inquiry inquiry;
	struct parked parked;

	if (!inquirer || parking_take(inquirer->parking, client, 0, &parked) != ERR_OK)
		return;
	if (inquiry_take(&inquirer->table, client, &inquiry) != ERR_OK)
		return; /* it was never begun */
}

static void on_tick(void *data)
{
	struct inquirer *inquirer = data;
	uint64_t now = loop_now_ms(inquirer->options.loop);

	/* from the last one down: one that ends gives its place to the last */
	for (size_t i = inquirer->table.count; i-- > 0;) {
		struct inquiry *inquiry = &inquirer->table.entries[i];

		if (inquiry->ends_ms <= now) {
			finish(inquirer, &inquiry->client, NULL);
		} else if (!inquiry->is_repeated && inquiry->repeat_ms <= now) {
			inquiry->is_repeated = true;
			ask(inquirer, inquiry);
		}
	}
	if (inquirer->table.count == 0)
		loop_timer_stop(&inquirer->timer);
}

static void note_answer(struct inquirer *inquirer, const struct inuse_answer *answer)
{
	const struct inquiry *hit = inquiry_hit_by(&inquirer->table, answer);

	if (hit)
		finish(inquirer, &hit->client, answer);
}

static void on_arp(void *data, const struct sockaddr_ll *from, const uint8_t *packet,
		   size_t length)
{
	struct inuse_answer answer;

	(void)from;
	if (inuse_read_arp(packet, length, &answer) == ERR_OK)
		note_answer(data, &answer);
}

/* false when there is nothing more to read. */
static bool receive_echo(struct inquirer *inquirer)
{
	struct inuse_answer answer;
	uint8_t packet[128];
	ssize_t length = recv(inquirer->echo_socket, packet, sizeof(packet), MSG_DONTWAIT);

	if (length < 0)
		return false;
	if (inuse_read_echo(packet, (size_t)length, inquirer->token, &answer) == ERR_OK)
		note_answer(inquirer, &answer);
	return true;
}

static void on_echo(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	for (int i = 0; i < PACKETS_PER_TURN && receive_echo(handle->data); i++)
		;
}

/* --- opening and closing --- */

static enum err say_failed(void)
{
	log_error("probe_socket_failed", "reason=%s remedy=%s", log_text(strerror(errno)),
		  log_text("start dhcpd as root, or with the capability CAP_NET_RAW"));
	return ERR_SYSTEM;
}

static enum err open_icmp(struct inquirer *inquirer)
{
	struct icmp_filter filter = {~(1U << ICMP_ECHOREPLY)};
	int opened = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);

	if (opened < 0)
		return say_failed();
	if (setsockopt(opened, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) < 0 ||
	    uv_poll_init(&inquirer->options.loop->uv, &inquirer->echo_poll, opened) != 0) {
		(void)say_failed();
		(void)close(opened);
		return ERR_SYSTEM;
	}
	inquirer->echo_socket = opened;
	inquirer->echo_poll.data = inquirer;
	(void)uv_poll_start(&inquirer->echo_poll, UV_READABLE, on_echo);
	return ERR_OK;
}

enum err inquirer_add(struct inquirer *inquirer, struct link *link)
{
	struct ear_options options = {
		.protocol = ETH_P_ARP,
		.filter = {sizeof(reply_filter) / sizeof(reply_filter[0]), reply_filter},
		.on_frame = on_arp,
		.data = inquirer,
	};
	struct ear *ear;

	if (inquirer->interface_count == INTERFACES_MAX)
		return ERR_SPACE;
	inquirer->links[inquirer->interface_count++] = link;
	return link_listen(link, &options, &ear);
}

static void free_inquirer(struct inquirer *inquirer)
{
	parking_close(inquirer->parking);
	free(inquirer);
}

enum err inquirer_open(const struct inquirer_options *options, struct inquirer **ret_inquirer)
{
	struct inquirer *inquirer = calloc(1, sizeof(*inquirer));
	enum err err;

	if (!inquirer)
		return ERR_MEMORY;
	inquirer->options = *options;
	err = parking_open(INQUIRY_MAX, &inquirer->parking);
	if (err == ERR_OK && getrandom(&inquirer->token, sizeof(inquirer->token), 0) !=
				     (ssize_t)sizeof(inquirer->token))
		err = ERR_SYSTEM;
	if (err == ERR_OK)
		err = open_icmp(inquirer);
	if (err != ERR_OK) {
		free_inquirer(inquirer);
		return err;
	}
	loop_timer_open(options->loop, &inquirer->timer, on_tick, inquirer);
	*ret_inquirer = inquirer;
	return ERR_OK;
}

const struct inquiry_table *inquirer_table(const struct inquirer *inquirer)
{
	return inquirer ? &inquirer->table : NULL;
}

struct inquirer_counts inquirer_counts(const struct inquirer *inquirer)
{
	return inquirer ? inquirer->counts : (struct inquirer_counts){0, 0};
}

static void on_timer_closed(void *data)
{
	free_inquirer(data);
}

static void on_echo_closed(uv_handle_t *handle)
{
	struct inquirer *inquirer = handle->data;

	loop_timer_close_then(&inquirer->timer, on_timer_closed);
}

void inquirer_close(struct inquirer *inquirer)
{
	if (!inquirer)
		return;
	loop_timer_stop(&inquirer->timer);
	uv_close((uv_handle_t *)&inquirer->echo_poll, on_echo_closed);
	(void)close(inquirer->echo_socket);
}
