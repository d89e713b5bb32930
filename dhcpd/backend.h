/*
 * backend - dhcpd's side of the database: the snapshot of what operators configured, the
 * leases, the events, and the sign of life. All of it may be away at any time.
 */
#ifndef ROUSE_DHCPD_BACKEND_H
#define ROUSE_DHCPD_BACKEND_H

#include <stdbool.h>

#include "core/err.h"
#include "core/site.h"
#include "db/events.h"
#include "dhcpd/bootchecker.h"
#include "dhcpd/foreign.h"
#include "dhcpd/origins.h"
#include "dhcpd/settings.h"
#include "dhcpd/store.h"
#include "io/loop.h"

struct backend;

struct backend_options {
	const struct settings *settings;
	/* What operators configured has changed. */
	void (*on_site)(void *data, const struct site *site);
	/* As in struct store_options. */
	void (*on_answer)(void *data, const struct parked *parked, uint32_t seconds);
	/* As in struct foreign_options. */
	struct foreign_self (*self)(void *data);
	/* One line for people. */
	const char *(*status)(void *data);
	void *data;
};

MUST_CHECK enum err backend_open(struct loop *loop, const struct backend_options *options,
				 struct backend **ret_backend);
const struct site *backend_site(const struct backend *backend);
/* false: nothing was ever read, neither from the database nor from the saved file. */
bool backend_has_site(const struct backend *backend);
struct store *backend_store(const struct backend *backend);
/* Are grants being recorded? Otherwise the outage rule. */
bool backend_is_up(const struct backend *backend);
struct origins *backend_origins(const struct backend *backend);
struct events *backend_events(const struct backend *backend);
struct foreign *backend_foreign(const struct backend *backend);
/* NULL: the site does not want it. */
struct bootchecker *backend_bootchecker(const struct backend *backend);
/* What we are has changed: rouse.daemons and our peers learn it now. */
void backend_announce(struct backend *backend);
void backend_reload(struct backend *backend);
/* Accepts NULL. */
void backend_close(struct backend *backend);

#endif
