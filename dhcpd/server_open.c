/* What the server listens by: its sockets, interface by interface, which may come and go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dhcpd/beside.h"
#include "dhcpd/inquirer.h"
#include "dhcpd/route.h"
#include "dhcpd/server_internal.h"
#include "io/log.h"

#define LOOK_MS 1000

void server_on_site(void *data, const struct site *site)
{
	struct server *server = data;
	bool is_on = site_setting_truth(site, "ipv6_router_advertisement", true);

	for (size_t i = 0; i < server->interface_count; i++)
		link_set_adverts(server->interfaces[i].link, is_on);
}

static enum err say_bind_failed(const char *name)
{
	const char *remedy = "look at the reason";

	if (errno == EADDRINUSE)
		remedy = "another DHCP server runs here: `ss -lunp sport = :67` names "
			 "it; stop "
			 "it or give it other interfaces";
	else if (errno == EACCES || errno == EPERM)
		remedy = "start dhcpd as root, or with the capabilities CAP_NET_RAW and "
			 "CAP_NET_BIND_SERVICE";
	log_error("bind_failed", "interface=%s port=%d reason=%s remedy=%s", name,
		  ROUTE_PORT_SERVER, log_text(strerror(errno)), log_text(remedy));
	return ERR_SYSTEM;
}

static enum err open_interface(struct server *server, const char *name, enum settings_mode mode)
{
	struct server_interface *interface = &server->interfaces[server->interface_count];
	struct udp_options options = {
		.port = ROUTE_PORT_SERVER,
		.device = name,
		.broadcast = true,
		.on_batch = server_on_batch,
		.data = interface,
	};
	enum err err = link_open(server->loop, name, &interface->link);

	if (err != ERR_OK)
		return err;
	interface->server = server;
	server->interface_count++;
	if (mode == SETTINGS_SERVER &&
	    udp_open(server->loop, &options, &interface->socket) != ERR_OK)
		return say_bind_failed(name);
	err = beside_add(server->beside, interface->link);
	if (err == ERR_OK && server->inquirer)
		err = inquirer_add(server->inquirer, interface->link);
	if (err != ERR_OK)
		return err;
	if (link_address(interface->link) == 0)
		log_warning("no_address", "interface=%s remedy=%s", name,
			    log_text("nobody is answered there until it has an IPv4 "
				     "address"));
	return ERR_OK;
}

/* Its old device is gone, and the kernel lets only the privileged bind to another one. */
static void follow(struct server_interface *interface)
{
	const char *name = link_name(interface->link);
	size_t position = (size_t)(interface - interface->server->interfaces);

	if ((!interface->socket || udp_set_device(interface->socket, name) == ERR_OK) &&
	    beside_follow(interface->server->beside, position) == ERR_OK)
		log_info("interface_back", "interface=%s", name);
	else
		log_error("interface_not_served", "interface=%s reason=%s remedy=%s", name,
			  log_text(strerror(errno)),
			  log_text("restart dhcpd: the interface was made anew, and dhcpd has "
				   "given up the capability CAP_NET_RAW"));
}

static void on_look(void *data)
{
	struct server *server = data;

	for (size_t i = 0; i < server->interface_count; i++) {
		if (link_look(server->interfaces[i].link) == LINK_ANEW)
			follow(&server->interfaces[i]);
	}
	if (server->interface_count > 0)
		link_read_ours(server->interfaces[0].link, &server->ours);
}

static enum err open_quotas(struct server *server)
{
	struct hash_key seeds[2];

	server->quotas = calloc(1, sizeof(*server->quotas));
	if (!server->quotas)
		return ERR_MEMORY;
	if (getrandom(seeds, sizeof(seeds), 0) != (ssize_t)sizeof(seeds)) {
		log_error("no_randomness", "reason=%s remedy=%s", log_text(strerror(errno)),
			  log_text("the kernel must give random numbers: see "
				   "getrandom(2)"));
		return ERR_SYSTEM;
	}
	server->quotas->ports.seed = seeds[0];
	server->quotas->prefixes.seed = seeds[1];
	return ERR_OK;
}

enum err server_open(struct server *server, struct loop *loop, const struct settings *settings)
{
	const char *at = settings->interface + strspn(settings->interface, " ");
	char name[64];
	enum err err;

	server->loop = loop;
	loop_timer_open(loop, &server->look, on_look, server);
	err = open_quotas(server);
	if (err == ERR_OK)
		err = beside_open(&(struct beside_options){loop, settings, &server->backend},
				  &server->beside);
	if (err == ERR_OK && settings_mode(settings) == SETTINGS_SERVER)
		err = inquirer_open(
			&(struct inquirer_options){loop, server_on_inquired, server},
			&server->inquirer);
	if (err != ERR_OK)
		return err;
	while (*at) {
		size_t length = strcspn(at, " ");

		if (server->interface_count == SERVER_INTERFACES_MAX) {
			log_error("too_many_interfaces", "most=%d remedy=%s",
				  SERVER_INTERFACES_MAX,
				  log_text("run a second dhcpd for the others"));
			return ERR_RANGE;
		}
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
		err = open_interface(server, name, settings_mode(settings));
		if (err != ERR_OK)
			return err;
		at += length;
		at += strspn(at, " ");
	}
	on_look(server);
	loop_timer_start(&server->look, LOOK_MS, LOOK_MS);
	return ERR_OK;
}

struct foreign_self server_self(void *data)
{
	const struct server *server = data;

	return beside_self(server->beside);
}

void server_close(struct server *server)
{
	for (size_t i = 0; i < server->interface_count; i++) {
		udp_close(server->interfaces[i].socket);
		link_close(server->interfaces[i].link);
	}
	server->interface_count = 0;
	loop_timer_close(&server->look);
	free(server->quotas);
	server->quotas = NULL;
	inquirer_close(server->inquirer);
	server->inquirer = NULL;
	beside_close(server->beside);
	server->beside = NULL;
}
