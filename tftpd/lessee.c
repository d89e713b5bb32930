#include "tftpd/lessee.h"

#include <stdlib.h>
#include <string.h>

#include "db/rows.h"
#include "tftpd/server.h"

#define TOLD_EVERY_MS 60000
#define PARKED_NAME "" /* no file's: it is the client that is asked for */

/* Neighbours in a pool have neighbouring places. */
static size_t place_of(uint32_t address)
{
	return address % LESSEE_SLOTS;
}

static const struct lessee *find(const struct server *server, uint32_t address)
{
	const struct lessee *lessee = &server->lessees.slots[place_of(address)];

	if (lessee->address != address || loop_now_ms(server->loop) >= lessee->until_ms)
		return NULL;
	return lessee;
}

enum err lessee_recall(const struct server *server, const struct ip *address,
		       struct mac *ret_mac)
{
	const struct lessee *lessee = find(server, ip_v4(address));

	if (!lessee || !lessee->has_mac)
		return ERR_ABSENT;
	*ret_mac = lessee->mac;
	return ERR_OK;
}

static void tell_failure(struct server *server, const struct db_answer *answer)
{
	unsigned long left_out;

	if (log_repeat_due(&server->lessees.failed_told, loop_now_ms(server->loop),
			   TOLD_EVERY_MS, &left_out))
		log_warning("lessee_unknown", "reason=%s left_out=%lu effect=%s",
			    log_text(answer->message), left_out,
			    log_text("clients behind routers are served as unknown machines"));
}

/* Remembers what the answer says of the address. */
static void note(struct server *server, uint32_t address, const struct db_answer *answer)
{
	struct lessee lessee = {.address = address};
	bool is_answered = answer->outcome == DB_OK && rows_count(answer->rows) == 1;

	if (is_answered) {
		struct row row = rows_row(answer->rows, 0);
		const char *words = row_text(&row, "mac");

		lessee.has_mac = mac_parse(words, strlen(words), &lessee.mac) == ERR_OK;
	} else {
		tell_failure(server, answer);
	}
	lessee.until_ms = loop_now_ms(server->loop) +
			  (lessee.has_mac ? LESSEE_KEPT_MS : LESSEE_UNKNOWN_MS);
	server->lessees.slots[place_of(address)] = lessee;
}

/* The request goes its way again, and finds what was noted. */
static void on_lessee(void *data, const struct db_answer *answer)
{
	struct kept_request *request = data;
	struct server *server = request->server;

	if (server) { /* else it has closed meanwhile */
		kept_unpark(&server->kept, request);
		server->lessees.asked--;
		note(server, ip_v4(&request->datagram.peer.address), answer);
		server_take_request(server, &request->datagram);
	}
	free(request);
}

/* ERR_AWAY: asked. ERR_ABSENT: it cannot be asked now. */
static enum err ask(struct server *server, const struct udp_datagram *datagram)
{
	struct kept_request *request;
	char address[IP_TEXT_SIZE];
	const char *params[] = {address};

	if (server->lessees.asked == LESSEE_ASKED_MAX ||
	    kept_park(&server->kept, server, datagram, PARKED_NAME, &request) != ERR_OK)
		return ERR_ABSENT;
	ip_format(&datagram->peer.address, address);
	if (backend_query(server->backend, "select rouse_daemon.lease_mac($1::inet) as mac",
			  params, 1, LESSEE_PARKED_MS, on_lessee, request) == ERR_OK) {
		server->lessees.asked++;
		return ERR_AWAY;
	}
	kept_unpark(&server->kept, request);
	free(request);
	return ERR_ABSENT;
}

enum err lessee_find(struct server *server, const struct udp_datagram *datagram,
		     struct mac *ret_mac)
{
	const struct ip *address = &datagram->peer.address;

	if (!ip_is_v4(address))
		return ERR_ABSENT;
	if (find(server, ip_v4(address)))
		return lessee_recall(server, address, ret_mac);
	/* a site without rules asks no machine's name */
	if (backend_site(server->backend)->rule_count == 0)
		return ERR_ABSENT;
	if (kept_is_parked(&server->kept, &datagram->peer, PARKED_NAME))
		return ERR_AWAY;
	return ask(server, datagram);
}
