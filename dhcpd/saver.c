#include "dhcpd/saver.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE 2000 /* entries: about a millisecond's work */
#define PAUSE_MS 2

/* Outlives a saver that is closed while the pool is at it. */
struct sync {
	uv_work_t work;
	struct saver *saver; /* NULL: nobody waits for it */
	int descriptor;
	int error; /* an errno, or 0 */
};

struct saver {
	struct saver_options options;
	struct loop_timer timer;
	struct sync *sync;
	bool is_saving;
};

static void finish(struct saver *saver, int error)
{
	saver->is_saving = false;
	if (error != 0)
		leasefile_save_abandon(saver->options.file);
	else if (leasefile_save_end(saver->options.file) != ERR_OK)
		error = errno;
	if (error != 0)
		saver->options.on_failed(saver->options.data, error);
}

/* In another thread. */
static void flush_to_disk(uv_work_t *work)
{
	struct sync *sync = work->data;

	sync->error = fsync(sync->descriptor) == 0 ? 0 : errno;
	(void)close(sync->descriptor);
}

static void on_flushed(uv_work_t *work, int status)
{
	struct sync *sync = work->data;

	(void)status;
	if (sync->saver) {
		sync->saver->sync = NULL;
		finish(sync->saver, sync->error);
	}
	free(sync);
}

/* The pool has a descriptor of its own: the file may be closed meanwhile. */
static int start_sync(struct saver *saver)
{
	struct sync *sync = calloc(1, sizeof(*sync));

	if (!sync)
		return ENOMEM;
	sync->saver = saver;
	sync->work.data = sync;
	sync->descriptor = dup(leasefile_save_descriptor(saver->options.file));
	if (sync->descriptor < 0 || uv_queue_work(&saver->options.loop->uv, &sync->work,
						  flush_to_disk, on_flushed) != 0) {
		int reason = sync->descriptor < 0 ? errno : EAGAIN;

		if (sync->descriptor >= 0)
			(void)close(sync->descriptor);
		free(sync);
		return reason;
	}
	saver->sync = sync;
	return 0;
}

static void on_time(void *data)
{
	struct saver *saver = data;
	const struct saver_options *options = &saver->options;
	int error;

	if (leasefile_save_some(options->file, options->leases(options->data), PIECE,
				loop_now_ms(options->loop)))
		return;
	loop_timer_stop(&saver->timer);
	error = start_sync(saver);
	if (error != 0)
		finish(saver, error);
}

enum err saver_open(const struct saver_options *options, struct saver **ret_saver)
{
	struct saver *saver = calloc(1, sizeof(*saver));

	if (!saver)
		return ERR_MEMORY;
	saver->options = *options;
	loop_timer_open(options->loop, &saver->timer, on_time, saver);
	*ret_saver = saver;
	return ERR_OK;
}

void saver_begin(struct saver *saver, const char *timeline)
{
	const struct saver_options *options = &saver->options;

	if (saver->is_saving)
		return;
	switch (leasefile_save_begin(options->file, options->leases(options->data), timeline)) {
	case ERR_OK:
		saver->is_saving = true;
		loop_timer_start(&saver->timer, PAUSE_MS, PAUSE_MS);
		break;
	case ERR_ABSENT:
		break; /* none is wanted */
	default:
		options->on_failed(options->data, errno);
		break;
	}
}

void saver_close(struct saver *saver)
{
	if (!saver)
		return;
	if (saver->is_saving)
		leasefile_save_abandon(saver->options.file);
	if (saver->sync)
		saver->sync->saver = NULL;
	loop_timer_close_then(&saver->timer, free);
}
