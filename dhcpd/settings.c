#include "dhcpd/settings.h"

#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include "io/log.h"

#define KEY(name, type) #name, type, offsetof(struct settings, name)

static const struct conf_key keys[] = {
	{KEY(database, CONF_SECRET), "", "connection string, as psql takes it", 0, 0},
	{KEY(interface, CONF_TEXT), "", "interfaces to serve, parted by blanks", 0, 0},
	{KEY(mode, CONF_TEXT), "server",
	 "server; proxy: boot files beside another server; observe: listen only", 0, 0},
	{KEY(proxy_delay_ms, CONF_NUMBER), "0",
	 "how long a proxy's offer is held back, in milliseconds", 0, 10000},
	{KEY(check_boot_servers, CONF_TRUTH), "true",
	 "ask the boot servers that clients are sent to whether they answer", 0, 0},
	{KEY(state_dir, CONF_TEXT), "/var/lib/rouse/dhcpd",
	 "folder of the saved configuration and leases; empty: none are saved", 0, 0},
	{KEY(user, CONF_TEXT), "", "user to become once the sockets are open; empty: stay", 0,
	 0},
	{KEY(confine, CONF_TRUTH), "true",
	 "give up what it was not made for: other folders, programs, system calls", 0, 0},
	{KEY(log_level, CONF_TEXT), "info", "error, warning, info or debug", 0, 0},
	{KEY(metrics_port, CONF_NUMBER), "0",
	 "TCP port of the loopback for GET /metrics; 0: none", 0, 65535},
	{KEY(instance, CONF_TEXT), "", "name in rouse.daemons; empty: host name and process id",
	 0, 0},
};

static const char *const mode_names[] = {"server", "proxy", "observe"};

#define MODES (sizeof(mode_names) / sizeof(mode_names[0]))

/* MODES when it is none. */
static size_t find_mode(const char *name)
{
	size_t mode = 0;

	while (mode < MODES && strcmp(mode_names[mode], name) != 0)
		mode++;
	return mode;
}

enum settings_mode settings_mode(const struct settings *settings)
{
	/* checked when it was read */
	return (enum settings_mode)find_mode(settings->mode);
}

const char *settings_mode_name(enum settings_mode mode)
{
	return mode_names[mode];
}

static enum err check(const void *data)
{
	const struct settings *settings = data;

	if (conf_set_log_level(settings->log_level) != ERR_OK)
		return ERR_FORMAT;
	if (find_mode(settings->mode) == MODES)
		return conf_refuse("mode", settings->mode, "one of server, proxy, observe");
	if (!*settings->interface)
		return conf_refuse(
			"interface", "",
			"name the interfaces to serve, such as interface = \"eth1\"; `ip "
			"link` lists them");
	if (!*settings->database)
		return conf_refuse("database", "",
				   "give a connection string, such as database = "
				   "\"host=/run/postgresql dbname=rouse user=rouse_dhcpd\"");
	return ERR_OK;
}

static const struct conf conf = {
	"dhcpd",
	ROUSE_VERSION,
	"/etc/rouse/dhcpd.conf",
	"gives addresses and boot files by DHCP, from PostgreSQL",
	keys,
	sizeof(keys) / sizeof(keys[0]),
	check,
};

enum conf_result settings_read(int argc, char **argv, struct settings *settings, int *ret_exit)
{
	return conf_read(&conf, argc, argv, settings, ret_exit);
}

void settings_free(struct settings *settings)
{
	conf_free(&conf, settings);
}
