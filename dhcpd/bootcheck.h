/*
 * bootcheck - do the boot servers that clients are sent to answer? What is asked, when, and
 * what came of it; bootchecker.h has the sockets.
 *
 * A client that is told to boot from a server which does not answer shows nothing to anybody:
 * so dhcpd asks that server itself, for the very file. Seldom: one question for a server and
 * file in BOOTCHECK_AGAIN_MS, however many clients are sent there, BOOTCHECK_SERVERS of them at
 * most in that time, and none where nobody boots. A forged offer can make us ask no more.
 *
 *	bootcheck_want(&table, &(struct bootcheck_target){...}, now_ms);
 *	while ((check = bootcheck_due(&table, now_ms)))
 *		... send the question check->target asks for ...
 *	bootcheck_hear(&table, way, address, answer);
 *	while ((check = bootcheck_take(&table)))
 *		... tell of check->answer ...
 */
#ifndef ROUSE_DHCPD_BOOTCHECK_H
#define ROUSE_DHCPD_BOOTCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mac.h"
#include "core/tftp_ask.h"

#define BOOTCHECK_SERVERS 16
#define BOOTCHECK_AGAIN_MS 30000
#define BOOTCHECK_TRIES 3
#define BOOTCHECK_TRY_MS 1000  /* to the next try; after the last one, to the verdict */
#define BOOTCHECK_PXE_SIZE 300 /* of the question to port 4011 */

enum bootcheck_way {
	BOOTCHECK_TFTP, /* port 69: is the file served? */
	BOOTCHECK_PXE,	/* port 4011: does a boot server answer (PXE 2.1)? */
};

enum bootcheck_answer {
	BOOTCHECK_SERVED, /* for BOOTCHECK_PXE: answered */
	BOOTCHECK_MISSING,
	BOOTCHECK_REFUSED,
	BOOTCHECK_CLOSED,      /* ICMP: no program has that port, or a firewall says so */
	BOOTCHECK_UNREACHABLE, /* ICMP: no way there */
	BOOTCHECK_SILENT,
};

struct bootcheck_target {
	enum bootcheck_way way;
	uint32_t address;
	char file[TFTP_ASK_FILE_MAX + 1]; /* "" for BOOTCHECK_PXE */
};

struct bootcheck {
	struct bootcheck_target target;
	enum bootcheck_answer answer;
	bool is_used, is_asking, is_answered; /* is_answered: and not yet taken */
	unsigned tries;
	uint64_t began_ms, next_ms;
};

struct bootcheck_table {
	struct bootcheck checks[BOOTCHECK_SERVERS];
	uint64_t left_out; /* for want of room */
};

/* "tftp", "pxe". */
const char *bootcheck_way_name(enum bootcheck_way way);
/* "served", "missing", "refused", "closed", "unreachable", "silent". */
const char *bootcheck_answer_name(enum bootcheck_answer answer);
/* A client is sent there: asks, unless that was done a moment ago or is no place to ask. */
void bootcheck_want(struct bootcheck_table *table, const struct bootcheck_target *target,
		    uint64_t now_ms);
/* The next question to send, or NULL; its tries are counted by this call. */
const struct bootcheck *bootcheck_due(struct bootcheck_table *table, uint64_t now_ms);
/*
 * An answer came from this address, to a question of this way. false: none is open, so that it
 * answers nothing of ours.
 */
bool bootcheck_hear(struct bootcheck_table *table, enum bootcheck_way way, uint32_t address,
		    enum bootcheck_answer answer);
/* The next answer that was not told yet, or NULL. */
const struct bootcheck *bootcheck_take(struct bootcheck_table *table);
bool bootcheck_is_idle(const struct bootcheck_table *table);
/* A firmware's request to port 4011, as from this card; its octets. */
size_t bootcheck_encode_pxe(const struct mac *mac, uint32_t xid,
			    uint8_t buffer[BOOTCHECK_PXE_SIZE]);
/* Is that the answer to a request of this xid? */
bool bootcheck_is_pxe_answer(const void *octets, size_t length, uint32_t xid);

#endif
