#include "core/metrics.h"

#include <inttypes.h>

void metrics_family(struct text *out, const char *name, enum metrics_type type,
		    const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		    type == METRICS_COUNTER ? "counter" : "gauge");
}

void metrics_value(struct text *out, const char *name, const char *labels, uint64_t value)
{
	bool is_labelled = labels[0] != '\0';

	text_printf(out, "%s%s%s%s %" PRIu64 "\n", name, is_labelled ? "{" : "", labels,
		    is_labelled ? "}" : "", value);
}

void metrics_one(struct text *out, const char *name, enum metrics_type type, const char *help,
		 uint64_t value)
{
	metrics_family(out, name, type, help);
	metrics_value(out, name, "", value);
}
