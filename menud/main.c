/*
 * menud - the boot service: who are you, what shall you do, here is your kernel.
 *
 * Reads its few keys, opens its sockets and its view of the database, drops its privileges, and
 * answers until it is told to stop.
 */
#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

#include "io/conf.h"
#include "io/jail.h"
#include "io/log.h"
#include "io/notify.h"
#include "menud/listen.h"
#include "menud/menud.h"

static const struct conf_key keys[] = {
	{"database", CONF_SECRET, offsetof(struct menud_settings, database),
	 "dbname=rouse user=rouse_menud", "connection string, as psql takes it", 0, 0},
	{"listen", CONF_TEXT, offsetof(struct menud_settings, listen),
	 "::", "address to listen on; ::, all of IPv6 and IPv4; 0.0.0.0, all of IPv4", 0, 0},
	{"port", CONF_NUMBER, offsetof(struct menud_settings, port), "8080", "TCP port", 0,
	 65535},
	{"tls_certificate", CONF_TEXT, offsetof(struct menud_settings, tls_certificate), "",
	 "file of the certificate for TLS, or a credential's name; empty: no TLS", 0, 0},
	{"tls_key", CONF_TEXT, offsetof(struct menud_settings, tls_key), "",
	 "file of its key, or a credential's name", 0, 0},
	{"tls_port", CONF_NUMBER, offsetof(struct menud_settings, tls_port), "8443",
	 "TCP port for TLS", 0, 65535},
	{"root", CONF_TEXT, offsetof(struct menud_settings, root), "/srv/rouse /usr/lib/rouse",
	 "folders with kernels and first stages, searched in order", 0, 0},
	{"image_store", CONF_TEXT, offsetof(struct menud_settings, image_store), "/srv/rouse",
	 "folder that holds images/", 0, 0},
	{"state_dir", CONF_TEXT, offsetof(struct menud_settings, state_dir),
	 "/var/lib/rouse/menud", "folder for the saved configuration; empty: none is saved", 0,
	 0},
	{"user", CONF_TEXT, offsetof(struct menud_settings, user), "",
	 "user to become after the sockets are open, when started by root", 0, 0},
	{"confine", CONF_TRUTH, offsetof(struct menud_settings, confine), "true",
	 "give up what it was not made for: other folders, programs, system calls", 0, 0},
	{"log_level", CONF_TEXT, offsetof(struct menud_settings, log_level), "info",
	 "error, warning, info or debug", 0, 0},
	{"connections_max", CONF_NUMBER, offsetof(struct menud_settings, connections_max),
	 "1024", "connections at one time; more wait", 16, 65536},
	{"loop_breaker", CONF_TRUTH, offsetof(struct menud_settings, loop_breaker), "true",
	 "iPXE asking for its own binary gets its script, where no subnet says otherwise", 0,
	 0},
};

static enum err check(const void *data)
{
	const struct menud_settings *settings = data;

	if (conf_set_log_level(settings->log_level) != ERR_OK)
		return ERR_FORMAT;
	return listen_check(settings);
}

static const struct conf conf = {
	"menud",
	ROUSE_VERSION,
	"/etc/rouse/menud.conf",
	"boots machines over HTTP: menu, jobs, kernels, the client system's calls",
	keys,
	sizeof(keys) / sizeof(keys[0]),
	check,
};

static void on_reload(void *data)
{
	struct menud *menud = data;

	listen_renew(menud);
	snapshot_reload(menud->snapshot);
}

static void on_stop(void *data)
{
	server_close(data);
}

static enum err confine(const struct menud_settings *settings)
{
	char images[1024];
	const char *const writable[] = {settings->state_dir, images};

	(void)snprintf(images, sizeof(images), "%s/images", settings->image_store);
	return settings->confine ? jail_confine(writable, 2) : ERR_OK;
}

static int run(struct menud *menud)
{
	static const struct loop_callbacks callbacks = {on_reload, on_stop};

	if (loop_open(&menud->loop, &callbacks, menud) != ERR_OK)
		return EX_OSERR;
	if (server_open(menud) != ERR_OK || jail_drop_user(menud->settings.user) != ERR_OK ||
	    confine(&menud->settings) != ERR_OK || server_open_database(menud) != ERR_OK)
		return EX_CONFIG;
	notify_ready();
	log_info("started", "version=%s port=%u tls_port=%u", ROUSE_VERSION,
		 http_port(menud->http), menud->https ? http_port(menud->https) : 0);
	loop_run(&menud->loop);
	loop_close(&menud->loop);
	log_info("stopped", "version=%s", ROUSE_VERSION);
	return EX_OK;
}

int main(int argc, char **argv)
{
	static struct menud menud = {.image_store = -1};
	int status = EX_OK;

	log_open("menud");
	if (conf_read(&conf, argc, argv, &menud.settings, &status) != CONF_RUN)
		return status;
	status = run(&menud);
	conf_free(&conf, &menud.settings);
	return status;
}
