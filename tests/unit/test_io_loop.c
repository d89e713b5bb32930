#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/loop.h"

struct story {
	struct loop loop;
	struct loop_timer timer, last;
	int ticks, reloads, stops;
	bool has_flushed;
};

static void on_stop(void *data)
{
	struct story *story = data;

	story->stops++;
	loop_timer_close(&story->timer);
}

static void on_reload(void *data)
{
	struct story *story = data;

	story->reloads++;
	raise(SIGTERM);
}

static const struct loop_callbacks callbacks = {on_reload, on_stop};

static void on_tick(void *data)
{
	struct story *story = data;

	if (++story->ticks == 3)
		loop_stop(&story->loop);
}

static void test_stop_and_timer(void **state)
{
	struct story story = {0};

	(void)state;
	assert_int_equal(loop_open(&story.loop, &callbacks, &story), ERR_OK);
	loop_timer_open(&story.loop, &story.timer, on_tick, &story);
	loop_timer_start(&story.timer, 1, 1);
	loop_run(&story.loop);
	assert_int_equal(story.ticks, 3);
	assert_int_equal(story.stops, 1);
	assert_int_equal(story.loop.stop_signal, 0);
	loop_timer_close(&story.timer); /* again: does nothing */
	loop_close(&story.loop);
}

static void on_raise(void *data)
{
	(void)data;
	raise(SIGHUP);
}

/* SIGHUP reloads and goes on, SIGTERM stops; SIGPIPE does nothing. */
static void test_signals(void **state)
{
	struct story story = {0};

	(void)state;
	assert_int_equal(loop_open(&story.loop, &callbacks, &story), ERR_OK);
	raise(SIGPIPE);
	loop_timer_open(&story.loop, &story.timer, on_raise, &story);
	loop_timer_start(&story.timer, 1, 0);
	loop_run(&story.loop);
	assert_int_equal(story.reloads, 1);
	assert_int_equal(story.stops, 1);
	assert_int_equal(story.loop.stop_signal, SIGTERM);
	loop_close(&story.loop);
}

static void on_flushed(void *data)
{
	struct story *story = data;

	story->has_flushed = true;
	loop_timer_close(&story->last);
}

static void on_slow_stop(void *data)
{
	struct story *story = data;

	loop_timer_close(&story->timer);
	loop_timer_open(&story->loop, &story->last, on_flushed, story);
	loop_timer_start(&story->last, 20, 0);
}

/* What on_stop begins is finished before loop_run() returns. */
static void test_last_work(void **state)
{
	static const struct loop_callbacks slow = {NULL, on_slow_stop};
	struct story story = {.ticks = 2};

	(void)state;
	assert_int_equal(loop_open(&story.loop, &slow, &story), ERR_OK);
	loop_timer_open(&story.loop, &story.timer, on_tick, &story);
	loop_timer_start(&story.timer, 1, 0);
	loop_run(&story.loop);
	assert_true(story.has_flushed);
	loop_close(&story.loop);
}

struct drained {
	struct loop loop;
	struct loop_timer flush, transfer;
	bool is_apart, has_flushed, is_resting, is_ended;
};

static void on_drain_flushed(void *data)
{
	struct drained *drained = data;

	drained->has_flushed = true;
	assert_false(drained->is_resting);
	loop_timer_close(&drained->flush);
}

static void on_drain_rest(void *data)
{
	struct drained *drained = data;

	/* all that is not drained has ended */
	assert_true(drained->has_flushed);
	drained->is_resting = true;
	loop_timer_background(&drained->transfer, false);
}

/* What is drained runs all the time. */
static void on_transfer(void *data)
{
	struct drained *drained = data;

	if (!drained->is_resting)
		return;
	drained->is_ended = true;
	loop_timer_close(&drained->transfer);
}

static void on_drain_stop(void *data)
{
	struct drained *drained = data;
	const struct loop_drain drain = {
		.most_ms = 60000, .is_apart = drained->is_apart, .on_rest = on_drain_rest};

	loop_timer_open(&drained->loop, &drained->flush, on_drain_flushed, drained);
	loop_timer_start(&drained->flush, 20, 0);
	loop_timer_background(&drained->transfer, true);
	loop_drain(&drained->loop, &drain);
}

static void run_drained(struct drained *drained)
{
	static const struct loop_callbacks draining = {NULL, on_drain_stop};

	assert_int_equal(loop_open(&drained->loop, &draining, drained), ERR_OK);
	loop_timer_open(&drained->loop, &drained->transfer, on_transfer, drained);
	loop_timer_start(&drained->transfer, 1, 1);
	loop_stop(&drained->loop);
	loop_run(&drained->loop);
	loop_close(&drained->loop);
}

static void test_drain(void **state)
{
	struct drained drained = {.is_ended = false};

	(void)state;
	run_drained(&drained);
	assert_true(drained.is_ended);
}

/* The process ends, with success, while its child still waits for the word to go on. */
static void drain_apart(int go_on, int gone_on)
{
	struct drained drained = {.is_apart = true};
	char word;

	run_drained(&drained);
	if (!drained.is_ended || read(go_on, &word, 1) != 1)
		_exit(EX_SOFTWARE);
	(void)!write(gone_on, &word, 1);
	_exit(EX_OK);
}

static void test_drain_apart(void **state)
{
	int go_on[2], gone_on[2], status;
	char word = 'x', answer = '\0';
	pid_t child;

	(void)state;
	assert_int_equal(pipe(go_on), 0);
	assert_int_equal(pipe(gone_on), 0);
	child = fork();
	if (child == 0)
		drain_apart(go_on[0], gone_on[1]);
	assert_true(child > 0);
	assert_int_equal(close(gone_on[1]), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_OK);
	assert_int_equal(write(go_on[1], &word, 1), 1);
	assert_int_equal(read(gone_on[0], &answer, 1), 1);
	assert_int_equal(answer, 'x');
}

static void work_slowly(uv_work_t *work)
{
	(void)work;
	usleep(100000);
}

static void on_worked(uv_work_t *work, int status)
{
	bool *is_done = work->data;

	(void)status;
	*is_done = true;
}

/* A file's disk may answer later than anybody has patience: the pool's thread needs its loop.
 */
static void test_close_waits_for_the_pool(void **state)
{
	bool is_done = false;
	uv_work_t work = {.data = &is_done};
	struct loop loop;

	(void)state;
	assert_int_equal(loop_open(&loop, NULL, NULL), ERR_OK);
	assert_int_equal(uv_queue_work(&loop.uv, &work, work_slowly, on_worked), 0);
	loop_close(&loop);
	assert_true(is_done);
}

static void work_for_ever(uv_work_t *work)
{
	(void)work;
	for (;;)
		(void)pause();
}

/* A dead disk: the end has a limit, and the process is what ends. */
static void test_close_gives_up(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		bool is_done = false;
		uv_work_t work = {.data = &is_done};
		struct loop loop;

		if (loop_open(&loop, NULL, NULL) != ERR_OK ||
		    uv_queue_work(&loop.uv, &work, work_for_ever, on_worked) != 0)
			_exit(EX_SOFTWARE);
		loop.pool_grace_ms = 50;
		loop_close(&loop);
		_exit(EX_OK);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_IOERR);
}

/* Without on_stop the caller closes its handles after loop_run(). */
static void test_close_afterwards(void **state)
{
	struct story story = {.ticks = 2};

	(void)state;
	assert_int_equal(loop_open(&story.loop, NULL, NULL), ERR_OK);
	loop_timer_open(&story.loop, &story.timer, on_tick, &story);
	loop_timer_start(&story.timer, 0, 1);
	loop_run(&story.loop);
	loop_timer_close(&story.timer);
	loop_close(&story.loop);
}

static bool is_awake(const struct story *story)
{
	return uv_is_active((const uv_handle_t *)&story->loop.awake);
}

/* Did it look at all? */
static bool looks_in_vain(struct story *story)
{
	bool has_looked;

	loop_stay_awake(&story->loop, 1);
	has_looked = is_awake(story);
	while (is_awake(story))
		(void)uv_run(&story->loop.uv, UV_RUN_NOWAIT);
	return has_looked;
}

static void test_staying_awake_has_to_pay(void **state)
{
	struct story story = {0};

	(void)state;
	assert_int_equal(loop_open(&story.loop, NULL, NULL), ERR_OK);
	/* nothing speaks for it: tried once in a while */
	for (int i = 1; i < LOOP_AWAKE_TRIAL; i++) {
		loop_stay_awake(&story.loop, 1000000000);
		assert_false(is_awake(&story));
	}
	loop_stay_awake(&story.loop, 1000000000);
	assert_true(is_awake(&story));
	(void)uv_run(&story.loop.uv, UV_RUN_NOWAIT);
	assert_true(is_awake(&story));
	/* the answer came in time: that buys some more */
	loop_stay_awake(&story.loop, 1);
	while (is_awake(&story))
		(void)uv_run(&story.loop.uv, UV_RUN_NOWAIT);
	for (int i = 1; i < LOOP_AWAKE_CREDIT; i++)
		assert_true(looks_in_vain(&story));
	assert_false(looks_in_vain(&story));
	loop_close(&story.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_and_timer),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_last_work),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_apart),
		cmocka_unit_test(test_close_waits_for_the_pool),
		cmocka_unit_test(test_close_gives_up),
		cmocka_unit_test(test_close_afterwards),
		cmocka_unit_test(test_staying_awake_has_to_pay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
