#include "tftpd/settings.h"

#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "io/log.h"
#include "tftpd/map.h"
#include "tftpd/packet.h"
#include "tftpd/repair.h"

#define KEY(name, type) #name, type, offsetof(struct settings, name)

static const struct conf_key keys[] = {
	{KEY(database, CONF_SECRET), "",
	 "connection string, as psql takes it; empty: work without a database", 0, 0},
	{KEY(listen, CONF_TEXT),
	 "::", "address to listen on; ::, all of IPv6 and IPv4; 0.0.0.0, all of IPv4", 0, 0},
	{KEY(port, CONF_NUMBER), "69", "UDP port for requests", 1, 65535},
	{KEY(root, CONF_TEXT), "/srv/rouse/tftp /usr/lib/rouse/tftp",
	 "folders whose files are served, parted by blanks, searched in this order", 0, 0},
	{KEY(boot_root, CONF_TEXT), "/srv/rouse /usr/lib/rouse",
	 "folders of the kernels and initial disks that the database names; empty: none", 0, 0},
	{KEY(menud_urls, CONF_TEXT), "http://${next-server}:8080",
	 "boot services that default.ipxe asks, when the database names none", 0, 0},
	{KEY(user, CONF_TEXT), "", "user to become once the sockets are open; empty: stay", 0,
	 0},
	{KEY(confine, CONF_TRUTH), "true",
	 "give up what it was not made for: other folders, programs, system calls", 0, 0},
	{KEY(log_level, CONF_TEXT), "info", "error, warning, info or debug", 0, 0},
	{KEY(metrics_port, CONF_NUMBER), "0",
	 "TCP port of the loopback for GET /metrics; 0: none", 0, 65535},
	{KEY(state_dir, CONF_TEXT), "/var/lib/rouse/tftpd",
	 "folder of the saved configuration; empty: none is saved", 0, 0},
	{KEY(transfers_max, CONF_NUMBER), "2000", "transfers open at once", 4, 100000},
	{KEY(blksize_max, CONF_NUMBER), "0",
	 "largest block that is granted; 0: what the interface's MTU carries", 0, 65464},
	{KEY(transfer_ports, CONF_TEXT), "any",
	 "ports of transfers: any, a range such as 50000-50015, or same (as requests)", 0, 0},
	{KEY(drain_seconds, CONF_NUMBER), "30",
	 "at a stop, transfers under way have so long to end; 0: they are broken off", 0, 3600},
	{KEY(drain_apart, CONF_TRUTH), "false",
	 "they do so in a child, and the process itself ends at once", 0, 0},
	{KEY(reuse_port, CONF_TRUTH), "false",
	 "share the request port with other tftpd processes of this user", 0, 0},
	{KEY(broadcasts, CONF_TRUTH), "false",
	 "answer requests that were sent to a broadcast or multicast address", 0, 0},
	{KEY(loop_breaker, CONF_TRUTH), "true",
	 "iPXE asking for its own binary gets default.ipxe, where no subnet says otherwise", 0,
	 0},
	{KEY(repairs, CONF_TEXT), "slash backslash trailing case folder",
	 "what is mended in names, parted by blanks; empty: nothing", 0, 0},
	{KEY(client_views, CONF_TRUTH), "false",
	 "look first below by-mac/, by-arch/ and by-subnet/ of the client", 0, 0},
	{KEY(upload_root, CONF_TEXT), "", "folder that clients may write to; empty: none", 0,
	 0},
	{KEY(upload_replace, CONF_TRUTH), "false",
	 "an upload may take the place of a file that is there", 0, 0},
	{KEY(upload_max_mib, CONF_NUMBER), "64", "largest upload, MiB", 1, 1048576},
	{KEY(map_file, CONF_TEXT), "", "rules that change names, as tftp-hpa's; empty: none", 0,
	 0},
};

/* The address before the zone, if there is one. */
static enum err read_listen(const char *listen, struct ip *ret_address)
{
	char text[IP_TEXT_SIZE];
	size_t length = strcspn(listen, "%");
	enum err err;

	if (length >= sizeof(text))
		return ERR_FORMAT;
	memcpy(text, listen, length);
	text[length] = '\0';
	err = ip_parse(text, ret_address);
	if (err != ERR_OK)
		return err;
	/* on which link? and a zone of anything else means nothing */
	return ip_is_link_local(ret_address) == (listen[length] == '%') ? ERR_OK : ERR_FORMAT;
}

static enum err refuse_blksize(long blksize)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%ld", blksize);
	return conf_refuse("blksize_max", number,
			   "8 to 65464, or 0 for what the interface carries");
}

static enum err check(const void *data)
{
	const struct settings *settings = data;
	struct ip address;
	unsigned repairs;
	struct map map;
	struct ports ports;

	if (conf_set_log_level(settings->log_level) != ERR_OK)
		return ERR_FORMAT;
	if (read_listen(settings->listen, &address) != ERR_OK)
		return conf_refuse("listen", settings->listen,
				   "give an address such as 10.77.0.1, fd00::1 or "
				   "fe80::1%eth0, or :: for all");
	if (repair_parse(settings->repairs, &repairs) != ERR_OK)
		return conf_refuse("repairs", settings->repairs,
				   "some of slash, backslash, trailing, case, folder");
	if (settings->blksize_max > 0 && settings->blksize_max < PACKET_BLKSIZE_MIN)
		return refuse_blksize(settings->blksize_max);
	if (ports_parse(settings->transfer_ports, &ports) != ERR_OK)
		return conf_refuse("transfer_ports", settings->transfer_ports,
				   "any, same, or two ports such as 50000-50015");
	if (map_read(settings->map_file, &map) != ERR_OK)
		return ERR_FORMAT;
	map_free(&map);
	return ERR_OK;
}

static const struct conf conf = {
	"tftpd",
	ROUSE_VERSION,
	"/etc/rouse/tftpd.conf",
	"serves boot files and the first iPXE script over TFTP",
	keys,
	sizeof(keys) / sizeof(keys[0]),
	check,
};

enum conf_result settings_read(int argc, char **argv, struct settings *settings, int *ret_exit)
{
	return conf_read(&conf, argc, argv, settings, ret_exit);
}

struct ip settings_address(const struct settings *settings)
{
	struct ip address;

	/* settings_read() has read it once already */
	if (read_listen(settings->listen, &address) != ERR_OK)
		address = (struct ip){{0}};
	return address;
}

unsigned settings_scope(const struct settings *settings)
{
	const char *zone = strchr(settings->listen, '%');

	return zone ? if_nametoindex(zone + 1) : 0;
}

bool settings_is_both(const struct settings *settings)
{
	return strcmp(settings->listen, "::") == 0;
}

unsigned settings_repairs(const struct settings *settings)
{
	unsigned set;

	return repair_parse(settings->repairs, &set) == ERR_OK ? set : 0;
}

struct ports settings_ports(const struct settings *settings)
{
	struct ports ports;

	/* settings_read() has read it once already */
	if (ports_parse(settings->transfer_ports, &ports) != ERR_OK)
		ports = (struct ports){0};
	return ports;
}

void settings_free(struct settings *settings)
{
	conf_free(&conf, settings);
}
