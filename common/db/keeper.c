#include "db/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/rows.h"
#include "db/saved.h"
#include "io/log.h"

struct keeper {
	struct keeper_options options;
	char *saved_file;
	struct loaded_site *loaded; /* in force; NULL before the first */
	struct loaded_site *saving; /* being written; maybe no longer in force */
	struct site empty;
	uint64_t saved_ms; /* when it was tried last; 0: never */
	bool is_taking, is_unsaved, is_closed;
	unsigned in_pool; /* of what is below */
};

/* Rows on their way to be a site. */
struct taking {
	struct keeper *keeper;
	struct site_rows rows;
	char *changed_hosts;
	const struct loaded_site *base; /* in force until this has ended */
	struct loaded_site *loaded;
	enum err err;
	char problem[256];
};

/* A site on its way to the disk. */
struct saving {
	struct keeper *keeper;
	struct loaded_site *loaded;
	enum err err;
	int reason; /* an errno */
};

static void release(struct keeper *keeper)
{
	if (!keeper->is_closed || keeper->in_pool > 0)
		return;
	site_load_free(keeper->loaded);
	free(keeper->saved_file);
	free(keeper);
}

static void free_site(void *data)
{
	site_load_free(data);
}

static void do_nothing(void *data)
{
	(void)data;
}

static void drop_site(struct keeper *keeper, struct loaded_site *loaded)
{
	if (loaded && loaded != keeper->loaded && loaded != keeper->saving)
		loop_work(keeper->options.loop, free_site, do_nothing, loaded);
}

/* --- the copy on the disk --- */

static void write_site(void *data)
{
	struct saving *saving = data;

	saving->err = saved_write(saving->keeper->saved_file, &saving->loaded->rows);
	saving->reason = errno;
}

static void note_saved(const struct saving *saving)
{
	struct keeper *keeper = saving->keeper;

	keeper->saved_ms = loop_now_ms(keeper->options.loop);
	if (saving->err == ERR_OK) {
		keeper->is_unsaved = keeper->is_unsaved && saving->loaded != keeper->loaded;
		return;
	}
	log_warning("snapshot_not_saved", "file=%s reason=%s remedy=%s",
		    log_text(keeper->saved_file),
		    log_text(saving->err == ERR_SYSTEM ? strerror(saving->reason)
						       : err_text(saving->err)),
		    log_text("the folder of state_dir must be writable for this daemon; "
			     "until then it cannot start while the database is away"));
}

static void save_now(struct keeper *keeper)
{
	struct saving saving = {.keeper = keeper, .loaded = keeper->loaded};

	if (!keeper->saved_file || !keeper->is_unsaved)
		return;
	write_site(&saving);
	note_saved(&saving);
}

static void on_written(void *data)
{
	struct saving *saving = data;
	struct keeper *keeper = saving->keeper;

	note_saved(saving);
	keeper->saving = NULL;
	drop_site(keeper, saving->loaded);
	free(saving);
	if (keeper->is_closed)
		save_now(keeper); /* it changed while it was being written */
	keeper->in_pool--;
	release(keeper);
}

void keeper_save(struct keeper *keeper)
{
	struct saving *saving;

	if (!keeper->saved_file || !keeper->is_unsaved || keeper->saving)
		return;
	saving = malloc(sizeof(*saving));
	if (!saving)
		return; /* it stays unsaved, and is tried again */
	*saving = (struct saving){.keeper = keeper, .loaded = keeper->loaded};
	keeper->saving = keeper->loaded;
	keeper->in_pool++;
	loop_work(keeper->options.loop, write_site, on_written, saving);
}

uint64_t keeper_saved_ms_ago(const struct keeper *keeper)
{
	return keeper->saved_ms > 0 ? loop_now_ms(keeper->options.loop) - keeper->saved_ms
				    : UINT64_MAX;
}

/* --- in force --- */

static void put_in_force(struct keeper *keeper, struct loaded_site *loaded)
{
	struct loaded_site *old = keeper->loaded;

	keeper->loaded = loaded;
	if (keeper->options.on_site)
		keeper->options.on_site(keeper->options.data, &loaded->site);
	drop_site(keeper, old);
}

/* --- taking --- */

/* The numbers of a text; its length is enough for them. NULL: no memory. */
static int64_t *read_numbers(const char *text, size_t *ret_count)
{
	int64_t *numbers = calloc(strlen(text) / 2 + 1, sizeof(*numbers));
	char *end;

	*ret_count = 0;
	while (numbers && *text) {
		numbers[(*ret_count)++] = strtoll(text, &end, 10);
		text = *end == ' ' ? end + 1 : end + strlen(end);
	}
	return numbers;
}

static struct db_rows *merge_hosts(const struct taking *taking, const struct db_rows *base)
{
	size_t count;
	int64_t *changed = read_numbers(taking->changed_hosts, &count);
	struct db_rows *merged = NULL;

	if (changed)
		merged = rows_merge(base, taking->rows.view[SITE_HOSTS], changed, count);
	free(changed);
	return merged;
}

/* What was not read is as before. false: no memory, or rows of another shape than before. */
static bool complete(struct taking *taking)
{
	for (int view = 0; taking->base && view < SITE_VIEWS; view++) {
		const struct db_rows *before = taking->base->rows.view[view];
		struct db_rows *read = taking->rows.view[view];
		bool is_part = view == SITE_HOSTS && taking->changed_hosts && read;

		if (!before || (read && !is_part))
			continue;
		taking->rows.view[view] =
			is_part ? merge_hosts(taking, before) : rows_copy(before);
		rows_free(read);
		if (!taking->rows.view[view])
			return false;
	}
	return true;
}

static void build(void *data)
{
	struct taking *taking = data;

	if (complete(taking)) {
		taking->err = site_load_take(&taking->rows, &taking->loaded, taking->problem,
					     sizeof(taking->problem));
		return;
	}
	site_rows_free(&taking->rows);
	taking->err = ERR_MEMORY;
	(void)snprintf(taking->problem, sizeof(taking->problem),
		       "what changed does not fit what was there");
}

static void on_built(void *data)
{
	struct taking *taking = data;
	struct keeper *keeper = taking->keeper;

	keeper->is_taking = false;
	if (taking->err == ERR_OK && !keeper->is_closed) {
		keeper->is_unsaved = true;
		put_in_force(keeper, taking->loaded);
	} else if (taking->err == ERR_OK) {
		site_load_free(taking->loaded);
	}
	if (!keeper->is_closed)
		keeper->options.on_taken(keeper->options.data, taking->err, taking->problem);
	free(taking->changed_hosts);
	free(taking);
	keeper->in_pool--;
	release(keeper);
}

void keeper_take(struct keeper *keeper, struct site_rows *rows, const char *changed_hosts)
{
	struct taking *taking = calloc(1, sizeof(*taking));

	if (taking && changed_hosts)
		taking->changed_hosts = strdup(changed_hosts);
	if (!taking || (changed_hosts && !taking->changed_hosts)) {
		free(taking);
		site_rows_free(rows);
		keeper->options.on_taken(keeper->options.data, ERR_MEMORY, "out of memory");
		return;
	}
	taking->keeper = keeper;
	taking->base = keeper->loaded;
	taking->rows = *rows;
	memset(rows, 0, sizeof(*rows));
	keeper->is_taking = true;
	keeper->in_pool++;
	loop_work(keeper->options.loop, build, on_built, taking);
}

bool keeper_is_taking(const struct keeper *keeper)
{
	return keeper->is_taking;
}

/* --- start and end --- */

void keeper_read_saved(struct keeper *keeper,
		       const char *(*may_use)(void *data, const struct site_rows *rows),
		       void *data)
{
	struct site_rows rows = {0};
	struct loaded_site *loaded = NULL;
	char problem[256] = "";
	const char *reason;
	enum err err;

	if (!keeper->saved_file)
		return;
	err = saved_read(keeper->saved_file, &rows);
	if (err == ERR_ABSENT)
		return;
	reason = err == ERR_OK ? may_use(data, &rows) : err_text(err);
	if (!reason && site_load_take(&rows, &loaded, problem, sizeof(problem)) != ERR_OK)
		reason = problem;
	if (reason) {
		log_warning("saved_snapshot_ignored", "file=%s reason=%s",
			    log_text(keeper->saved_file), log_text(reason));
		site_rows_free(&rows);
		return;
	}
	log_info("saved_snapshot_loaded", "file=%s hosts=%zu", log_text(keeper->saved_file),
		 loaded->site.host_count);
	put_in_force(keeper, loaded);
}

enum err keeper_open(const struct keeper_options *options, struct keeper **ret_keeper)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return ERR_MEMORY;
	keeper->options = *options;
	if (options->saved_file)
		keeper->saved_file = strdup(options->saved_file);
	if (options->saved_file && !keeper->saved_file) {
		free(keeper);
		return ERR_MEMORY;
	}
	*ret_keeper = keeper;
	return ERR_OK;
}

const struct site *keeper_site(const struct keeper *keeper)
{
	return keeper->loaded ? &keeper->loaded->site : &keeper->empty;
}

bool keeper_is_loaded(const struct keeper *keeper)
{
	return keeper->loaded != NULL;
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	keeper->is_closed = true;
	if (!keeper->saving)
		save_now(keeper);
	release(keeper);
}
