/*
 * metrics - figures in Prometheus' text format (exposition format 0.0.4).
 *
 *	const char *name = "rouse_tftpd_transfers_total";
 *
 *	metrics_family(&out, name, METRICS_COUNTER, "Ended transfers.");
 *	metrics_value(&out, name, "outcome=\"sent\"", 12);
 */
#ifndef ROUSE_CORE_METRICS_H
#define ROUSE_CORE_METRICS_H

#include <stdint.h>

#include "core/text.h"

enum metrics_type {
	METRICS_COUNTER, /* only grows; its name ends in _total */
	METRICS_GAUGE,
};

/* What the values behind it are. `help` is one line of ours. */
void metrics_family(struct text *out, const char *name, enum metrics_type type,
		    const char *help);
/* `labels` as they stand between the braces, "" for none: literals of ours, nothing foreign. */
void metrics_value(struct text *out, const char *name, const char *labels, uint64_t value);
/* A family of one value. */
void metrics_one(struct text *out, const char *name, enum metrics_type type, const char *help,
		 uint64_t value);

#endif
