/*
 * grants - leases on their way into the database, many in one statement (group commit), and the
 * statement's rows as leases again.
 */
#ifndef ROUSE_DHCPD_GRANTS_H
#define ROUSE_DHCPD_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "db/conn.h"
#include "dhcpd/lease.h"

#define GRANTS_TEXT_SIZE 64

struct grants;

struct grant {
	struct lease_client client;
	uint32_t address;
	uint32_t seconds;
	bool has_mac;
	struct mac mac;
	char host_name[GRANTS_TEXT_SIZE]; /* what the client calls itself; foreign */
	char class[GRANTS_TEXT_SIZE];	  /* its vendor class; foreign */
};

/* How a grant came out. */
struct grant_answer {
	bool is_granted;
	struct lease_client owner; /* of the address now */
	int64_t seconds_left;
};

struct grants_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
	/* It has committed; or the address is another's (or declined). */
	void (*on_answer)(void *data, const struct grant *grant,
			  const struct grant_answer *answer);
	/* The database refused this row alone; a message is written. */
	void (*on_refused)(void *data, const struct grant *grant);
	void *data;
};

MUST_CHECK enum err grants_open(const struct grants_options *options,
				struct grants **ret_grants);
/* In place of a grant of the same client that has not been sent. ERR_SPACE: too many wait. */
MUST_CHECK enum err grants_add(struct grants *grants, const struct grant *grant);
/* Sends what waits, if nothing is under way: after a reconnect, or now and then. */
void grants_retry(struct grants *grants);
size_t grants_waiting(const struct grants *grants);
uint64_t grants_statements(const struct grants *grants);
/* After db_close(). */
void grants_close(struct grants *grants);

#endif
