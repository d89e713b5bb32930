#include "tftpd/drain.h"

#include "io/log.h"
#include "tftpd/server.h"

#define RECORD_MS 5000 /* for the last events to be recorded */

/* Can another tftpd open transfer ports of its own while this one has some? */
static bool is_room_beside(const struct settings *settings)
{
	struct ports ports = settings_ports(settings);

	if (ports.is_same)
		return false;
	return ports.first == 0 || ports.last - ports.first + 1 >= 2 * SERVER_TIDS;
}

/*
 * Their clients' words wait in the sockets until somebody is there to record how they end. What
 * ends by the clock or in the pool meanwhile stands in the log alone.
 */
static void pause_transfers(struct server *server, bool is_paused)
{
	for (unsigned i = 0; i < server->tid_count; i++)
		udp_pause(server->tids[i].socket, is_paused);
	loop_timer_background(&server->timer, is_paused);
}

/*
 * Nothing but the transfers is left of the process; they may have ended, too. How they end is
 * recorded by a connection of its own, for none survives going apart.
 */
static void on_rest(void *data)
{
	struct server *server = data;
	const struct backend_options options = {.settings = server->settings};

	if (server->drain_until_ms == 0)
		return;
	if (backend_open(server->loop, &options, &server->backend) != ERR_OK)
		log_warning("drain_not_recorded", "reason=%s", err_text(ERR_MEMORY));
	pause_transfers(server, false);
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
	pause_transfers(server, true);
	loop_drain(server->loop, &drain);
	log_info("draining", "transfers=%zu seconds=%ld apart=%s", server->transfers.open_count,
		 settings->drain_seconds, drain.is_apart ? "true" : "false");
}

bool drain_is_idle(const struct server *server)
{
	return server->drain_until_ms != 0 && server->transfers.open_count == 0;
}

static void end(struct server *server)
{
	server->drain_until_ms = 0;
	server_close(server);
	backend_close(server->backend);
	server->backend = NULL;
}

void drain_look(struct server *server)
{
	uint64_t now = loop_now_ms(server->loop);
	bool is_idle = drain_is_idle(server);

	if (server->drain_until_ms == 0)
		return;
	/* the database may be slower than the last client, but not for ever */
	if (is_idle && server->drain_until_ms > now + RECORD_MS)
		server->drain_until_ms = now + RECORD_MS;
	if (now >= server->drain_until_ms || (is_idle && !backend_is_behind(server->backend)))
		end(server);
	else
		server_wake(server, is_idle ? now + DRAIN_LOOK_MS : server->drain_until_ms);
}
