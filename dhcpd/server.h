/*
 * server - DHCP on the wire: in mode server one socket of port 67 for each interface. A
 * datagram is parsed, decided, and answered, at once or when the database has recorded the
 * lease; then told.
 */
#ifndef ROUSE_DHCPD_SERVER_H
#define ROUSE_DHCPD_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dhcpd/backend.h"
#include "dhcpd/drops.h"
#include "dhcpd/link.h"
#include "dhcpd/ours.h"
#include "dhcpd/packet.h"
#include "dhcpd/settings.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/udp.h"

#define SERVER_INTERFACES_MAX 16

struct beside;
struct inquirer;
struct server;

struct server_interface {
	struct server *server;
	struct link *link;
	struct udp *socket; /* port 67; NULL unless in mode server */
};

struct server {
	struct loop *loop;
	struct backend *backend;
	struct metrics_port *metrics; /* NULL: none is wanted */
	struct beside *beside;
	struct server_interface interfaces[SERVER_INTERFACES_MAX];
	size_t interface_count;
	struct ours ours;
	struct loop_timer look; /* what has become of the interfaces */
	uint64_t received, malformed, answered, left_out;
	struct drops drops;
	struct quotas *quotas;
	struct inquirer *inquirer; /* NULL unless in mode server */
	struct log_repeat unprobed_log;
	char status[1024];
};

/* Opens the sockets; a message names what is wrong and the remedy. */
MUST_CHECK enum err server_open(struct server *server, struct loop *loop,
				const struct settings *settings);
/* For struct backend_options; `data` is the server. */
void server_on_site(void *data, const struct site *site);
void server_on_answer(void *data, const struct parked *parked, uint32_t seconds);
struct foreign_self server_self(void *data);
const char *server_status(void *data);
void server_close(struct server *server);

#endif
