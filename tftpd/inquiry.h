/*
 * inquiry - something about a client that only the database knows: asked once, and the answer
 * remembered for a while.
 *
 * While it is asked, all requests that need the answer are parked (tftpd/parked.h), and go
 * their way again when it has come. Without a database, when it does not answer in time, or
 * when too much is asked at once, nothing is known, and the requests are served so.
 *
 *	switch (inquiry_find(&inquiry, server, datagram, key, &answer)) {
 *	case ERR_OK:		it is known
 *	case ERR_ABSENT:	it is not
 *	case ERR_AWAY:		nothing now: the request comes back by itself
 */
#ifndef ROUSE_TFTPD_INQUIRY_H
#define ROUSE_TFTPD_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arch.h"
#include "core/err.h"
#include "core/ip.h"
#include "core/mac.h"
#include "db/rows.h"
#include "io/log.h"
#include "tftpd/parked.h"

#define INQUIRY_SLOTS 1024	/* answers that are remembered */
#define INQUIRY_KEPT_MS 30000	/* what the database said */
#define INQUIRY_UNKNOWN_MS 5000 /* that it said nothing, or knew nothing */
#define INQUIRY_ASKED_MAX 64	/* questions at once; who comes then is served as unknown */
#define INQUIRY_KEY_SIZE IP_TEXT_SIZE

union inquiry_answer {
	struct mac mac;
	struct arch arch;
};

/* What is asked. Static. */
struct inquiry_kind {
	const char *sql; /* of one parameter, the key; one row, or none */
	bool (*read)(struct row *row, union inquiry_answer *ret_answer); /* false: unknown */
	const char *event;  /* in the log when it could not be asked */
	const char *effect; /* and what follows from that */
};

/* An answer's place is given by its key: another one with the same place takes it over. */
struct inquiry {
	const struct inquiry_kind *kind; /* the rest: zeroed */
	struct inquiry_entry {
		char key[INQUIRY_KEY_SIZE];
		bool is_known;
		union inquiry_answer answer;
		uint64_t until_ms; /* 0: never asked */
	} slots[INQUIRY_SLOTS];
	struct parked parked;
	unsigned asked;
	struct log_repeat failed_told;
};

/* `key`: the address or MAC in text, shorter than INQUIRY_KEY_SIZE. */
MUST_CHECK enum err inquiry_find(struct inquiry *inquiry, struct server *server,
				 const struct udp_datagram *datagram, const char *key,
				 union inquiry_answer *ret_answer);
/* What is remembered. ERR_ABSENT: that it is not known. ERR_AWAY: nothing. */
MUST_CHECK enum err inquiry_recall(const struct inquiry *inquiry, const char *key,
				   uint64_t now_ms, union inquiry_answer *ret_answer);
void inquiry_close(struct inquiry *inquiry);

#endif
