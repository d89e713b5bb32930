/*
 * deliver - does what a transfer's session says: sends its blocks, waits, reports its end.
 */
#ifndef ROUSE_TFTPD_DELIVER_H
#define ROUSE_TFTPD_DELIVER_H

#include "tftpd/server.h"

/* Queues an ERROR from a transfer socket. */
void deliver_error(struct server *server, const struct server_tid *tid,
		   const struct udp_datagram *where, enum packet_code code, const char *text);
/* Gives the transfer's session an event and does what it says. */
void deliver_step(struct server *server, struct transfer *transfer,
		  const struct session_event *event);

#endif
