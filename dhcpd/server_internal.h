/* What the files of server have of each other: server.c answers, server_open.c opens. */
#ifndef ROUSE_DHCPD_SERVER_INTERNAL_H
#define ROUSE_DHCPD_SERVER_INTERNAL_H

#include "dhcpd/inquirer.h"
#include "dhcpd/server.h"

/* Datagrams to port 67; `data` is the struct server_interface. */
void server_on_batch(void *data, const struct udp_datagram *datagrams, size_t count);
/* An address is in use, or nobody answered for it: its client is decided again. */
void server_on_inquired(void *data, const struct inquirer_result *result);

#endif
