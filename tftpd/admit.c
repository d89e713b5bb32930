#include "tftpd/admit.h"

#include "tftpd/deliver.h"

#define TOLD_EVERY_MS 10000
#define ADDRESS_SHARE 4	 /* one address may hold a fourth of all transfers */
#define UNPROVED_SHARE 2 /* and those that nobody has answered yet a half */

/*
 * A forged request costs its sender one packet and us a place for some seconds. So the places
 * of those who have not answered are limited, and the oldest of them goes first: a client that
 * is there answers long before.
 */
static void forget_silent(struct server *server, size_t most)
{
	const struct session_event event = {.kind = SESSION_CROWDED};

	if (server->transfers.unproved_count >= most)
		deliver_step(server, server->transfers.unproved, &event);
}

static void tell_full(struct server *server, size_t most)
{
	unsigned long left_out;

	server->counts.dropped++;
	if (log_repeat_due(&server->full_told, loop_now_ms(server->loop), TOLD_EVERY_MS,
			   &left_out))
		log_warning("transfers_full",
			    "transfers_max=%zu left_out=%lu effect=%s remedy=%s", most,
			    left_out, log_text("requests are not answered for now"),
			    log_text("raise transfers_max in tftpd.conf"));
}

enum admit_verdict admit_request(struct server *server, const struct ip *address)
{
	size_t most = (size_t)server->settings->transfers_max;

	if (transfer_count_of(&server->transfers, address) >= most / ADDRESS_SHARE &&
	    server->transfers.open_count >= most / ADDRESS_SHARE)
		return ADMIT_TOO_MANY;
	forget_silent(server, most / UNPROVED_SHARE);
	if (server->transfers.open_count >= most)
		forget_silent(server, 1);
	if (server->transfers.open_count < most)
		return ADMIT_YES;
	tell_full(server, most);
	return ADMIT_FULL;
}
