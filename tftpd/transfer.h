/*
 * transfer - the table of transfers, open and just ended.
 *
 * A client (its address and port) has one transfer at a time; it runs on one of the server's
 * transfer sockets, RFC 1350's TID. An ended transfer stays known for a while, so
 * that stragglers of it are told from strangers. Nothing is freed but by transfer_forget() and
 * transfer_table_free(): a pointer found in a batch of datagrams is good until the batch is
 * done.
 */
#ifndef ROUSE_TFTPD_TRANSFER_H
#define ROUSE_TFTPD_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "core/ip.h"
#include "core/mac.h"
#include "core/path.h"
#include "io/udp.h"
#include "tftpd/receive.h"
#include "tftpd/session.h"
#include "tftpd/source.h"
#include "tftpd/upload.h"
#include "tftpd/warm.h"
#include "tftpd/wheel.h"

#define TRANSFER_LINGER_MS 3000
/* Longer than clients wait before they repeat: an upload's last ACK may have to be said again.
 */
#define TRANSFER_DALLY_MS 10000

struct transfer_key {
	struct ip address;
	uint32_t scope;
	uint16_t port;
	uint16_t zero; /* the rest of the key's octets */
};

/* One address: how many transfers it has open. */
struct transfer_holder {
	struct ip address;
	unsigned open_count;
	UT_hash_handle hh;
};

struct transfer {
	struct transfer_key key;
	struct transfer_holder *holder; /* NULL when it has ended */
	struct wheel_entry waits;
	struct udp_peer peer;
	struct ip local;    /* the address that was asked, and answers */
	unsigned interface; /* that the request came by */
	unsigned tid;	    /* which transfer socket */
	struct session session;
	struct packet_options asked;
	struct source source;
	struct warm *warm; /* reads ahead of it, or NULL */
	bool is_netascii;  /* the client asked for text */
	bool is_upload;	   /* then these two are in use, and not session and source */
	struct receive receive;
	struct upload *upload; /* NULL when it has ended */
	char name[PATH_SIZE];
	const char *stage;
	struct mac mac;
	bool has_mac;
	bool is_proved; /* somebody answered from the client's port: the address is not forged
			 */
	bool is_ended;
	bool is_whole;	/* an upload that was received */
	bool is_listed; /* found under its key; not when a newer one took its place */
	uint64_t started_ms, ended_ms;
	struct transfer *prev, *next;
	UT_hash_handle hh;
};

struct transfer_table {
	struct transfer *by_key;
	struct transfer *unproved, *proved; /* the open ones; the oldest first */
	struct transfer *ended, *dallying;  /* the latter uploads that are whole; likewise */
	struct transfer_holder *holders;
	struct wheel wheel; /* of the open ones */
	size_t open_count, unproved_count, ended_count;
};

/* The client's latest transfer, open or ended, or NULL. */
struct transfer *transfer_find(const struct transfer_table *table, const struct udp_peer *peer);
/*
 * A new, zeroed one for the client, in place of an ended one; an open one must be ended first.
 * NULL: no memory.
 */
struct transfer *transfer_new(struct transfer_table *table, const struct udp_peer *peer);
/* An answer came from the client's port; does nothing the second time. */
void transfer_prove(struct transfer_table *table, struct transfer *transfer);
/* Any of the open ones, or NULL. */
struct transfer *transfer_any(const struct transfer_table *table);
/* The one whose deadline has come, which then has none; NULL: no more of them. */
struct transfer *transfer_take_due(struct transfer_table *table, uint64_t now_ms);
/* Closes its source. */
void transfer_end(struct transfer_table *table, struct transfer *transfer, uint64_t now_ms);
/* Open transfers of one address. */
unsigned transfer_count_of(const struct transfer_table *table, const struct ip *address);
/* When transfer_forget() will have something to do; 0: never. */
uint64_t transfer_forget_due(const struct transfer_table *table);
/* Frees what ended long ago, and the oldest beyond `most`. */
void transfer_forget(struct transfer_table *table, uint64_t now_ms, size_t most);
void transfer_table_free(struct transfer_table *table);

#endif
