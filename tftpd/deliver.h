/*
 * deliver - does what a transfer's session says: sends its blocks or acknowledges them, stores
 * what comes, waits, reports the end.
 */
#ifndef ROUSE_TFTPD_DELIVER_H
#define ROUSE_TFTPD_DELIVER_H

#include "tftpd/server.h"

/* Queues an ERROR from a transfer socket. */
void deliver_error(struct server *server, const struct server_tid *tid,
		   const struct udp_datagram *where, enum packet_code code, const char *text);
/* Queues the ACK of an upload's block. */
void deliver_ack(struct server *server, const struct transfer *transfer, uint16_t number);
/* Gives the transfer's session an event and does what it says. */
void deliver_step(struct server *server, struct transfer *transfer,
		  const struct session_event *event);
/* As upload_options.on_stored: `data` is the server, `owner` the transfer. */
void deliver_stored(void *data, void *owner, const struct upload_problem *problem);

#endif
