/*
 * transfer - the table of transfers, open and just ended.
 *
 * A client (its address and port) has one transfer at a time; it runs on one of the server's
 * transfer sockets, RFC 1350's TID. An ended transfer stays known for TRANSFER_LINGER_MS, so
 * that stragglers of it are told from strangers. Nothing is freed but by transfer_forget() and
 * transfer_table_free(): a pointer found in a batch of datagrams is good until the batch is
 * done.
 */
#ifndef ROUSE_TFTPD_TRANSFER_H
#define ROUSE_TFTPD_TRANSFER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "core/mac.h"
#include "core/path.h"
#include "tftpd/session.h"
#include "tftpd/source.h"

#define TRANSFER_LINGER_MS 3000

struct transfer_key {
	uint32_t address; /* in network order, as in the datagram */
	uint16_t port;
	uint16_t zero;
};

struct transfer {
	struct transfer_key key;
	struct sockaddr_in peer;
	struct in_addr local; /* the address that was asked, and answers */
	unsigned tid;	      /* which transfer socket */
	struct session session;
	struct packet_options asked;
	struct source source;
	char name[PATH_SIZE];
	const char *stage;
	struct mac mac;
	bool has_mac;
	bool is_ended;
	bool is_listed; /* found under its key; not when a newer one took its place */
	uint64_t started_ms, ended_ms;
	struct transfer *prev, *next;
	UT_hash_handle hh;
};

struct transfer_table {
	struct transfer *by_key;
	struct transfer *open;
	struct transfer *ended; /* the oldest first */
	size_t open_count, ended_count;
};

/* The client's latest transfer, open or ended, or NULL. */
struct transfer *transfer_find(const struct transfer_table *table,
			       const struct sockaddr_in *peer);
/*
 * A new, zeroed one for the client, in place of an ended one; an open one must be ended first.
 * NULL: no memory.
 */
struct transfer *transfer_new(struct transfer_table *table, const struct sockaddr_in *peer);
/* Closes its source. */
void transfer_end(struct transfer_table *table, struct transfer *transfer, uint64_t now_ms);
/* Open transfers of one address. */
size_t transfer_count_of(const struct transfer_table *table, struct in_addr address);
/* Frees what ended long ago, and the oldest beyond `most`. */
void transfer_forget(struct transfer_table *table, uint64_t now_ms, size_t most);
void transfer_table_free(struct transfer_table *table);

#endif
