/*
 * request - what comes to port 69: judged, and answered by a transfer, an ERROR or silence.
 */
#ifndef ROUSE_TFTPD_REQUEST_H
#define ROUSE_TFTPD_REQUEST_H

#include "io/udp.h"
#include "tftpd/server.h"

void request_take(struct server *server, const struct udp_datagram *datagram);
/* One that was parked: it has been counted. `is_read`: its file lies in memory by now. */
void request_take_again(struct server *server, const struct udp_datagram *datagram,
			bool is_read);

#endif
