/*
 * tftpd - gives boot loaders their files, and iPXE its first script.
 *
 * Reads its keys, opens its sockets, gives up root, looks at the database (which may be away,
 * for ever), and serves until it is told to stop.
 */
#include <sysexits.h>

#include "io/jail.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics_port.h"
#include "io/notify.h"
#include "tftpd/backend.h"
#include "tftpd/drain.h"
#include "tftpd/figures.h"
#include "tftpd/leftovers.h"
#include "tftpd/server.h"
#include "tftpd/settings.h"
#include "tftpd/upload.h"

static void on_reload(void *data)
{
	struct server *server = data;

	backend_reload(server->backend);
}

static void on_stop(void *data)
{
	struct server *server = data;

	metrics_port_close(server->metrics);
	drain_begin(server);
	backend_close(server->backend);
	server->backend = NULL;
}

static enum err confine(const struct settings *settings)
{
	const char *const writable[] = {settings->state_dir, settings->upload_root};

	return settings->confine ? jail_confine(writable, 2) : ERR_OK;
}

/* Can the folder take any, and what is left there of a process that was killed? */
static enum err look_at_uploads(struct loop *loop, const struct settings *settings)
{
	if (settings->upload_root[0] == '\0')
		return ERR_OK;
	upload_check_root(settings->upload_root);
	return leftovers_collect(loop, settings->upload_root);
}

static int start(struct server *server, struct loop *loop, const struct settings *settings)
{
	const struct backend_options options = {settings, server_status, server};

	enum err err = server_open(server, loop, settings);

	if (err != ERR_OK)
		return err == ERR_SYSTEM ? EX_UNAVAILABLE : EX_CONFIG;
	if (jail_drop_user(settings->user) != ERR_OK)
		return EX_NOUSER;
	if (confine(settings) != ERR_OK)
		return EX_OSERR;
	/* not before: root may enter and write anywhere */
	source_roots_check(&server->roots);
	if (look_at_uploads(loop, settings) != ERR_OK)
		return EX_OSERR;
	if (backend_open(loop, &options, &server->backend) != ERR_OK)
		return EX_OSERR;
	if (metrics_port_open(loop, (uint16_t)settings->metrics_port, figures_write, server,
			      &server->metrics) != ERR_OK)
		return EX_UNAVAILABLE;
	log_info("started", "version=%s address=%s port=%u root=%s", ROUSE_VERSION,
		 log_text(settings->listen), udp_port(server->listener),
		 log_text(settings->root));
	notify_ready();
	return EX_OK;
}

int main(int argc, char **argv)
{
	static const struct loop_callbacks callbacks = {on_reload, on_stop};
	static struct server server; /* its outbox is too large for the stack */
	struct settings settings = {0};
	struct loop loop;
	int status;

	log_open("tftpd");
	if (settings_read(argc, argv, &settings, &status) != CONF_RUN)
		return status;
	if (loop_open(&loop, &callbacks, &server) != ERR_OK)
		return EX_OSERR;
	status = start(&server, &loop, &settings);
	if (status != EX_OK)
		loop_stop(&loop); /* closes what was opened, and returns at once */
	loop_run(&loop);
	loop_close(&loop);
	if (status == EX_OK)
		log_info("stopped", "status=%s", log_text(server_status(&server)));
	settings_free(&settings);
	return status;
}
