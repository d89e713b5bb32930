/*
 * host - the one record of a machine, as every daemon sees it.
 *
 * A host has many identifiers; any of its MACs or its UUID finds it in a struct site. Strings
 * belong to the site that holds the record.
 */
#ifndef ROUSE_CORE_HOST_H
#define ROUSE_CORE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "core/uuid.h"

#define HOST_MACS_MAX 8

enum host_state {
	HOST_UNKNOWN, /* no record: only seen */
	HOST_PENDING,
	HOST_ACTIVE,
	HOST_DISABLED,
	HOST_RETIRED,
};

struct host {
	int64_t id;
	const char *name;
	const char *product; /* "" when not known */
	enum host_state state;
	int64_t group_id; /* 0: in none */
	bool has_uuid;
	bool has_live_job;
	struct uuid uuid;
	struct mac macs[HOST_MACS_MAX]; /* the primary one first */
	size_t mac_count;
};

/* "active" and so on; never NULL. */
const char *host_state_name(enum host_state state);
MUST_CHECK enum err host_state_parse(const char *text, enum host_state *ret_state);

#endif
