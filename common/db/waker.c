#include "db/waker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/text.h"
#include "core/wol.h"
#include "db/rows.h"
#include "io/log.h"

#define CLAIM_MS 2000
#define DEADLINE_MS 10000
#define REPEATS 3 /* a switch or a card that sleeps misses the first */
#define NETWORKS_SIZE 2048
#define TARGETS_SIZE 2048

struct waker {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	struct loop_timer timer;
	unsigned in_flight; /* answers still to come */
	bool is_claiming;
	bool is_closed, is_timer_closed;
};

static void release(struct waker *waker)
{
	if (waker->is_timer_closed && waker->in_flight == 0)
		free(waker);
}

/* --- the packets --- */

/* 0, or an errno. */
static int send_one(int sender, const struct mac *mac, uint32_t target)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(WOL_PORT),
				 .sin_addr.s_addr = htonl(target)};
	uint8_t packet[WOL_SIZE];

	wol_packet(mac, packet);
	for (int i = 0; i < REPEATS; i++) {
		if (sendto(sender, packet, sizeof(packet), 0, (const struct sockaddr *)&to,
			   sizeof(to)) < 0)
			return errno;
	}
	return 0;
}

static int open_sender(void)
{
	int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (sender >= 0 && setsockopt(sender, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0)
		return sender;
	if (sender >= 0)
		(void)close(sender);
	return -1;
}

/* --- one order: consecutive rows of an answer --- */

struct order {
	const char *wake; /* its number */
	struct text targets;
	char problem[160]; /* "": none */
};

static void on_told(void *data, const struct db_answer *answer)
{
	struct waker *waker = data;

	waker->in_flight--;
	/* the order is taken up again after 10 s: a machine that is awake does not mind */
	if (answer->outcome == DB_ERROR)
		log_warning("wake_not_recorded", "reason=%s", log_text(answer->message));
	release(waker);
}

static void tell(struct waker *waker, struct order *order)
{
	const char *params[] = {waker->instance, order->wake, order->targets.start,
				order->problem[0] ? order->problem : NULL};

	text_put(&order->targets, "}");
	if (db_query(waker->conn,
		     "select rouse_daemon.wake_sent($1, $2::bigint, $3::inet[], $4)", params, 4,
		     DEADLINE_MS, on_told, waker) == ERR_OK)
		waker->in_flight++;
}

static void send_row(struct order *order, struct row *row, int sender)
{
	uint32_t target = row_ip4(row, "target");
	char mac_text[MAC_TEXT_SIZE], target_text[IP4_TEXT_SIZE];
	struct mac mac;
	int error;

	if (!row_mac(row, "mac", &mac) || row->bad)
		return;
	mac_format(&mac, mac_text);
	ip4_format(target, target_text);
	error = sender < 0 ? errno : send_one(sender, &mac, target);
	if (error != 0) {
		(void)snprintf(order->problem, sizeof(order->problem), "%s: %s", target_text,
			       strerror(error));
		log_warning(
			"wake_not_sent", "mac=%s target=%s reason=%s remedy=%s", mac_text,
			target_text, log_text(strerror(error)),
			log_text("another daemon tries, too: let one stand in the machine's "
				 "network, or give this host a route to it"));
		return;
	}
	log_info("wake_sent", "mac=%s target=%s", mac_text, target_text);
	if (order->targets.length > 1)
		text_put(&order->targets, ",");
	text_put(&order->targets, target_text);
}

static void send_orders(struct waker *waker, const struct db_rows *rows)
{
	int sender = open_sender();
	char targets[TARGETS_SIZE];

	for (size_t at = 0; at < rows_count(rows);) {
		struct order order = {.wake = rows_at(rows, at, 0),
				      .targets = text_into(targets, sizeof(targets))};

		text_put(&order.targets, "{");
		for (; at < rows_count(rows) && strcmp(rows_at(rows, at, 0), order.wake) == 0;
		     at++) {
			struct row row = rows_row(rows, at);

			send_row(&order, &row, sender);
		}
		tell(waker, &order);
	}
	if (sender >= 0)
		(void)close(sender);
}

/* --- which are ours --- */

static uint32_t address_of(const struct sockaddr *address)
{
	struct sockaddr_in in;

	memcpy(&in, address, sizeof(in));
	return ntohl(in.sin_addr.s_addr);
}

static bool is_broadcast_network(const struct ifaddrs *at)
{
	const unsigned wanted = IFF_UP | IFF_BROADCAST;

	return at->ifa_addr && at->ifa_netmask && at->ifa_addr->sa_family == AF_INET &&
	       (at->ifa_flags & wanted) == wanted;
}

/* This host's networks, as an array of addresses with their prefix. */
static void put_networks(struct text *out)
{
	struct ifaddrs *all = NULL;

	text_put(out, "{");
	if (getifaddrs(&all) != 0)
		all = NULL; /* then only what nobody else took is ours */
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		char address[IP4_TEXT_SIZE];

		if (!is_broadcast_network(at))
			continue;
		ip4_format(address_of(at->ifa_addr), address);
		text_printf(out, "%s%s/%d", out->length > 1 ? "," : "", address,
			    __builtin_popcount(address_of(at->ifa_netmask)));
	}
	freeifaddrs(all);
	text_put(out, "}");
}

static void on_claimed(void *data, const struct db_answer *answer)
{
	struct waker *waker = data;

	waker->in_flight--;
	waker->is_claiming = false;
	if (answer->outcome == DB_OK && !waker->is_closed && rows_count(answer->rows) > 0)
		send_orders(waker, answer->rows);
	else if (answer->outcome == DB_ERROR)
		log_error("wakes_refused", "reason=%s remedy=%s", log_text(answer->message),
			  log_text("run `rouse-db migrate` on this database"));
	release(waker);
}

static void on_time(void *data)
{
	struct waker *waker = data;
	char networks[NETWORKS_SIZE];
	struct text out = text_into(networks, sizeof(networks));
	const char *params[] = {waker->instance, networks};

	if (waker->is_claiming || !db_is_up(waker->conn))
		return;
	put_networks(&out);
	if (out.failed)
		log_warning("many_networks", "reason=%s",
			    log_text("this host has too many addresses to name: machines are "
				     "woken by others"));
	else if (db_query(waker->conn, "select * from rouse_daemon.wake_claim($1, $2::inet[])",
			  params, 2, DEADLINE_MS, on_claimed, waker) == ERR_OK) {
		waker->is_claiming = true;
		waker->in_flight++;
	}
}

enum err waker_open(struct loop *loop, struct db_conn *conn, const char *instance,
		    struct waker **ret_waker)
{
	struct waker *waker = calloc(1, sizeof(*waker));

	if (!waker)
		return ERR_MEMORY;
	waker->loop = loop;
	waker->conn = conn;
	waker->instance = instance;
	loop_timer_open(loop, &waker->timer, on_time, waker);
	loop_timer_start(&waker->timer, CLAIM_MS, CLAIM_MS);
	*ret_waker = waker;
	return ERR_OK;
}

static void on_timer_closed(void *data)
{
	struct waker *waker = data;

	waker->is_timer_closed = true;
	release(waker);
}

void waker_close(struct waker *waker)
{
	if (!waker)
		return;
	waker->is_closed = true;
	loop_timer_close_then(&waker->timer, on_timer_closed);
}
