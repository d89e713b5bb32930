#include "db/hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/rows.h"
#include "db/waker.h"
#include "io/log.h"
#include "io/notify.h"

#define HELLO_MS 10000
#define TICK_MS 5000
#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

struct hello {
	struct db_conn *conn;
	struct hello_options options;
	struct loop_timer hello_timer;
	struct loop_timer tick_timer;
	struct waker *waker;
	char instance[96];
	bool is_refused;
	unsigned in_flight; /* answers still to come */
	unsigned open_timers;
	bool is_closed;
};

static void release(struct hello *hello)
{
	if (hello->is_closed && hello->in_flight == 0 && hello->open_timers == 0)
		free(hello);
}

static void on_hello(void *data, const struct db_answer *answer)
{
	struct hello *hello = data;
	bool was_refused = hello->is_refused;

	hello->in_flight--;
	if (answer->outcome == DB_OK && rows_count(answer->rows) == 1 && !hello->is_closed) {
		struct row row = rows_row(answer->rows, 0);

		hello->is_refused = !row_truth(&row, "accepted");
		if (hello->is_refused && !was_refused)
			log_error("schema_mismatch", "wanted=%d found=%lld remedy=%s",
				  HELLO_SCHEMA_WANTED,
				  (long long)row_number(&row, "schema_version"),
				  log_text(row_text(&row, "hint")));
		if (was_refused && !hello->is_refused)
			log_info("schema_accepted", "wanted=%d found=%lld", HELLO_SCHEMA_WANTED,
				 (long long)row_number(&row, "schema_version"));
	} else if (answer->outcome == DB_ERROR) {
		log_error("hello_refused", "reason=%s remedy=%s", log_text(answer->message),
			  log_text(answer->hint[0]
					   ? answer->hint
					   : "run `rouse-db migrate` on this database"));
	}
	release(hello);
}

void hello_now(struct hello *hello)
{
	const struct hello_options *options = &hello->options;
	const char *params[6] = {options->daemon,
				 hello->instance,
				 options->version,
				 TEXT(HELLO_SCHEMA_WANTED),
				 options->status ? options->status(options->data) : "",
				 options->problem ? options->problem(options->data) : NULL};

	notify_status("%s", params[4]);
	if (db_query(hello->conn,
		     "select * from rouse_daemon.hello($1, $2, $3, $4::int, $5, $6)", params, 6,
		     10000, on_hello, hello) == ERR_OK)
		hello->in_flight++;
}

static void on_hello_time(void *data)
{
	hello_now(data);
}

static void on_tick(void *data, const struct db_answer *answer)
{
	struct hello *hello = data;

	hello->in_flight--;
	if (answer->outcome == DB_ERROR)
		log_error("tick_refused", "reason=%s", log_text(answer->message));
	release(hello);
}

static void on_tick_time(void *data)
{
	struct hello *hello = data;

	if (db_query(hello->conn, "select * from rouse_daemon.tick()", NULL, 0, 10000, on_tick,
		     hello) == ERR_OK)
		hello->in_flight++;
}

enum err hello_open(struct loop *loop, struct db_conn *conn,
		    const struct hello_options *options, struct hello **ret_hello)
{
	struct hello *hello = calloc(1, sizeof(*hello));

	if (!hello)
		return ERR_MEMORY;
	hello->conn = conn;
	hello->options = *options;
	(void)snprintf(hello->instance, sizeof(hello->instance), "%s", options->instance);
	if (waker_open(loop, conn, hello->instance, &hello->waker) != ERR_OK) {
		free(hello);
		return ERR_MEMORY;
	}
	loop_timer_open(loop, &hello->hello_timer, on_hello_time, hello);
	loop_timer_start(&hello->hello_timer, HELLO_MS, HELLO_MS);
	loop_timer_open(loop, &hello->tick_timer, on_tick_time, hello);
	loop_timer_start(&hello->tick_timer, TICK_MS, TICK_MS);
	hello->open_timers = 2;
	*ret_hello = hello;
	return ERR_OK;
}

bool hello_is_accepted(const struct hello *hello)
{
	return !hello->is_refused;
}

static void on_timer_closed(void *data)
{
	struct hello *hello = data;

	hello->open_timers--;
	release(hello);
}

void hello_close(struct hello *hello)
{
	if (!hello)
		return;
	hello->is_closed = true;
	waker_close(hello->waker);
	loop_timer_close_then(&hello->hello_timer, on_timer_closed);
	loop_timer_close_then(&hello->tick_timer, on_timer_closed);
}

void hello_instance(char *buffer, size_t size)
{
	char host[65] = "";

	if (gethostname(host, sizeof(host) - 1) != 0)
		(void)snprintf(host, sizeof(host), "localhost");
	(void)snprintf(buffer, size, "%s/%ld", host, (long)getpid());
}
