#include "tftpd/archs.h"

#include <stdlib.h>
#include <string.h>

#include "db/rows.h"
#include "tftpd/server.h"

#define TOLD_EVERY_MS 60000

/* Cards of one make differ in their last octets. */
static struct archs_entry *place_of(struct server *server, const struct mac *mac)
{
	size_t place = (size_t)mac->octet[3] << 16 | (size_t)mac->octet[4] << 8 | mac->octet[5];

	return &server->archs.slots[place % ARCHS_SLOTS];
}

static void tell_failure(struct server *server, const struct db_answer *answer)
{
	unsigned long left_out;

	if (log_repeat_due(&server->archs.failed_told, loop_now_ms(server->loop), TOLD_EVERY_MS,
			   &left_out))
		log_warning("arch_unknown", "reason=%s left_out=%lu effect=%s",
			    log_text(answer->message), left_out,
			    log_text("by-arch/ is passed over, the common files are served"));
}

/* By option 93 of DHCP, else in iPXE's words. */
static bool read_arch(const struct db_answer *answer, struct arch *ret_arch)
{
	struct row row;
	const char *code;

	if (rows_count(answer->rows) != 1)
		return false;
	row = rows_row(answer->rows, 0);
	code = row_text(&row, "code");
	*ret_arch = *code ? arch_from_client((uint16_t)strtoul(code, NULL, 10))
			  : arch_from_ipxe(row_text(&row, "cpu"), row_text(&row, "firmware"));
	return ret_arch->cpu != ARCH_OTHER && ret_arch->firmware != FIRMWARE_OTHER;
}

static void note(struct server *server, const struct mac *mac, const struct db_answer *answer)
{
	struct archs_entry entry = {.mac = *mac};

	if (answer->outcome == DB_OK)
		entry.is_known = read_arch(answer, &entry.arch);
	else
		tell_failure(server, answer);
	entry.until_ms =
		loop_now_ms(server->loop) + (entry.is_known ? ARCHS_KEPT_MS : ARCHS_UNKNOWN_MS);
	*place_of(server, mac) = entry;
}

/* The request goes its way again, and finds what was noted. */
static void on_arch(void *data, const struct db_answer *answer)
{
	struct kept_request *request = data;
	struct server *server = request->server;
	struct mac mac;

	if (server) { /* else it has closed meanwhile */
		kept_unpark(&server->kept, request);
		server->archs.asked--;
		/* parked under its MAC */
		if (mac_parse(request->name, strlen(request->name), &mac) == ERR_OK)
			note(server, &mac, answer);
		server_take_request(server, &request->datagram);
	}
	free(request);
}

/* ERR_AWAY: asked. ERR_ABSENT: it cannot be asked now. */
static enum err ask(struct server *server, const struct udp_datagram *datagram,
		    const char *mac_words)
{
	struct kept_request *request;
	const char *params[] = {mac_words};

	if (server->archs.asked == ARCHS_ASKED_MAX ||
	    kept_park(&server->kept, server, datagram, mac_words, &request) != ERR_OK)
		return ERR_ABSENT;
	if (backend_query(server->backend,
			  "select * from rouse_daemon.machine_arch($1::macaddr)", params, 1,
			  ARCHS_PARKED_MS, on_arch, request) == ERR_OK) {
		server->archs.asked++;
		return ERR_AWAY;
	}
	kept_unpark(&server->kept, request);
	free(request);
	return ERR_ABSENT;
}

enum err archs_find(struct server *server, const struct udp_datagram *datagram,
		    const struct mac *mac, struct arch *ret_arch)
{
	const struct archs_entry *entry = place_of(server, mac);
	char mac_words[MAC_TEXT_SIZE];

	if (mac_equal(&entry->mac, mac) && loop_now_ms(server->loop) < entry->until_ms) {
		if (entry->is_known)
			*ret_arch = entry->arch;
		return entry->is_known ? ERR_OK : ERR_ABSENT;
	}
	mac_format(mac, mac_words);
	if (kept_is_parked(&server->kept, &datagram->peer, mac_words))
		return ERR_AWAY;
	return ask(server, datagram, mac_words);
}
