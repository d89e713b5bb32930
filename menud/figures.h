/* figures - menud's metrics: what it has answered, and what it knows. */
#ifndef ROUSE_MENUD_FIGURES_H
#define ROUSE_MENUD_FIGURES_H

#include "core/text.h"

/* A metrics_write() of io/metrics_port.h; `data` is the struct menud. */
void figures_write(void *data, struct text *out);

#endif
