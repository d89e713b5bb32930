#include "dhcpd/drops.h"

#include <stdbool.h>
#include <string.h>

#include "dhcpd/place.h"
#include "dhcpd/pool.h"
#include "io/log.h"

void drops_count(struct drops *drops, const char *reason)
{
	size_t i = 0;

	while (i < drops->reason_count && strcmp(drops->by_reason[i].reason, reason) != 0)
		i++;
	if (i == DROPS_REASONS_MAX)
		i--;
	if (i == drops->reason_count) {
		drops->by_reason[i].reason =
			i == DROPS_REASONS_MAX - 1 ? "for other reasons" : reason;
		drops->by_reason[i].count = 0;
		drops->reason_count++;
	}
	drops->by_reason[i].count++;
}

static void say_exhausted(const struct decide_verdict *verdict)
{
	const struct site_subnet *subnet = verdict->subnet;
	uint64_t addresses = 0;
	char net[IP4_TEXT_SIZE];

	do {
		addresses += pool_size(verdict->site, subnet);
		subnet = site_subnet_beside(verdict->site, subnet);
	} while (subnet != verdict->subnet);
	ip4_format(subnet->net.address, net);
	log_warning("pools_exhausted", "subnet=%s/%u addresses=%llu remedy=%s", net,
		    subnet->net.prefix, (unsigned long long)addresses,
		    log_text("`table rouse.pools` shows what is taken: enlarge a pool, or make "
			     "the subnet's lease_seconds shorter"));
}

static void note_empty(struct drops *drops, const struct decide_verdict *verdict)
{
	for (size_t i = 0; i < drops->empty_count; i++) {
		if (drops->empty[i] == verdict->subnet->id)
			return;
	}
	if (drops->empty_count == DROPS_EMPTY_MAX)
		return;
	drops->empty[drops->empty_count++] = verdict->subnet->id;
	say_exhausted(verdict);
}

/* An address came from a pool: whichever subnet of that link was empty is so no longer. */
static void note_relief(struct drops *drops, const struct decide_verdict *verdict)
{
	for (size_t i = 0; i < drops->empty_count; i++) {
		const struct site_subnet *subnet =
			site_subnet_by_id(verdict->site, drops->empty[i]);

		if (subnet && !place_holds(verdict->site, subnet, verdict->address))
			continue;
		drops->empty[i] = drops->empty[--drops->empty_count];
		log_info("pools_relieved", "reason=%s",
			 log_text("an address of an exhausted subnet is free again"));
		return;
	}
}

void drops_note(struct drops *drops, const struct decide_verdict *verdict)
{
	if (verdict->is_exhausted)
		note_empty(drops, verdict);
	else if (verdict->is_from_pool)
		note_relief(drops, verdict);
	if (verdict->action == DECIDE_SILENT)
		drops_count(drops, verdict->reason);
}

void drops_put(const struct drops *drops, struct text *out)
{
	bool is_told[DROPS_REASONS_MAX] = {false};

	for (size_t n = 0; n < drops->reason_count; n++) {
		size_t most = DROPS_REASONS_MAX;

		for (size_t i = 0; i < drops->reason_count; i++) {
			if (!is_told[i] &&
			    (most == DROPS_REASONS_MAX ||
			     drops->by_reason[i].count > drops->by_reason[most].count))
				most = i;
		}
		is_told[most] = true;
		text_printf(out, "%s%llu %s", n == 0 ? "" : ", ",
			    (unsigned long long)drops->by_reason[most].count,
			    drops->by_reason[most].reason);
	}
}
