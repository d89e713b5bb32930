#include "menud/collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/path.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/partfile.h"

#define PAUSE_MS 60000

struct collect {
	struct menud *menud;
	struct loop_timer timer;
	bool is_busy; /* asking, removing or telling */
	bool is_closed;
	bool has_ended; /* its timer is closed */
	/* the one that is being removed, and the last that could not be: it is not tried again
	 * before the next look */
	char version[24], path[PATH_SIZE];
	long long last;
	enum err result;
	int error;
};

static void look(struct collect *collect);

static void release(struct collect *collect)
{
	if (!collect->is_busy && collect->has_ended)
		free(collect);
}

static void go_on(struct collect *collect, bool is_more)
{
	collect->is_busy = false;
	if (collect->is_closed)
		release(collect);
	else if (is_more)
		look(collect);
	else
		collect->last = 0;
}

static void on_told(void *data, const struct db_answer *answer)
{
	go_on(data, answer->outcome == DB_OK);
}

/* A version that was never stored anything of has no files; a store that is not there is no
 * proof. */
static void remove_files(void *data)
{
	struct collect *collect = data;
	struct stat facts;

	errno = ENOENT;
	if (fstatat(collect->menud->image_store, "images", &facts, 0) != 0)
		collect->result = ERR_SYSTEM;
	else
		collect->result = partfile_remove(collect->menud->image_store, collect->path);
	collect->error = errno;
}

static void on_removed(void *data)
{
	struct collect *collect = data;
	const char *params[] = {collect->version};

	if (collect->result != ERR_OK) {
		log_warning(
			"not_collected", "path=%s reason=%s remedy=%s", log_text(collect->path),
			log_text(strerror(collect->error)),
			"\"give menud's user the right to remove it, or remove it by hand\"");
		go_on(collect, true);
		return;
	}
	log_info("collected", "path=%s version=%s", log_text(collect->path), collect->version);
	if (collect->is_closed ||
	    db_query(collect->menud->work, "select rouse_daemon.image_collected($1::bigint)",
		     params, 1, MENUD_DATABASE_MS, on_told, collect) != ERR_OK)
		go_on(collect, false);
}

/* One at a time, in their order: the next look begins behind the last. */
static void on_garbage(void *data, const struct db_answer *answer)
{
	struct collect *collect = data;

	for (size_t i = 0; answer->outcome == DB_OK && i < rows_count(answer->rows); i++) {
		struct row row = rows_row(answer->rows, i);
		long long version = row_number(&row, "version");

		if (version <= collect->last || collect->is_closed)
			continue;
		collect->last = version;
		(void)snprintf(collect->version, sizeof(collect->version), "%lld", version);
		(void)snprintf(collect->path, sizeof(collect->path), "%s",
			       row_text(&row, "path"));
		loop_work(&collect->menud->loop, remove_files, on_removed, collect);
		return;
	}
	go_on(collect, false);
}

static void look(struct collect *collect)
{
	if (collect->is_busy || collect->menud->image_store < 0)
		return;
	collect->is_busy =
		db_query(collect->menud->work, "select * from rouse_daemon.image_garbage()",
			 NULL, 0, MENUD_DATABASE_MS, on_garbage, collect) == ERR_OK;
}

static void on_time(void *data)
{
	look(data);
}

enum err collect_open(struct menud *menud, struct collect **ret_collect)
{
	struct collect *collect = calloc(1, sizeof(*collect));

	if (!collect)
		return ERR_MEMORY;
	collect->menud = menud;
	loop_timer_open(&menud->loop, &collect->timer, on_time, collect);
	loop_timer_start(&collect->timer, PAUSE_MS, PAUSE_MS);
	*ret_collect = collect;
	return ERR_OK;
}

void collect_now(struct collect *collect)
{
	if (collect)
		look(collect);
}

static void on_timer_closed(void *data)
{
	struct collect *collect = data;

	collect->has_ended = true;
	release(collect);
}

void collect_close(struct collect *collect)
{
	if (!collect)
		return;
	collect->is_closed = true;
	loop_timer_close_then(&collect->timer, on_timer_closed);
}
