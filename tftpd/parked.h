/*
 * parked - requests that wait: for the database's answer to a question, PARKED_MS at most, or
 * for a disk (tftpd/cold.h).
 *
 * Each has its own copy of its datagram, and comes back by server_take_again(). One request
 * asks (parked_ask), and others that need the same answer may join it (parked_join): whoever is
 * told the answer sends them all on their way again.
 *
 *	if (parked_has(&parked, &peer, name))		it waits already: this one repeats it
 *	else if (parked_ask(&parked, server, datagram, &question) == ERR_OK)	nothing now
 *	else						go on without the answer
 */
#ifndef ROUSE_TFTPD_PARKED_H
#define ROUSE_TFTPD_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/path.h"
#include "db/conn.h"
#include "io/udp.h"

#define PARKED_MAX 512 /* in one list */
#define PARKED_MS 1000

struct server;

struct parked_request {
	struct server *server; /* NULL once the server has closed: only to be freed */
	void *asker;	       /* the question's */
	struct udp_datagram datagram;
	char name[PATH_SIZE]; /* what the question is about */
	bool is_asking;	      /* its question's answer frees it */
	struct parked_request *prev, *next;
	uint8_t octets[];
};

/* Zeroed memory is empty. */
struct parked {
	struct parked_request *requests;
	size_t count;
};

struct parked_question {
	const char *name; /* cut to PATH_SIZE */
	const char *sql;
	const char *const *params;
	int param_count;
	db_on_answer
		*on_answer; /* its data: the parked_request, which it takes out and frees */
	void *asker;
};

/* Nothing is parked when it fails. ERR_SPACE, ERR_MEMORY; ERR_AWAY: no database. */
MUST_CHECK enum err parked_ask(struct parked *parked, struct server *server,
			       const struct udp_datagram *datagram,
			       const struct parked_question *question);
/* Waits for what goes by that name, without a question of its own. ERR_SPACE, ERR_MEMORY. */
MUST_CHECK enum err parked_join(struct parked *parked, struct server *server,
				const struct udp_datagram *datagram, const char *name);
/* Does a request of this peer wait under that name? Of any, when `peer` is NULL? */
bool parked_has(const struct parked *parked, const struct udp_peer *peer, const char *name);
/* Takes it out; it is the caller's to free. */
void parked_remove(struct parked *parked, struct parked_request *request);
/*
 * What all of that name waited for is there: each goes its way by server_take_again(), and is
 * freed. The name may be one of theirs.
 */
void parked_resume(struct parked *parked, struct server *server, const char *name,
		   bool is_read);
/* Those that ask are left to their answers, which free them. */
void parked_close(struct parked *parked);

#endif
