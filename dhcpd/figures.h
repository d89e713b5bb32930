/* figures - dhcpd's metrics: packets, leases and what was left unanswered. */
#ifndef ROUSE_DHCPD_FIGURES_H
#define ROUSE_DHCPD_FIGURES_H

#include "core/text.h"

/* A metrics_write() of io/metrics_port.h; `data` is the struct server. */
void figures_write(void *data, struct text *out);

#endif
