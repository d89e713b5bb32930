#include "dhcpd/figures.h"

#include "core/metrics.h"
#include "dhcpd/backend.h"
#include "dhcpd/inquirer.h"
#include "dhcpd/server.h"

static void write_packets(const struct server *server, struct text *out)
{
	metrics_one(out, "rouse_dhcpd_packets_received_total", METRICS_COUNTER,
		    "DHCP packets that came in.", server->received);
	metrics_one(out, "rouse_dhcpd_replies_sent_total", METRICS_COUNTER,
		    "Replies that left.", server->answered);
	metrics_one(out, "rouse_dhcpd_packets_malformed_total", METRICS_COUNTER,
		    "Packets that are not DHCP, or contradict themselves.", server->malformed);
}

static void write_leases(const struct server *server, struct text *out)
{
	struct store *store = backend_store(server->backend);
	struct store_counts counts = store_counts(store);

	metrics_one(out, "rouse_dhcpd_leases", METRICS_GAUGE,
		    "Entries of the lease table: leases, offers and quarantines.",
		    store_leases(store)->count);
	metrics_one(out, "rouse_dhcpd_grants_total", METRICS_COUNTER,
		    "Leases that were recorded for an ACK.", counts.granted);
	metrics_one(out, "rouse_dhcpd_grant_statements_total", METRICS_COUNTER,
		    "Statements that they took.", counts.statements);
	metrics_one(out, "rouse_dhcpd_acks_late_total", METRICS_COUNTER,
		    "ACKs given up, as the database did not commit in time.", counts.expired);
	metrics_one(out, "rouse_dhcpd_requests_turned_away_total", METRICS_COUNTER,
		    "Requests left to be repeated, as too many waited.", counts.full);
	metrics_one(out, "rouse_dhcpd_database_up", METRICS_GAUGE,
		    "1: grants are recorded; 0: the outage rule holds.",
		    backend_is_up(server->backend));
}

void figures_write(void *data, struct text *out)
{
	const struct server *server = data;
	struct inquirer_counts probes = inquirer_counts(server->inquirer);

	metrics_family(out, "rouse_dhcpd_info", METRICS_GAUGE, "The version that runs.");
	metrics_value(out, "rouse_dhcpd_info", "version=\"" ROUSE_VERSION "\"", 1);
	write_packets(server, out);
	write_leases(server, out);
	metrics_one(out, "rouse_dhcpd_addresses_probed_total", METRICS_COUNTER,
		    "Addresses that were asked for before an offer.", probes.asked);
	metrics_one(out, "rouse_dhcpd_addresses_in_use_total", METRICS_COUNTER,
		    "Of these, found in use without a lease.", probes.in_use);
}
