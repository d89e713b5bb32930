/* server_status - what the server says of itself, in one line: for the log and rouse.daemons.
 */
#include <stdio.h>
#include <string.h>

#include "dhcpd/beside.h"
#include "dhcpd/inquirer.h"
#include "dhcpd/server.h"

const char *server_status(void *data)
{
	struct server *server = data;
	struct store *store = backend_store(server->backend);
	struct store_counts counts = store_counts(store);
	struct inquirer_counts probes = inquirer_counts(server->inquirer);
	char mode[128];
	uint64_t adverts = 0;
	struct text out;

	for (size_t i = 0; i < server->interface_count; i++)
		adverts += link_adverts_sent(server->interfaces[i].link);
	beside_status(server->beside, mode, sizeof(mode));
	(void)snprintf(
		server->status, sizeof(server->status),
		"%s; %zu interfaces, %zu leases; %llu packets, %llu replies, %llu grants in "
		"%llu statements, %llu late, %llu turned away, %llu malformed, %llu options "
		"left out, %llu router waits ended, %llu addresses probed, %llu in use",
		mode, server->interface_count, store_leases(store)->count,
		(unsigned long long)server->received, (unsigned long long)server->answered,
		(unsigned long long)counts.granted, (unsigned long long)counts.statements,
		(unsigned long long)counts.expired, (unsigned long long)counts.full,
		(unsigned long long)server->malformed, (unsigned long long)server->left_out,
		(unsigned long long)adverts, (unsigned long long)probes.asked,
		(unsigned long long)probes.in_use);
	out = text_into(server->status + strlen(server->status),
			sizeof(server->status) - strlen(server->status));
	text_put(&out, server->drops.reason_count > 0 ? "; unanswered: " : "");
	drops_put(&server->drops, &out);
	return server->status;
}
