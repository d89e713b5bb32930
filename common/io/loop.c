#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/log.h"
#include "io/notify.h"

/*
 * How long an orderly stop may take, and then the pool's last work. Together less than 30 s, so
 * that we say why before somebody loses patience and kills us without a word; what is drained
 * comes in addition.
 */
#define STOP_GRACE_MS 10000
#define POOL_GRACE_MS 12000

static void on_signal(uv_signal_t *handle, int number)
{
	struct loop *loop = handle->data;

	loop->stop_signal = number;
	loop_stop(loop);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	struct loop *loop = handle->data;

	(void)number;
	if (loop->callbacks.on_reload)
		loop->callbacks.on_reload(loop->data);
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	notify_alive();
}

static int start_signal(struct loop *loop, uv_signal_t *handle, uv_signal_cb callback,
			int number)
{
	int status = uv_signal_init(&loop->uv, handle);

	handle->data = loop;
	return status ? status : uv_signal_start(handle, callback, number);
}

/* All of ours are the loop's own business: they do not keep it alive once it is to stop. */
static int start_handles(struct loop *loop)
{
	uint64_t watchdog_ms = notify_watchdog_ms();
	int status = start_signal(loop, &loop->terminate, on_signal, SIGTERM);

	(void)uv_idle_init(&loop->uv, &loop->awake);
	loop->awake.data = loop;
	uv_unref((uv_handle_t *)&loop->awake);
	if (status == 0)
		status = start_signal(loop, &loop->interrupt, on_signal, SIGINT);
	if (status == 0)
		status = start_signal(loop, &loop->reload, on_hangup, SIGHUP);
	if (status == 0)
		status = uv_timer_init(&loop->uv, &loop->watchdog);
	if (status == 0 && watchdog_ms > 0)
		status = uv_timer_start(&loop->watchdog, on_watchdog, 0, watchdog_ms / 2);
	return status;
}

enum err loop_open(struct loop *loop, const struct loop_callbacks *callbacks, void *data)
{
	int status;

	*loop = (struct loop){.data = data, .pool_grace_ms = POOL_GRACE_MS};
	if (callbacks)
		loop->callbacks = *callbacks;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return ERR_SYSTEM;
	status = uv_loop_init(&loop->uv);
	if (status == 0)
		status = start_handles(loop);
	if (status) {
		log_error("loop_failed", "reason=%s", log_text(uv_strerror(status)));
		return ERR_SYSTEM;
	}
	return ERR_OK;
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

static void close_own_handles(struct loop *loop)
{
	uv_handle_t *own[] = {(uv_handle_t *)&loop->terminate, (uv_handle_t *)&loop->interrupt,
			      (uv_handle_t *)&loop->reload, (uv_handle_t *)&loop->watchdog,
			      (uv_handle_t *)&loop->awake};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (!uv_is_closing(own[i]))
			uv_close(own[i], NULL);
	}
}

static void on_grace_over(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void log_open_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (uv_is_active(handle) && uv_has_ref(handle))
		log_warning("stop_unfinished", "handle=%s",
			    uv_handle_type_name(uv_handle_get_type(handle)));
}

/* A limit to what is waited for, that keeps nobody waiting itself. */
static void start_grace(struct loop *loop, uv_timer_t *grace, uv_timer_cb on_over,
			uint64_t grace_ms)
{
	(void)uv_timer_init(&loop->uv, grace);
	(void)uv_timer_start(grace, on_over, grace_ms, 0);
	uv_unref((uv_handle_t *)grace);
}

static void end_grace(struct loop *loop, uv_timer_t *grace)
{
	uv_close((uv_handle_t *)grace, NULL);
	(void)uv_run(&loop->uv, UV_RUN_NOWAIT);
}

/*
 * Goes on until nothing is alive any more, so that a last batch may still be written. False:
 * the grace is over and something still lives.
 */
static bool finish(struct loop *loop, uint64_t grace_ms)
{
	uv_timer_t grace;
	bool is_finished;

	start_grace(loop, &grace, on_grace_over, grace_ms);
	is_finished = uv_run(&loop->uv, UV_RUN_DEFAULT) == 0;
	if (!is_finished)
		uv_walk(&loop->uv, log_open_handle, NULL);
	end_grace(loop, &grace);
	return is_finished;
}

static void do_nothing(void *data)
{
	(void)data;
}

/*
 * A child has no other threads, but the pool is at nothing: that would be alive. It gets
 * threads of its own by its first work, and needs them, for at exit libuv waits for those that
 * it knows. The child tells systemd nothing, which knows the next process by now.
 */
static void go_apart(struct loop *loop)
{
	pid_t child = fork();

	if (child > 0)
		_exit(EX_OK);
	if (child < 0) {
		log_warning("drain_in_place", "reason=%s effect=%s", log_text(strerror(errno)),
			    log_text("the process ends when the rest has ended"));
		return;
	}
	notify_forget();
	if (uv_loop_fork(&loop->uv) != 0) {
		log_error("drain_failed", "reason=%s effect=%s",
			  log_text("the loop cannot go on in a child"),
			  log_text("what was under way is broken off"));
		_exit(EX_OSERR);
	}
	loop_work(loop, do_nothing, do_nothing, NULL);
}

static void drain_rest(struct loop *loop, bool is_finished)
{
	if (loop->drain.is_apart && is_finished)
		go_apart(loop);
	loop->drain.on_rest(loop->data);
	(void)finish(loop, loop->drain.most_ms + STOP_GRACE_MS);
}

void loop_drain(struct loop *loop, const struct loop_drain *drain)
{
	loop->drain = *drain;
}

void loop_run(struct loop *loop)
{
	bool is_finished;

	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	notify_stopping();
	if (!loop->callbacks.on_stop)
		return;
	loop->callbacks.on_stop(loop->data);
	close_own_handles(loop);
	is_finished = finish(loop, STOP_GRACE_MS);
	if (loop->drain.on_rest)
		drain_rest(loop, is_finished);
}

static void note_open_handle(uv_handle_t *handle, void *data)
{
	bool *has_open = data;

	*has_open = *has_open || !uv_is_closing(handle);
}

/* Its thread would write into a loop that is gone: the process has to go before the loop does.
 */
static void give_up(uv_timer_t *timer)
{
	(void)timer;
	log_error("stop_gives_up", "reason=%s remedy=%s",
		  log_text("a read or write of a file still has not ended"),
		  log_text("look at the disk or the server that holds the files"));
	_exit(EX_IOERR);
}

/*
 * A thread of the pool waits for its disk, longer than the grace, and will write into the loop
 * when it is done: nothing can be given up before, but the process as a whole.
 */
static void await_pool(struct loop *loop)
{
	bool has_open = false;
	uv_timer_t grace;

	uv_walk(&loop->uv, note_open_handle, &has_open);
	if (has_open || !uv_loop_alive(&loop->uv))
		return;
	log_warning("stop_waits", "seconds=%u reason=%s remedy=%s", loop->pool_grace_ms / 1000,
		    log_text("a read or write of a file has not ended"),
		    log_text("look at the disk or the server that holds the files"));
	start_grace(loop, &grace, give_up, loop->pool_grace_ms);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	end_grace(loop, &grace);
}

void loop_close(struct loop *loop)
{
	close_own_handles(loop);
	for (int turn = 0; turn < 3; turn++)
		(void)uv_run(&loop->uv, UV_RUN_NOWAIT);
	await_pool(loop);
	if (uv_loop_close(&loop->uv) != 0) {
		/* a handle that outlives its loop is a mistake of ours: name it */
		uv_print_all_handles(&loop->uv, stderr);
		abort();
	}
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return uv_now(&loop->uv);
}

/* While this handle runs, libuv asks for events without waiting for them. */
static void on_awake(uv_idle_t *handle)
{
	struct loop *loop = handle->data;

	if (uv_hrtime() < loop->awake_until_ns)
		return;
	(void)uv_idle_stop(handle);
	if (loop->awake_credit > 0)
		loop->awake_credit--;
}

void loop_stay_awake(struct loop *loop, unsigned microseconds)
{
	bool is_answered = uv_is_active((uv_handle_t *)&loop->awake);

	if (uv_is_closing((uv_handle_t *)&loop->awake)) /* what is drained is in no hurry */
		return;
	if (is_answered)
		loop->awake_credit = LOOP_AWAKE_CREDIT;
	else if (loop->awake_credit == 0 && ++loop->awake_refused % LOOP_AWAKE_TRIAL != 0)
		return;
	loop->awake_until_ns = uv_hrtime() + microseconds * 1000ULL;
	(void)uv_idle_start(&loop->awake, on_awake);
}

static void on_timer(uv_timer_t *handle)
{
	struct loop_timer *timer = handle->data;

	timer->on_time(timer->data);
}

void loop_timer_open(struct loop *loop, struct loop_timer *timer, void (*on_time)(void *data),
		     void *data)
{
	*timer = (struct loop_timer){.on_time = on_time, .data = data, .is_open = true};
	(void)uv_timer_init(&loop->uv, &timer->uv);
	timer->uv.data = timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
	(void)uv_timer_start(&timer->uv, on_timer, after_ms, repeat_ms);
}

void loop_timer_stop(struct loop_timer *timer)
{
	(void)uv_timer_stop(&timer->uv);
}

void loop_timer_background(struct loop_timer *timer, bool is_background)
{
	if (is_background)
		uv_unref((uv_handle_t *)&timer->uv);
	else
		uv_ref((uv_handle_t *)&timer->uv);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return timer->is_open && uv_is_active((const uv_handle_t *)&timer->uv);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct loop_timer *timer = handle->data;

	timer->on_closed(timer->data);
}

void loop_timer_close_then(struct loop_timer *timer, void (*on_closed)(void *data))
{
	timer->is_open = false;
	timer->on_closed = on_closed;
	uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
}

void loop_timer_close(struct loop_timer *timer)
{
	if (!timer->is_open)
		return;
	timer->is_open = false;
	uv_close((uv_handle_t *)&timer->uv, NULL);
}

struct pool_work {
	uv_work_t uv;
	void (*work)(void *data);
	void (*on_done)(void *data);
	void *data;
};

static void on_pool_work(uv_work_t *uv)
{
	struct pool_work *pool_work = uv->data;

	pool_work->work(pool_work->data);
}

static void on_pool_done(uv_work_t *uv, int status)
{
	struct pool_work *pool_work = uv->data;

	(void)status;
	pool_work->on_done(pool_work->data);
	free(pool_work);
}

void loop_work(struct loop *loop, void (*work)(void *data), void (*on_done)(void *data),
	       void *data)
{
	struct pool_work *pool_work = malloc(sizeof(*pool_work));

	if (pool_work) {
		*pool_work = (struct pool_work){.work = work, .on_done = on_done, .data = data};
		pool_work->uv.data = pool_work;
		if (uv_queue_work(&loop->uv, &pool_work->uv, on_pool_work, on_pool_done) == 0)
			return;
		free(pool_work);
	}
	work(data);
	on_done(data);
}
