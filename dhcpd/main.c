/*
 * dhcpd - gives machines their addresses, and their boot files; or, beside another server, the
 * boot files alone.
 *
 * Reads its keys, opens its sockets, gives up root, looks at the database (which may be away),
 * and serves until it is told to stop.
 */
#include <sysexits.h>

#include "dhcpd/backend.h"
#include "dhcpd/figures.h"
#include "dhcpd/server.h"
#include "dhcpd/settings.h"
#include "io/jail.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics_port.h"
#include "io/notify.h"

static void on_reload(void *data)
{
	struct server *server = data;

	notify_reloading();
	/* our own words, and longer than what log_text() shows of foreign ones */
	log_info("reload", "status=\"%s\"", server_status(server));
	backend_reload(server->backend);
	notify_ready();
}

static void on_stop(void *data)
{
	struct server *server = data;

	if (server->backend)
		log_info("stopped", "status=\"%s\"", server_status(server));
	metrics_port_close(server->metrics);
	server_close(server);
	backend_close(server->backend);
}

static enum err confine(const struct settings *settings)
{
	const char *const writable[] = {settings->state_dir};

	return settings->confine ? jail_confine(writable, 1) : ERR_OK;
}

/* EX_OK: everything is open, the loop may run. */
static int prepare(struct server *server, struct loop *loop, const struct settings *settings)
{
	const struct backend_options options = {settings,    server_on_site, server_on_answer,
						server_self, server_status,  server};

	if (server_open(server, loop, settings) != ERR_OK)
		return EX_UNAVAILABLE;
	if (jail_drop_user(settings->user) != ERR_OK)
		return EX_NOUSER;
	if (confine(settings) != ERR_OK)
		return EX_OSERR;
	if (backend_open(loop, &options, &server->backend) != ERR_OK)
		return EX_CONFIG;
	if (metrics_port_open(loop, (uint16_t)settings->metrics_port, figures_write, server,
			      &server->metrics) != ERR_OK)
		return EX_UNAVAILABLE;
	log_info("started", "version=%s interface=%s mode=%s", ROUSE_VERSION,
		 log_text(settings->interface), settings->mode);
	notify_ready();
	return EX_OK;
}

int main(int argc, char **argv)
{
	static const struct loop_callbacks callbacks = {on_reload, on_stop};
	static struct server server;
	struct settings settings = {0};
	struct loop loop;
	int status;

	log_open("dhcpd");
	if (settings_read(argc, argv, &settings, &status) != CONF_RUN)
		return status;
	if (loop_open(&loop, &callbacks, &server) != ERR_OK) {
		log_error("loop_failed", "reason=%s", "\"the event loop cannot start\"");
		return EX_OSERR;
	}
	status = prepare(&server, &loop, &settings);
	/* what was opened is closed in order, also when something could not be */
	if (status != EX_OK)
		loop_stop(&loop);
	loop_run(&loop);
	loop_close(&loop);
	settings_free(&settings);
	return status;
}
