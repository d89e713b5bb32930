#include "menud/figures.h"

#include "core/metrics.h"
#include "menud/menud.h"

static void write_answers(const struct menud *menud, struct text *out)
{
	static const char name[] = "rouse_menud_answers_total";
	static const char *const labels[] = {"class=\"gone\"", "class=\"1xx\"",
					     "class=\"2xx\"",  "class=\"3xx\"",
					     "class=\"4xx\"",  "class=\"5xx\""};

	metrics_family(
		out, name, METRICS_COUNTER,
		"Answered requests by the class of their status; gone: the client left.");
	for (size_t i = 0; i < MENUD_STATUS_CLASSES; i++)
		metrics_value(out, name, labels[i], menud->answers[i]);
	metrics_one(out, "rouse_menud_sent_bytes_total", METRICS_COUNTER,
		    "Octets of the bodies that were sent whole.", menud->sent_bytes);
}

void figures_write(void *data, struct text *out)
{
	const struct menud *menud = data;
	const struct site *site = snapshot_site(menud->snapshot);

	metrics_family(out, "rouse_menud_info", METRICS_GAUGE, "The version that runs.");
	metrics_value(out, "rouse_menud_info", "version=\"" ROUSE_VERSION "\"", 1);
	write_answers(menud, out);
	metrics_one(out, "rouse_menud_loops_broken_total", METRICS_COUNTER,
		    "Times that iPXE asked for its own binary and got its script.",
		    menud->loops_broken);
	metrics_one(out, "rouse_menud_database_up", METRICS_GAUGE,
		    "1: connected to the job database.", db_is_up(menud->work));
	metrics_one(out, "rouse_menud_configuration_loaded", METRICS_GAUGE,
		    "1: hosts and menu are known, from the database or the saved copy.",
		    snapshot_is_loaded(menud->snapshot));
	metrics_one(out, "rouse_menud_configuration_refused", METRICS_GAUGE,
		    "1: what was configured last is not valid, and the one before stands.",
		    snapshot_problem(menud->snapshot) != NULL);
	metrics_one(out, "rouse_menud_hosts", METRICS_GAUGE, "Hosts that are known.",
		    site->host_count);
	metrics_one(out, "rouse_menud_menu_items", METRICS_GAUGE, "Entries of the menu.",
		    site->menu_count);
	metrics_one(out, "rouse_menud_events_dropped_total", METRICS_COUNTER,
		    "Events that found no room while the database was away.",
		    events_dropped(menud->events));
}
