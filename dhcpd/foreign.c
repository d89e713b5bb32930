#include "dhcpd/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"

#define TICK_MS 1000
#define ANNOUNCE_TICKS 10
#define PEERS_MAX 64
#define JSON_SIZE (FOREIGN_KNOWN_MAX * 640)
#define DEADLINE_MS 10000

struct stranger {
	struct mac mac;
	struct observe_answer answer;
	uint64_t count;	    /* heard and not yet told to the database */
	uint64_t in_flight; /* of these, in the statement under way */
	uint64_t judged_by; /* which announcement's answer can tell whether it is a peer */
	bool is_logged;
};

struct foreign {
	struct foreign_options options;
	struct stranger known[FOREIGN_KNOWN_MAX];
	size_t known_count;
	struct {
		uint32_t address;
		bool is_proxy;
	} peers[PEERS_MAX];
	size_t peer_count;
	/* announcements sent, answered, and the last one that was answered with our peers */
	uint64_t announced, answered, peers_of;
	struct log_repeat repeat;
	struct loop_timer timer;
	unsigned ticks;
	unsigned in_flight; /* answers still to come */
	bool is_telling, is_timer_closed, is_closed;
};

static void release(struct foreign *foreign)
{
	if (foreign->is_closed && foreign->is_timer_closed && foreign->in_flight == 0)
		free(foreign);
}

/* The end of the list when it was not heard before. */
static struct stranger *find(const struct foreign *foreign, uint32_t address, bool is_proxy,
			     const struct mac *mac)
{
	const struct stranger *stranger = foreign->known;
	const struct stranger *end = stranger + foreign->known_count;

	while (stranger < end &&
	       !(stranger->answer.server == address && stranger->answer.is_proxy == is_proxy &&
		 (!mac || mac_equal(&stranger->mac, mac))))
		stranger++;
	return (struct stranger *)stranger;
}

enum foreign_kind foreign_judge(const struct foreign *foreign, uint32_t address, bool is_proxy)
{
	const struct stranger *stranger = find(foreign, address, is_proxy, NULL);

	for (size_t i = 0; i < foreign->peer_count; i++) {
		if (foreign->peers[i].address == address &&
		    foreign->peers[i].is_proxy == is_proxy)
			return FOREIGN_PEER;
	}
	if (foreign->peers_of == 0)
		return FOREIGN_NOT_KNOWN;
	/* a peer that has just started is not in a list of before */
	return stranger < foreign->known + foreign->known_count &&
			       stranger->judged_by > foreign->peers_of
		       ? FOREIGN_NOT_KNOWN
		       : FOREIGN_STRANGER;
}

void foreign_note(struct foreign *foreign, const struct mac *mac,
		  const struct observe_answer *answer)
{
	struct stranger *stranger = find(foreign, answer->server, answer->is_proxy, mac);
	unsigned long left_out;

	if (stranger == foreign->known + foreign->known_count) {
		if (foreign->known_count == FOREIGN_KNOWN_MAX) {
			if (log_repeat_due(&foreign->repeat, loop_now_ms(foreign->options.loop),
					   60000, &left_out))
				log_warning("too_many_foreign", "most=%d remedy=%s",
					    FOREIGN_KNOWN_MAX,
					    log_text("somebody forges DHCP answers: look at "
						     "rouse.foreign_dhcp"));
			return;
		}
		*stranger = (struct stranger){
			.mac = *mac, .answer = *answer, .judged_by = foreign->announced + 1};
		foreign->known_count++;
		foreign_announce(foreign);
	}
	stranger->answer = *answer;
	stranger->count++;
}

static void log_stranger(struct stranger *stranger)
{
	char address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE], next_server[IP4_TEXT_SIZE];

	ip4_format(stranger->answer.server, address);
	ip4_format(stranger->answer.next_server, next_server);
	mac_format(&stranger->mac, mac);
	log_warning(stranger->answer.is_proxy ? "foreign_proxy" : "foreign_dhcp",
		    "address=%s mac=%s next_server=%s file=%s remedy=%s", address, mac,
		    next_server, log_text(stranger->answer.boot_file),
		    log_text("if it should not be there, find it by its card; see "
			     "rouse.foreign_dhcp"));
	stranger->is_logged = true;
}

static void put_address(struct text *out, const char *name, uint32_t value)
{
	char address[IP4_TEXT_SIZE];

	if (value == 0)
		return;
	ip4_format(value, address);
	text_printf(out, ",\"%s\":\"%s\"", name, address);
}

static void put_stranger(struct text *out, const struct stranger *stranger)
{
	char mac[MAC_TEXT_SIZE];

	mac_format(&stranger->mac, mac);
	text_printf(out, "%s{\"mac\":\"%s\",\"kind\":\"%s\",\"count\":%llu",
		    out->length > 1 ? "," : "", mac,
		    stranger->answer.is_proxy ? "proxy" : "server",
		    (unsigned long long)stranger->count);
	put_address(out, "address", stranger->answer.server);
	put_address(out, "router", stranger->answer.router);
	put_address(out, "next_server", stranger->answer.next_server);
	text_put(out, ",\"boot_file\":\"");
	text_put_json(out, stranger->answer.boot_file);
	text_put(out, "\"}");
}

static void on_told(void *data, const struct db_answer *answer)
{
	struct foreign *foreign = data;

	foreign->in_flight--;
	foreign->is_telling = false;
	if (answer->outcome == DB_ERROR)
		log_error("foreign_refused", "reason=%s", log_text(answer->message));
	for (size_t i = 0; i < foreign->known_count; i++) {
		struct stranger *stranger = &foreign->known[i];

		/* what a lost statement told is told again */
		if (answer->outcome == DB_OK || answer->outcome == DB_ERROR)
			stranger->count -= stranger->in_flight;
		stranger->in_flight = 0;
	}
	release(foreign);
}

/* What was heard since the last time, but for our own peers. */
static void tell(struct foreign *foreign)
{
	static char json[JSON_SIZE];
	struct text out = text_into(json, sizeof(json));
	const char *params[2] = {foreign->options.instance, json};

	if (foreign->is_telling || !db_is_up(foreign->options.conn))
		return;
	text_put(&out, "[");
	for (size_t i = 0; i < foreign->known_count; i++) {
		struct stranger *stranger = &foreign->known[i];
		enum foreign_kind kind = foreign_judge(foreign, stranger->answer.server,
						       stranger->answer.is_proxy);
		struct text before = out;

		if (kind == FOREIGN_PEER)
			stranger->count = 0;
		if (stranger->count == 0 || kind == FOREIGN_NOT_KNOWN)
			continue;
		if (!stranger->is_logged)
			log_stranger(stranger);
		put_stranger(&out, stranger);
		/* names full of what JSON must escape: the others go with the next statement */
		if (out.failed || out.length + 2 > sizeof(json)) {
			out = before;
			json[out.length] = '\0';
			break;
		}
		stranger->in_flight = stranger->count;
	}
	if (out.length == 1)
		return;
	text_put(&out, "]");
	foreign->is_telling = db_query(foreign->options.conn,
				       "select rouse_daemon.foreign_seen($1, $2::jsonb)",
				       params, 2, DEADLINE_MS, on_told, foreign) == ERR_OK;
	foreign->in_flight += foreign->is_telling;
}

static void on_announced(void *data, const struct db_answer *answer)
{
	struct foreign *foreign = data;

	foreign->in_flight--;
	foreign->answered++;
	if (answer->outcome == DB_ERROR)
		log_error("announcement_refused", "reason=%s", log_text(answer->message));
	if (answer->outcome == DB_OK && !foreign->is_closed) {
		foreign->peer_count = 0;
		for (size_t i = 0; i < rows_count(answer->rows) && i < PEERS_MAX; i++) {
			struct row row = rows_row(answer->rows, i);

			foreign->peers[i].address = row_ip4(&row, "address");
			foreign->peers[i].is_proxy =
				strcmp(row_text(&row, "kind"), "proxy") == 0;
			foreign->peer_count++;
		}
		foreign->peers_of = foreign->answered;
	}
	release(foreign);
}

void foreign_announce(struct foreign *foreign)
{
	struct foreign_self self = foreign->options.self(foreign->options.data);
	char addresses[FOREIGN_ADDRESSES_MAX * (IP4_TEXT_SIZE + 1) + 3];
	struct text out = text_into(addresses, sizeof(addresses));
	const char *params[3] = {foreign->options.instance, addresses, self.answers_as};

	text_put(&out, "{");
	for (size_t i = 0; i < self.count; i++) {
		char address[IP4_TEXT_SIZE];

		ip4_format(self.addresses[i], address);
		text_printf(&out, "%s%s", i > 0 ? "," : "", address);
	}
	text_put(&out, "}");
	foreign->ticks = 0;
	if (db_query(foreign->options.conn,
		     "select * from rouse_daemon.dhcp_here($1, $2::inet[], $3)", params, 3,
		     DEADLINE_MS, on_announced, foreign) == ERR_OK) {
		foreign->in_flight++;
		foreign->announced++;
	}
}

static void on_time(void *data)
{
	struct foreign *foreign = data;

	if (++foreign->ticks >= ANNOUNCE_TICKS)
		foreign_announce(foreign);
	tell(foreign);
}

enum err foreign_open(const struct foreign_options *options, struct foreign **ret_foreign)
{
	struct foreign *foreign = calloc(1, sizeof(*foreign));

	if (!foreign)
		return ERR_MEMORY;
	foreign->options = *options;
	loop_timer_open(options->loop, &foreign->timer, on_time, foreign);
	loop_timer_start(&foreign->timer, TICK_MS, TICK_MS);
	*ret_foreign = foreign;
	return ERR_OK;
}

static void on_timer_closed(void *data)
{
	struct foreign *foreign = data;

	foreign->is_timer_closed = true;
	release(foreign);
}

void foreign_close(struct foreign *foreign)
{
	if (!foreign)
		return;
	tell(foreign);
	foreign->is_closed = true;
	loop_timer_close_then(&foreign->timer, on_timer_closed);
}
