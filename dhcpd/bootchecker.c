#include "dhcpd/bootchecker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/ip4.h"
#include "core/text.h"
#include "dhcpd/packet.h"
#include "io/log.h"
#include "io/udp.h"

#define TICK_MS 250
#define TFTP_PORT 69
#define PXE_PORT 4011
#define DEADLINE_MS 10000
#define FILE_JSON_SIZE (6 * TFTP_ASK_FILE_MAX + 1)
#define JSON_SIZE (BOOTCHECK_SERVERS * (FILE_JSON_SIZE + 128))

struct bootchecker {
	struct bootchecker_options options;
	struct bootcheck_table table;
	struct udp *socket;
	struct loop_timer timer;
	struct log_repeat repeat;
	uint64_t told_left_out;
	uint32_t xid;
	unsigned in_flight; /* statements */
	bool is_timer_closed, is_closed;
};

static void release(struct bootchecker *checker)
{
	if (checker->is_closed && checker->is_timer_closed && checker->in_flight == 0)
		free(checker);
}

/* --- telling --- */

static void on_told(void *data, const struct db_answer *answer)
{
	struct bootchecker *checker = data;

	checker->in_flight--;
	if (answer->outcome == DB_ERROR)
		log_error("boot_server_refused", "reason=%s", log_text(answer->message));
	release(checker);
}

static void put_check(struct text *out, const struct bootcheck *check)
{
	char address[IP4_TEXT_SIZE];

	ip4_format(check->target.address, address);
	text_printf(out, "%s{\"address\":\"%s\",\"way\":\"%s\",\"answer\":\"%s\",\"file\":\"",
		    out->length > 1 ? "," : "", address, bootcheck_way_name(check->target.way),
		    bootcheck_answer_name(check->answer));
	text_put_json(out, check->target.file);
	text_put(out, "\"}");
}

static void log_check(const struct bootcheck *check)
{
	char address[IP4_TEXT_SIZE];
	bool is_well = check->answer == BOOTCHECK_SERVED;

	ip4_format(check->target.address, address);
	log_write(is_well ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "boot_server",
		  "address=%s way=%s answer=%s file=%s remedy=%s", address,
		  bootcheck_way_name(check->target.way), bootcheck_answer_name(check->answer),
		  log_text(check->target.file),
		  log_text(is_well ? "" : "clients are sent there: see rouse.boot_servers"));
}

/* A look that the database does not take is lost: the next client brings the next one. */
static void tell(struct bootchecker *checker)
{
	static char json[JSON_SIZE];
	struct text out = text_into(json, sizeof(json));
	const char *params[2] = {checker->options.instance, json};
	const struct bootcheck *check;

	text_put(&out, "[");
	while ((check = bootcheck_take(&checker->table))) {
		log_check(check);
		put_check(&out, check);
	}
	if (out.length == 1)
		return;
	text_put(&out, "]");
	if (db_query(checker->options.conn,
		     "select rouse_daemon.boot_servers_asked($1, $2::jsonb)", params, 2,
		     DEADLINE_MS, on_told, checker) == ERR_OK)
		checker->in_flight++;
}

static void log_left_out(struct bootchecker *checker)
{
	unsigned long repeats;

	if (checker->table.left_out == checker->told_left_out ||
	    !log_repeat_due(&checker->repeat, loop_now_ms(checker->options.loop), 60000,
			    &repeats))
		return;
	log_warning("too_many_boot_servers", "most=%d left_out=%llu remedy=%s",
		    BOOTCHECK_SERVERS,
		    (unsigned long long)(checker->table.left_out - checker->told_left_out),
		    log_text("clients are sent to more servers and files than are looked at in "
			     "half a minute; if they should not be, see rouse.foreign_dhcp"));
	checker->told_left_out = checker->table.left_out;
}

/* --- asking --- */

static void send_to(struct bootchecker *checker, const struct udp_peer *peer,
		    const uint8_t *octets, size_t length)
{
	struct udp_datagram datagram = {.data = octets, .length = length, .peer = *peer};

	/* one that is lost is sent again */
	(void)udp_send(checker->socket, &datagram, 1);
}

static void ask(struct bootchecker *checker, const struct bootcheck *check)
{
	static const struct mac nobody = {{0x02, 'r', 'o', 'u', 's', 'e'}};
	uint8_t octets[BOOTCHECK_PXE_SIZE > TFTP_ASK_SIZE ? BOOTCHECK_PXE_SIZE : TFTP_ASK_SIZE];
	struct udp_peer peer = {.address = ip_from_v4(check->target.address)};
	size_t length;

	if (check->target.way == BOOTCHECK_TFTP) {
		peer.port = TFTP_PORT;
		length = tftp_ask_encode(check->target.file, octets);
	} else {
		peer.port = PXE_PORT;
		length = bootcheck_encode_pxe(&nobody, checker->xid, octets);
	}
	send_to(checker, &peer, octets, length);
}

static void on_time(void *data)
{
	struct bootchecker *checker = data;
	uint64_t now_ms = loop_now_ms(checker->options.loop);
	const struct bootcheck *check;

	while ((check = bootcheck_due(&checker->table, now_ms)))
		ask(checker, check);
	tell(checker);
	log_left_out(checker);
	if (bootcheck_is_idle(&checker->table))
		loop_timer_stop(&checker->timer);
}

static void hear_tftp(struct bootchecker *checker, const struct udp_datagram *datagram)
{
	static const enum bootcheck_answer meaning[] = {
		[TFTP_ASK_SERVED] = BOOTCHECK_SERVED,
		[TFTP_ASK_MISSING] = BOOTCHECK_MISSING,
		[TFTP_ASK_REFUSED] = BOOTCHECK_REFUSED,
	};
	enum tftp_ask_answer answer = tftp_ask_read(datagram->data, datagram->length);
	uint8_t octets[TFTP_ASK_SIZE];

	if (answer == TFTP_ASK_NONE)
		return;
	(void)bootcheck_hear(&checker->table, BOOTCHECK_TFTP, ip_v4(&datagram->peer.address),
			     meaning[answer]);
	/* also to an answer that comes twice: the server shall not go on sending */
	if (answer == TFTP_ASK_SERVED)
		send_to(checker, &datagram->peer, octets, tftp_ask_end(octets));
}

static void on_batch(void *data, const struct udp_datagram *datagrams, size_t count)
{
	struct bootchecker *checker = data;

	for (size_t i = 0; i < count; i++) {
		if (bootcheck_is_pxe_answer(datagrams[i].data, datagrams[i].length,
					    checker->xid))
			(void)bootcheck_hear(&checker->table, BOOTCHECK_PXE,
					     ip_v4(&datagrams[i].peer.address),
					     BOOTCHECK_SERVED);
		else
			hear_tftp(checker, &datagrams[i]);
	}
}

static void on_error(void *data, const struct udp_peer *peer, int error)
{
	struct bootchecker *checker = data;

	if (peer->port == TFTP_PORT || peer->port == PXE_PORT)
		(void)bootcheck_hear(&checker->table,
				     peer->port == TFTP_PORT ? BOOTCHECK_TFTP : BOOTCHECK_PXE,
				     ip_v4(&peer->address),
				     error == ECONNREFUSED ? BOOTCHECK_CLOSED
							   : BOOTCHECK_UNREACHABLE);
}

void bootchecker_want(struct bootchecker *checker, enum bootcheck_way way, uint32_t address,
		      const char *file)
{
	struct bootcheck_target target = {.way = way, .address = address};
	size_t length = strlen(file);

	if (!checker || length > TFTP_ASK_FILE_MAX || strstr(file, "://") ||
	    (way == BOOTCHECK_TFTP && length == 0))
		return;
	memcpy(target.file, file, length);
	bootcheck_want(&checker->table, &target, loop_now_ms(checker->options.loop));
	if (!bootcheck_is_idle(&checker->table) && !loop_timer_is_running(&checker->timer))
		loop_timer_start(&checker->timer, 1, TICK_MS);
}

/* --- opening and closing --- */

enum err bootchecker_open(const struct bootchecker_options *options,
			  struct bootchecker **ret_checker)
{
	struct bootchecker *checker = calloc(1, sizeof(*checker));
	struct udp_options udp = {
		.receive_bytes = 1 << 16,
		.on_batch = on_batch,
		.on_error = on_error,
		.data = checker,
	};

	if (!checker)
		return ERR_MEMORY;
	checker->options = *options;
	if (getrandom(&checker->xid, sizeof(checker->xid), 0) < 0 ||
	    udp_open(options->loop, &udp, &checker->socket) != ERR_OK) {
		log_error("bootcheck_failed", "reason=%s remedy=%s", log_text(strerror(errno)),
			  log_text("set check_boot_servers = false to start without it"));
		free(checker);
		return ERR_SYSTEM;
	}
	loop_timer_open(options->loop, &checker->timer, on_time, checker);
	*ret_checker = checker;
	return ERR_OK;
}

static void on_timer_closed(void *data)
{
	struct bootchecker *checker = data;

	checker->is_timer_closed = true;
	release(checker);
}

void bootchecker_close(struct bootchecker *checker)
{
	if (!checker)
		return;
	checker->is_closed = true;
	udp_close(checker->socket);
	loop_timer_close_then(&checker->timer, on_timer_closed);
}
