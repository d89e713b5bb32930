#include "tftpd/drain.h"

#include "io/log.h"
#include "tftpd/server.h"

/* Can another tftpd open transfer ports of its own while this one has some? */
static bool is_room_beside(const struct settings *settings)
{
	struct ports ports = settings_ports(settings);

	if (ports.is_same)
		return false;
	return ports.first == 0 || ports.last - ports.first + 1 >= 2 * SERVER_TIDS;
}

static void set_background(struct server *server, bool is_background)
{
	for (unsigned i = 0; i < server->tid_count; i++)
		udp_background(server->tids[i].socket, is_background);
	loop_timer_background(&server->timer, is_background);
}

/* Nothing but the transfers is left of the process; they may have ended, too. */
static void on_rest(void *data)
{
	struct server *server = data;

	if (server->drain_until_ms != 0)
		set_background(server, false);
}

void drain_begin(struct server *server)
{
	const struct settings *settings = server->settings;
	struct loop_drain drain = {.most_ms = (uint64_t)settings->drain_seconds * 1000,
				   .is_apart =
					   settings->drain_apart && is_room_beside(settings),
				   .on_rest = on_rest};

	if (server->transfers.open_count == 0 || drain.most_ms == 0) {
		server_close(server);
		return;
	}
	server_stop_requests(server);
	server->drain_until_ms = loop_now_ms(server->loop) + drain.most_ms;
	server_wake(server, server->drain_until_ms);
	set_background(server, true);
	loop_drain(server->loop, &drain);
	log_info("draining", "transfers=%zu seconds=%ld apart=%s", server->transfers.open_count,
		 settings->drain_seconds, drain.is_apart ? "true" : "false");
}

bool drain_is_over(const struct server *server)
{
	return server->drain_until_ms != 0 &&
	       (server->transfers.open_count == 0 ||
		loop_now_ms(server->loop) >= server->drain_until_ms);
}

void drain_look(struct server *server)
{
	if (drain_is_over(server)) {
		server->drain_until_ms = 0;
		server_close(server);
	} else if (server->drain_until_ms != 0) {
		server_wake(server, server->drain_until_ms);
	}
}
