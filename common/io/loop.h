/*
 * loop - one process, one event loop: start, signals, orderly stop, watchdog.
 *
 *	struct loop loop;
 *	loop_open(&loop, &callbacks, daemon);
 *	... open sockets on loop.uv ...
 *	loop_run(&loop);		returns after SIGTERM, SIGINT or loop_stop()
 *	... close what was opened ...
 *	loop_close(&loop);
 *
 * SIGPIPE is ignored. Under systemd, WATCHDOG=1 is sent from the loop at half the watchdog's
 * time, so a loop that hangs is seen.
 *
 * What a stop must not break off, such as transfers to clients, is drained: see loop_drain().
 */
#ifndef ROUSE_IO_LOOP_H
#define ROUSE_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/err.h"

#define LOOP_AWAKE_CREDIT 4
#define LOOP_AWAKE_TRIAL 64 /* without credit, one in so many is taken all the same */

struct loop_callbacks {
	void (*on_reload)(void *data); /* SIGHUP; may be NULL */
	void (*on_stop)(void *data);   /* once, before loop_run returns: close handles here; may
					  be NULL */
};

/* What loop_drain() is told. */
struct loop_drain {
	uint64_t most_ms; /* that it takes */
	bool is_apart;	  /* in a child: the process itself ends before */
	void (*on_rest)(void *data);
};

struct loop {
	uv_loop_t uv;
	struct loop_callbacks callbacks;
	void *data;
	uv_signal_t terminate, interrupt, reload;
	uv_timer_t watchdog;
	uv_idle_t awake;
	struct loop_drain drain; /* on_rest is NULL: there is nothing to be drained */
	uint64_t awake_until_ns;
	unsigned awake_credit, awake_refused;
	unsigned pool_grace_ms; /* set by loop_open(); tests have less patience */
	int stop_signal;	/* 0 when loop_stop() was called */
};

/* ERR_SYSTEM when libuv cannot start. */
MUST_CHECK enum err loop_open(struct loop *loop, const struct loop_callbacks *callbacks,
			      void *data);
/*
 * Runs until a signal or loop_stop() and calls on_stop, which closes what is open or begins
 * what must still be finished (a last batch); then goes on until no handle is alive. What is
 * alive after 10 s is named in the log and left. Without on_stop it returns at once.
 */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/*
 * Called from on_stop. What is to be drained holds up nothing meanwhile: it pauses
 * (udp_pause()) or goes on in the background (loop_timer_background()). When all else is
 * finished on_rest(data) is called, which lets it go on and sees to it that it is closed
 * `most_ms` later.
 *
 * `is_apart`: that is done by a child of this process, with everything that it had open, and
 * the process ends. So whoever waits for its end starts the next one at once, which takes the
 * new work while the old is drained; he must let the child live (systemd's KillMode=process).
 * Where the rest could not be finished, or no child can be had, it is done in place.
 */
void loop_drain(struct loop *loop, const struct loop_drain *drain);
/*
 * All handles must be closed by now; asserts it. Waits for work that libuv's pool is at; where
 * that does not end within 12 s more it says so and ends the process with EX_IOERR.
 */
void loop_close(struct loop *loop);
/* Milliseconds on the loop's monotonic clock, as of this turn. */
uint64_t loop_now_ms(const struct loop *loop);

/*
 * An answer is expected soon: looks for events without sleeping for so many microseconds.
 * Waking up costs a processor more than looking on for a moment, where the answer comes as fast
 * as from another machine on the same host. Where it does not, that shows, and hardly any such
 * look is taken any more: an answer that came in time buys LOOP_AWAKE_CREDIT further ones.
 */
void loop_stay_awake(struct loop *loop, unsigned microseconds);

/*
 * Calls work(data) in a thread of libuv's pool, and then on_done(data) in the loop's. Where
 * that cannot be had both are called at once. `data` is left alone meanwhile, but for what its
 * owner keeps apart for both.
 */
void loop_work(struct loop *loop, void (*work)(void *data), void (*on_done)(void *data),
	       void *data);

/* A repeating or one-shot timer with a plain callback. Zeroed memory is a timer not yet opened.
 */
struct loop_timer {
	uv_timer_t uv;
	void (*on_time)(void *data);
	void (*on_closed)(void *data);
	void *data;
	bool is_open;
};

void loop_timer_open(struct loop *loop, struct loop_timer *timer, void (*on_time)(void *data),
		     void *data);
/* (Re)starts it; repeat_ms 0 is once. */
void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
/* Does it not keep the loop alive? See loop_drain(). */
void loop_timer_background(struct loop_timer *timer, bool is_background);
/* Will it call on_time(), when nobody stops it? */
bool loop_timer_is_running(const struct loop_timer *timer);
/* Closes it; its memory must live until the loop's next turn. Does nothing when it is not open.
 */
void loop_timer_close(struct loop_timer *timer);
/* Closes an open one, then calls on_closed(data): the place to free what the timer is part of.
 */
void loop_timer_close_then(struct loop_timer *timer, void (*on_closed)(void *data));

#endif
