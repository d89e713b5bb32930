/* figures - tftpd's metrics: requests, and what became of them. */
#ifndef ROUSE_TFTPD_FIGURES_H
#define ROUSE_TFTPD_FIGURES_H

#include "core/text.h"

/* A metrics_write() of io/metrics_port.h; `data` is the struct server. */
void figures_write(void *data, struct text *out);

#endif
