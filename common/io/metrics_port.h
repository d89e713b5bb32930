/*
 * metrics_port - answers GET /metrics on the loopback, for a daemon that has no HTTP of its
 * own, and the same answer for one that has.
 *
 *	metrics_port_open(loop, 9547, write_figures, self, &port);
 */
#ifndef ROUSE_IO_METRICS_PORT_H
#define ROUSE_IO_METRICS_PORT_H

#include <stdint.h>

#include "core/err.h"
#include "core/text.h"
#include "io/http.h"
#include "io/loop.h"

struct metrics_port;

typedef void metrics_write(void *data, struct text *out);

/*
 * Listens on 127.0.0.1. Port 0: none is wanted, and *ret_port is NULL. ERR_SYSTEM: the port is
 * not to be had; a message was written.
 */
MUST_CHECK enum err metrics_port_open(struct loop *loop, uint16_t port, metrics_write *write,
				      void *data, struct metrics_port **ret_port);
/* Accepts NULL. */
void metrics_port_close(struct metrics_port *port);
/* Answers a request with the figures. */
void metrics_answer(struct http_request *request, metrics_write *write, void *data);

#endif
