#include "dhcpd/saver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"

#define SLICE_MOST 1000 /* leases written in one turn of the loop: about half a millisecond */
#define LAST_SLICE_MOST 5000 /* when nobody is served any more: about two */
#define SLICE_MS 1
#define NOTES_MOST (32U << 20) /* octets: then the table is saved early */
#define SAVE_MS 300000
#define SAY_MS SAVE_MS

enum state {
	STATE_IDLE,
	STATE_WRITING,	  /* slices, in the loop */
	STATE_PUBLISHING, /* in the pool */
	STATE_TIDYING,	  /* in the pool */
};

struct saver {
	uv_work_t work;
	struct loop *loop;
	struct leasefile *file;
	const struct lease_table *leases;
	struct loop_timer slice_timer;
	enum state state;
	bool has_failed;
	uint64_t began_ms;   /* of the last save */
	uint64_t longest_ns; /* that this save has held up the loop at once */
	unsigned turns;
	size_t entries; /* of the table, when it had been written */
	struct saver_end end;
	uint64_t give_up_ms;
	bool is_closing, is_timer_closed;
	struct log_repeat log;
};

static void say_failed(struct saver *saver)
{
	int reason = errno;
	unsigned long left_out;

	if (log_repeat_due(&saver->log, loop_now_ms(saver->loop), SAY_MS, &left_out))
		log_warning("leases_not_saved", "file=%s reason=%s remedy=%s",
			    log_text(leasefile_path(saver->file)), log_text(strerror(reason)),
			    log_text("make the folder of state_dir, owned by dhcpd's user, and "
				     "room on its disk"));
}

static void count_turn(struct saver *saver, uint64_t began_ns)
{
	uint64_t lasted_ns = uv_hrtime() - began_ns;

	saver->turns++;
	if (lasted_ns > saver->longest_ns)
		saver->longest_ns = lasted_ns;
}

static void say_saved(const struct saver *saver)
{
	log_info("leases_saved", "entries=%zu turns=%u longest_turn_us=%" PRIu64,
		 saver->entries, saver->turns, saver->longest_ns / 1000);
}

/* --- a save, from its beginning to its end --- */

static void free_if_over(struct saver *saver)
{
	if (!saver->is_timer_closed || saver->state != STATE_IDLE)
		return;
	leasefile_close(saver->file);
	free(saver);
}

static void on_tidied(uv_work_t *work, int status)
{
	struct saver *saver = work->data;

	(void)status;
	saver->state = STATE_IDLE;
	free_if_over(saver);
}

/* In the pool. */
static void tidy(uv_work_t *work)
{
	struct saver *saver = work->data;

	leasefile_tidy(saver->file);
}

/* The old file, or one that was given up, may have a hundred megabytes to free. */
static void begin_tidying(struct saver *saver)
{
	saver->state = STATE_TIDYING;
	if (uv_queue_work(&saver->loop->uv, &saver->work, tidy, on_tidied) == 0)
		return;
	tidy(&saver->work);
	saver->state = STATE_IDLE;
}

static void fail(struct saver *saver)
{
	saver->has_failed = true;
	say_failed(saver);
	begin_tidying(saver);
}

static void on_published(uv_work_t *work, int status)
{
	struct saver *saver = work->data;

	(void)status;
	if (leasefile_save_end(saver->file) != ERR_OK) {
		fail(saver);
		return;
	}
	say_saved(saver);
	begin_tidying(saver);
}

/* In the pool. */
static void publish(uv_work_t *work)
{
	struct saver *saver = work->data;

	leasefile_save_publish(saver->file);
}

static void begin_publishing(struct saver *saver)
{
	saver->state = STATE_PUBLISHING;
	if (uv_queue_work(&saver->loop->uv, &saver->work, publish, on_published) == 0)
		return;
	publish(&saver->work);
	on_published(&saver->work, 0);
}

static void on_timer_closed(void *data)
{
	struct saver *saver = data;

	saver->is_timer_closed = true;
	saver->end.on_closed(saver->end.data);
	free_if_over(saver);
}

/* The pool goes on without the table. */
static void close_if_written(struct saver *saver)
{
	if (saver->is_closing && saver->state != STATE_WRITING && saver->slice_timer.is_open)
		loop_timer_close_then(&saver->slice_timer, on_timer_closed);
}

/* The process has to end: leasefile_close() takes away what was written of the new file. */
static void give_up(struct saver *saver)
{
	log_warning("leases_not_saved", "file=%s reason=%s remedy=%s",
		    log_text(leasefile_path(saver->file)),
		    log_text("the disk is too slow: what this process granted is in the file, "
			     "not what others did"),
		    log_text("look at the disk of state_dir"));
	saver->state = STATE_IDLE;
}

static void on_slice(void *data)
{
	struct saver *saver = data;
	size_t most = saver->is_closing ? LAST_SLICE_MOST : SLICE_MOST;
	uint64_t began_ns = uv_hrtime();
	bool is_whole = false;
	enum err err = leasefile_save_slice(saver->file, saver->leases, most,
					    loop_now_ms(saver->loop), &is_whole);
	bool is_late = saver->is_closing && loop_now_ms(saver->loop) >= saver->give_up_ms;

	count_turn(saver, began_ns);
	saver->entries = saver->leases->count;
	if (err == ERR_OK && !is_whole && !is_late)
		return;
	loop_timer_stop(&saver->slice_timer);
	if (err != ERR_OK)
		fail(saver);
	else if (is_whole)
		begin_publishing(saver);
	else
		give_up(saver);
	close_if_written(saver);
}

void saver_begin(struct saver *saver, const char *timeline)
{
	if (saver->state != STATE_IDLE || !*leasefile_path(saver->file))
		return;
	saver->has_failed = false;
	saver->began_ms = loop_now_ms(saver->loop);
	saver->longest_ns = 0;
	saver->turns = 0;
	if (leasefile_save_begin(saver->file, saver->leases, timeline) != ERR_OK) {
		fail(saver);
		return;
	}
	saver->state = STATE_WRITING;
	loop_timer_start(&saver->slice_timer, 0, SLICE_MS);
}

/* --- notes --- */

void saver_read(struct saver *saver, void (*on_lease)(void *data, const struct lease *lease),
		void *data, struct leasefile_found *ret_found)
{
	if (leasefile_read(saver->file, loop_now_ms(saver->loop), on_lease, data, ret_found) ==
	    ERR_SYSTEM)
		say_failed(saver);
	if (ret_found->bad > 0)
		log_warning("saved_leases_damaged", "file=%s bad_lines=%zu remedy=%s",
			    log_text(leasefile_path(saver->file)), ret_found->bad,
			    log_text("the other lines are used; the database replaces all"));
}

void saver_note(struct saver *saver, const struct lease *lease)
{
	leasefile_note(saver->file, lease, loop_now_ms(saver->loop));
}

void saver_note_timeline(struct saver *saver, const char *timeline)
{
	leasefile_note_timeline(saver->file, timeline);
}

void saver_flush(struct saver *saver)
{
	if (leasefile_flush(saver->file) != ERR_OK)
		say_failed(saver);
}

bool saver_is_due(const struct saver *saver)
{
	if (saver->state != STATE_IDLE)
		return false;
	/* one that failed is not tried all the time */
	return loop_now_ms(saver->loop) - saver->began_ms >= SAVE_MS ||
	       (!saver->has_failed && leasefile_growth(saver->file) > NOTES_MOST);
}

/* --- beginning and end --- */

enum err saver_open(struct loop *loop, const char *path, const struct lease_table *leases,
		    struct saver **ret_saver)
{
	struct saver *saver = calloc(1, sizeof(*saver));
	enum err err;

	if (!saver)
		return ERR_MEMORY;
	saver->loop = loop;
	saver->leases = leases;
	saver->work.data = saver;
	saver->began_ms = loop_now_ms(loop);
	err = leasefile_open(path, &saver->file);
	if (err != ERR_OK) {
		free(saver);
		return err;
	}
	loop_timer_open(loop, &saver->slice_timer, on_slice, saver);
	*ret_saver = saver;
	return ERR_OK;
}

void saver_close(struct saver *saver, const struct saver_end *end)
{
	saver_flush(saver);
	saver->end = *end;
	saver->is_closing = true;
	saver->give_up_ms = loop_now_ms(saver->loop) + end->most_ms;
	if (saver->state == STATE_WRITING) {
		/* what others changed behind its place would not be in it */
		loop_timer_stop(&saver->slice_timer);
		saver->state = STATE_IDLE;
	}
	if (end->timeline)
		saver_begin(saver, end->timeline);
	close_if_written(saver);
}
