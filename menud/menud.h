/*
 * menud - what the shells of menud share: the daemon's one state.
 */
#ifndef ROUSE_MENUD_MENUD_H
#define ROUSE_MENUD_MENUD_H

#include <stddef.h>

#include "db/conn.h"
#include "db/events.h"
#include "db/hello.h"
#include "db/snapshot.h"
#include "io/http.h"
#include "io/loop.h"

#define MENUD_ROOTS_MAX 8
#define MENUD_DATABASE_MS 5000 /* how long a request waits for the database */

struct menud_settings {
	char *database;
	char *listen;
	long port;
	long tls_port;
	char *tls_certificate, *tls_key;
	char *root;
	char *image_store;
	char *state_dir;
	char *user;
	bool confine;
	char *log_level;
	long connections_max;
	bool loop_breaker;
};

#define MENUD_STATUS_CLASSES 6

struct menud {
	struct menud_settings settings;
	struct loop loop;
	struct http *http;
	struct http *https; /* NULL: no TLS is configured */
	char *certificate;  /* the text that it shows, to tell whether the file is another */
	struct db_conn *work;
	struct snapshot *snapshot;
	struct events *events;
	struct hello *hello;
	struct login *login;
	struct collect *collect;
	int roots[MENUD_ROOTS_MAX]; /* open folders, searched in order */
	size_t root_count;
	int image_store;			/* open folder, or -1 */
	uint64_t answers[MENUD_STATUS_CLASSES]; /* by status / 100; 0: the client left */
	uint64_t sent_bytes;
	uint64_t loops_broken;
	char instance[96];
	char status[160];
};

/* Opens sockets and roots, as whoever started it; ERR_* with the message written. */
MUST_CHECK enum err server_open(struct menud *menud);
/* Looks for the database, as the user that serves; ERR_* with the message written. */
MUST_CHECK enum err server_open_database(struct menud *menud);
void server_close(struct menud *menud);

#endif
