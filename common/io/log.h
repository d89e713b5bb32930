/*
 * log - one line an event: a stable name, then key=value fields (logfmt).
 *
 *	log_info("lease_acked", "mac=%s address=%s xid=%08x", mac, address, xid);
 *
 * prints `level=info event=lease_acked mac=.. address=.. xid=..` on stderr: with systemd's
 * `<6>` before it when stderr is the journal, and with the program's name when it is a
 * terminal. A field that came from outside is first made safe by log_text(). Never a secret,
 * never a whole configuration.
 */
#ifndef ROUSE_IO_LOG_H
#define ROUSE_IO_LOG_H

#include <stdbool.h>

#include "core/err.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Opens the log for a program; call once, before anything else. */
void log_open(const char *program);
void log_set_level(enum log_level level);
MUST_CHECK enum err log_level_parse(const char *text, enum log_level *ret_level);
enum log_level log_level_now(void);

/*
 * Writes the messages of these network cards at every level: `macs` is up to LOG_TRACED_MAX of
 * them as 52:54:00:00:00:01, joined by blanks; "" ends it. What is no MAC is passed over.
 */
#define LOG_TRACED_MAX 16
void log_trace(const char *macs);
bool log_is_tracing(void);

void log_write(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                         \
	do {                                                                                   \
		if (log_level_now() >= LOG_LEVEL_DEBUG || log_is_tracing())                    \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                               \
	} while (0)

/*
 * Between these two, lines of level info and debug are gathered and leave together, as many as
 * fit into one write: for a turn of the loop that answers many. Errors and warnings leave at
 * once, behind what was gathered. Not nested.
 */
void log_hold(void);
void log_release(void);

/* Foreign text made safe as one logfmt value; the result lives until eight more calls. */
const char *log_text(const char *text);

/*
 * A message that may repeat without end (a full pool, a lost database): writes at most once per
 * `every_ms` and then says how many were left out. `state` is zeroed and belongs to the caller.
 */
struct log_repeat {
	unsigned long long last_ms;
	unsigned long left_out;
};
bool log_repeat_due(struct log_repeat *state, unsigned long long now_ms, unsigned every_ms,
		    unsigned long *ret_left_out);

#endif
