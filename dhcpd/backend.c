#include "dhcpd/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/conn.h"
#include "db/hello.h"
#include "db/snapshot.h"
#include "io/log.h"

#define PATH_SIZE_MAX 512
#define INSTANCE_SIZE 96

struct backend {
	struct backend_options options;
	char instance[INSTANCE_SIZE];
	char site_file[PATH_SIZE_MAX], lease_file[PATH_SIZE_MAX];
	struct db_conn *conn;
	/* for what is only told: one connection's statements go in turn */
	struct db_conn *telling;
	struct snapshot *snapshot;
	struct store *store;
	struct events *events;
	struct origins *origins;
	struct hello *hello;
	struct foreign *foreign;
	struct bootchecker *bootchecker; /* NULL: is not wanted */
	struct loop *loop;
};

const struct site *backend_site(const struct backend *backend)
{
	return snapshot_site(backend->snapshot);
}

bool backend_has_site(const struct backend *backend)
{
	return backend->snapshot && snapshot_is_loaded(backend->snapshot);
}

struct store *backend_store(const struct backend *backend)
{
	return backend->store;
}

bool backend_is_up(const struct backend *backend)
{
	return store_is_up(backend->store) && hello_is_accepted(backend->hello);
}

struct origins *backend_origins(const struct backend *backend)
{
	return backend->origins;
}

struct events *backend_events(const struct backend *backend)
{
	return backend->events;
}

struct foreign *backend_foreign(const struct backend *backend)
{
	return backend->foreign;
}

struct bootchecker *backend_bootchecker(const struct backend *backend)
{
	return backend->bootchecker;
}

void backend_announce(struct backend *backend)
{
	hello_now(backend->hello);
	foreign_announce(backend->foreign);
}

static void on_up(void *data)
{
	struct backend *backend = data;

	backend_announce(backend);
	store_on_up(backend->store);
}

static void on_down(void *data, const char *reason)
{
	struct backend *backend = data;

	(void)reason; /* db/conn has told it */
	store_on_down(backend->store);
}

static const struct site *get_site(void *data)
{
	return backend_site(data);
}

static void on_site(void *data, const struct site *site)
{
	struct backend *backend = data;

	backend->options.on_site(backend->options.data, site);
}

static void on_answer(void *data, const struct parked *parked, uint32_t seconds)
{
	struct backend *backend = data;

	backend->options.on_answer(backend->options.data, parked, seconds);
}

static struct foreign_self get_self(void *data)
{
	const struct backend *backend = data;

	return backend->options.self(backend->options.data);
}

static const char *get_status(void *data)
{
	struct backend *backend = data;

	return backend->options.status(backend->options.data);
}

static const char *get_problem(void *data)
{
	const struct backend *backend = data;

	return backend->snapshot ? snapshot_problem(backend->snapshot) : NULL;
}

static void name_files(struct backend *backend)
{
	const char *folder = backend->options.settings->state_dir;

	if (!*folder)
		return;
	(void)snprintf(backend->site_file, sizeof(backend->site_file), "%s/site.json", folder);
	(void)snprintf(backend->lease_file, sizeof(backend->lease_file), "%s/leases", folder);
}

static enum err open_bootchecker(struct backend *backend)
{
	struct bootchecker_options options = {backend->loop, backend->telling,
					      backend->instance};

	return bootchecker_open(&options, &backend->bootchecker);
}

static enum err open_parts(struct backend *backend)
{
	const struct settings *settings = backend->options.settings;
	struct db_conn_options conn = {
		settings->database, "dhcpd", NULL, on_up, on_down, NULL, backend};
	struct db_conn_options telling = {.conninfo = settings->database, .program = "dhcpd"};
	struct snapshot_options snapshot = {
		settings->database,
		"dhcpd",
		SNAPSHOT_NETWORK | SNAPSHOT_LEASING | SNAPSHOT_BOOT_FILES,
		backend->site_file[0] ? backend->site_file : NULL,
		on_site,
		backend,
	};
	struct hello_options hello = {"dhcpd",	  backend->instance, ROUSE_VERSION,
				      get_status, get_problem,	     backend};
	struct store_options store = {
		.loop = backend->loop,
		.instance = backend->instance,
		.saved_file = backend->lease_file,
		.site = get_site,
		.on_answer = on_answer,
		.data = backend,
	};
	struct foreign_options foreign = {
		.loop = backend->loop,
		.instance = backend->instance,
		.self = get_self,
		.data = backend,
	};
	enum err err = db_open(backend->loop, &conn, &backend->conn);

	if (err == ERR_OK)
		err = db_open(backend->loop, &telling, &backend->telling);
	if (err == ERR_OK)
		err = snapshot_open(backend->loop, &snapshot, &backend->snapshot);
	store.conn = backend->conn;
	if (err == ERR_OK)
		err = store_open(&store, &backend->store);
	if (err == ERR_OK)
		err = origins_open(backend->loop, backend->telling, &backend->origins);
	if (err == ERR_OK)
		err = events_open(backend->loop, backend->telling, "dhcpd", backend->instance,
				  &backend->events);
	if (err == ERR_OK)
		err = hello_open(backend->loop, backend->conn, &hello, &backend->hello);
	foreign.conn = backend->conn;
	if (err == ERR_OK)
		err = foreign_open(&foreign, &backend->foreign);
	if (err == ERR_OK && settings->check_boot_servers)
		err = open_bootchecker(backend);
	return err;
}

enum err backend_open(struct loop *loop, const struct backend_options *options,
		      struct backend **ret_backend)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	enum err err;

	if (!backend)
		return ERR_MEMORY;
	backend->loop = loop;
	backend->options = *options;
	if (*options->settings->instance)
		(void)snprintf(backend->instance, sizeof(backend->instance), "%s",
			       options->settings->instance);
	else
		hello_instance(backend->instance, sizeof(backend->instance));
	name_files(backend);
	/* from now on call-backs may come that ask the caller for this */
	*ret_backend = backend;
	err = open_parts(backend);
	if (err == ERR_OK)
		return ERR_OK;
	log_error("backend_failed", "reason=%s", log_text(err_text(err)));
	backend_close(backend);
	*ret_backend = NULL;
	return err;
}

void backend_reload(struct backend *backend)
{
	snapshot_reload(backend->snapshot);
}

void backend_close(struct backend *backend)
{
	if (!backend)
		return;
	events_close(backend->events);
	hello_close(backend->hello);
	foreign_close(backend->foreign);
	origins_close(backend->origins);
	bootchecker_close(backend->bootchecker);
	db_close(backend->telling);
	db_close(backend->conn);
	store_close(backend->store);
	snapshot_close(backend->snapshot);
	free(backend);
}
