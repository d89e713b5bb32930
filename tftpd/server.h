/*
 * server - the sockets, and the transfers between them and the sources.
 *
 * Requests come to one socket (port 69). A transfer runs on one of up to SERVER_TIDS sockets,
 * each with an ephemeral port of its own: the server's TID of RFC 1350 section 4. Many
 * transfers share a socket, so that one system call receives and one sends for all of them,
 * and a datagram that belongs to none can be answered with ERROR 5.
 *
 *	server_open(&server, &loop, &settings);
 *	loop_run(&loop);
 *	server_close(&server);
 */
#ifndef ROUSE_TFTPD_SERVER_H
#define ROUSE_TFTPD_SERVER_H

#include <stdint.h>

#include "core/err.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/neigh.h"
#include "io/udp.h"
#include "tftpd/backend.h"
#include "tftpd/fold.h"
#include "tftpd/inquiry.h"
#include "tftpd/kept.h"
#include "tftpd/map.h"
#include "tftpd/mtu.h"
#include "tftpd/outbox.h"
#include "tftpd/parked.h"
#include "tftpd/repair.h"
#include "tftpd/settings.h"
#include "tftpd/source.h"
#include "tftpd/transfer.h"

#define SERVER_TIDS 16

struct server;

struct server_tid {
	struct server *server;
	struct udp *socket;
	unsigned number;
};

struct server_counts {
	uint64_t requests, sent, received, probes, aborted, timeouts, missing, refused;
	uint64_t dropped; /* datagrams that no answer was due to */
	uint64_t loops_broken;
	uint64_t repaired[REPAIRS]; /* names that were found by it */
};

struct server {
	struct loop *loop;
	const struct settings *settings;
	struct backend *backend;
	struct metrics_port *metrics; /* NULL: none is wanted */
	struct source_roots roots;
	struct source_roots boot_roots; /* only for what the site names */
	struct udp *listener;
	struct server_tid tids[SERVER_TIDS];
	unsigned tid_count; /* 1 and the listener itself, when transfers run on the request port
			     */
	unsigned turn_tid;
	struct transfer_table transfers;
	struct kept kept;
	struct parked offers; /* wait for generate.c's question */
	struct parked cold;   /* wait for a disk */
	struct inquiry lessees;
	struct folds folds;
	struct map map;
	struct outbox outbox;
	struct loop_timer timer;
	uint64_t timer_due_ms;	 /* 0: not running */
	uint64_t drain_until_ms; /* 0: it is not being drained (drain.h) */
	struct neigh neigh;
	struct inquiry archs;
	struct mtu mtu;
	struct server_counts counts;
	struct log_repeat full_told;
	unsigned repairs; /* in force */
	char status[320];
};

/* Opens the sockets; errors are logged with their remedy. ERR_SYSTEM, ERR_FORMAT, ERR_MEMORY.
 */
MUST_CHECK enum err server_open(struct server *server, struct loop *loop,
				const struct settings *settings);
/* One line on how it goes, for rouse.daemons; `data` is the server. */
const char *server_status(void *data);
/* Takes no requests any more, those that are parked included; transfers go on. */
void server_stop_requests(struct server *server);
/* Ends open transfers with an ERROR and closes everything but the backend. */
void server_close(struct server *server);

/* A request that was parked goes its way again; `is_read`: what it asks for was read meanwhile.
 */
void server_take_again(struct server *server, const struct udp_datagram *datagram,
		       bool is_read);

/* For request.c: */

/*
 * The transfer socket for what this batch of requests begins: one for all of them, so that
 * their answers leave together; the next batch gets the next.
 */
struct server_tid *server_turn_tid(struct server *server);
/* Another one than this, if there is one. */
struct server_tid *server_other_tid(struct server *server, unsigned number);
/* For deliver.c: */

/* The transfer is looked at again then. */
void server_await(struct server *server, struct transfer *transfer, uint64_t due_ms);
/* What every turn ends with: everything queued leaves, old transfers are forgotten. */
void server_settle(struct server *server);
/* For drain.h: the server's timer runs then at the latest. */
void server_wake(struct server *server, uint64_t due_ms);

#endif
