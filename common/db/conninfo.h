/*
 * conninfo - a connection string taken apart into one set of keywords per host.
 *
 * libpq, when it does not block, has no connect time-out of its own and begins with the first
 * host each time: a silent first host would hide the second for ever. So we try one host an
 * attempt.
 */
#ifndef ROUSE_DB_CONNINFO_H
#define ROUSE_DB_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define CONNINFO_HOSTS_MAX 8
#define CONNINFO_KEYS_MAX 48

struct conninfo_host {
	const char
		*keywords[CONNINFO_KEYS_MAX + 1]; /* NULL ends, as PQconnectStartParams wants */
	const char *values[CONNINFO_KEYS_MAX + 1];
	const char *name;    /* to be resolved, or NULL: a socket, or an address already */
	size_t address_slot; /* where hostaddr's value goes once the name is resolved */
};

struct conninfo {
	struct conninfo_host hosts[CONNINFO_HOSTS_MAX];
	size_t host_count;
	char *texts[CONNINFO_KEYS_MAX *
		    CONNINFO_HOSTS_MAX]; /* what the pointers above point to */
	size_t text_count;
};

/*
 * ERR_FORMAT: *ret_message (to be freed by the caller, never NULL) says what is wrong; it holds
 * no secret. ERR_MEMORY.
 */
MUST_CHECK enum err conninfo_parse(const char *text, const char *program,
				   struct conninfo *ret_info, char **ret_message);
void conninfo_free(struct conninfo *info);

#endif
