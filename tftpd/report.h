/*
 * report - one log line and one event for each thing that happened to a client's request.
 */
#ifndef ROUSE_TFTPD_REPORT_H
#define ROUSE_TFTPD_REPORT_H

#include "tftpd/server.h"
#include "tftpd/session.h"

/* A request that got no transfer. */
struct report_refusal {
	const struct udp_peer *peer;
	const struct mac *mac; /* NULL: not known */
	const char *stage;
	const char *name;
	enum packet_code code;
	const char *reason;
};

void report_refusal(struct server *server, const struct report_refusal *refusal);
/* The loop breaker gave a client its script in place of the binary it asked for. */
void report_loop(struct server *server, const struct udp_peer *peer, const struct mac *mac,
		 const char *name);
/* A name that could be served because it was mended. */
struct report_repair {
	const struct udp_peer *peer;
	const struct mac *mac; /* NULL: not known */
	const char *stage;
	const char *name;   /* as it was asked */
	const char *served; /* as it was found */
	unsigned repaired;  /* a set of 1 << enum repair, never empty */
};

/* A leading slash alone is counted and not told: every GRUB sends one with every name. */
void report_repair(struct server *server, const struct report_repair *repair);
/* A transfer has ended; `message` is the client's own ERROR text, or "". */
void report_end(struct server *server, const struct transfer *transfer,
		const struct session_step *step, const char *message);

#endif
