/*
 * report - one log line and one event for each thing that happened to a client's request.
 */
#ifndef ROUSE_TFTPD_REPORT_H
#define ROUSE_TFTPD_REPORT_H

#include "tftpd/server.h"
#include "tftpd/session.h"

/* A request that got no transfer. */
struct report_refusal {
	const struct sockaddr_in *peer;
	const struct mac *mac; /* NULL: not known */
	const char *stage;
	const char *name;
	enum packet_code code;
	const char *reason;
};

void report_refusal(struct server *server, const struct report_refusal *refusal);
/* The loop breaker gave a client its script in place of the binary it asked for. */
void report_loop(struct server *server, const struct sockaddr_in *peer, const struct mac *mac,
		 const char *name);
/* A transfer has ended; `message` is the client's own ERROR text, or "". */
void report_end(struct server *server, const struct transfer *transfer,
		const struct session_step *step, const char *message);

#endif
