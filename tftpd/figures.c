#include "tftpd/figures.h"

#include <stdio.h>

#include "core/metrics.h"
#include "tftpd/server.h"

static void write_outcomes(const struct server_counts *counts, struct text *out)
{
	static const char name[] = "rouse_tftpd_requests_ended_total";
	const struct {
		const char *labels;
		uint64_t value;
	} outcomes[] = {
		{"outcome=\"sent\"", counts->sent},
		{"outcome=\"received\"", counts->received},
		{"outcome=\"probed\"", counts->probes},
		{"outcome=\"missing\"", counts->missing},
		{"outcome=\"refused\"", counts->refused},
		{"outcome=\"aborted\"", counts->aborted},
		{"outcome=\"timed_out\"", counts->timeouts},
	};

	metrics_family(out, name, METRICS_COUNTER, "Requests that have ended, and how.");
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		metrics_value(out, name, outcomes[i].labels, outcomes[i].value);
}

static void write_repairs(const struct server_counts *counts, struct text *out)
{
	static const char name[] = "rouse_tftpd_names_repaired_total";
	char labels[64];

	metrics_family(out, name, METRICS_COUNTER,
		       "Files that were found by mending the name.");
	for (unsigned i = 0; i < REPAIRS; i++) {
		(void)snprintf(labels, sizeof(labels), "repair=\"%s\"",
			       repair_name((enum repair)i));
		metrics_value(out, name, labels, counts->repaired[i]);
	}
}

void figures_write(void *data, struct text *out)
{
	const struct server *server = data;
	const struct server_counts *counts = &server->counts;

	metrics_family(out, "rouse_tftpd_info", METRICS_GAUGE, "The version that runs.");
	metrics_value(out, "rouse_tftpd_info", "version=\"" ROUSE_VERSION "\"", 1);
	metrics_one(out, "rouse_tftpd_requests_total", METRICS_COUNTER, "Requests.",
		    counts->requests);
	write_outcomes(counts, out);
	metrics_one(out, "rouse_tftpd_transfers_open", METRICS_GAUGE, "Transfers under way.",
		    server->transfers.open_count);
	metrics_one(out, "rouse_tftpd_loops_broken_total", METRICS_COUNTER,
		    "Times that iPXE asked for its own binary and got its script.",
		    counts->loops_broken);
	write_repairs(counts, out);
	metrics_one(out, "rouse_tftpd_datagrams_dropped_total", METRICS_COUNTER,
		    "Datagrams that no answer is due to.", counts->dropped);
}
