#include "io/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

/* A pipe takes so much in one piece: lines of several processes do not mix (PIPE_BUF). */
#define LINE_SIZE 4096
#define FOREIGN_MAX 250 /* octets of a foreign text that a line shows */
#define FOREIGN_SLOTS 8
#define EVENT_MAX 64 /* octets of an event's name */

#define MAC_LENGTH 17 /* 52:54:00:00:00:01 */

static struct {
	char traced[LOG_TRACED_MAX][2][MAC_LENGTH + 1]; /* with colons, and with hyphens */
	size_t traced_count;
	const char *prefix; /* who speaks, when people read several daemons in one terminal */
	bool is_journal;
	enum log_level level;
	bool is_held;
	size_t held; /* octets in `lines` */
	char lines[LINE_SIZE];
} log_state = {.prefix = "", .level = LOG_LEVEL_INFO};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
/* syslog's numbers, which the journal takes from the start of a line */
static const char *const journal_priorities[] = {"<3>", "<4>", "<6>", "<7>"};

/* JOURNAL_STREAM is "device:inode" of the journal's socket (systemd.exec(5)). */
static bool is_stderr_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device;
	unsigned long long inode;
	struct stat status;

	if (!stream ||
	    sscanf(stream, "%llu:%llu", &device, &inode) != 2) // NOLINT(cert-err34-c)
		return false;
	return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(const char *program)
{
	log_state.is_journal = is_stderr_journal();
	log_state.prefix = isatty(STDERR_FILENO) ? program : "";
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

enum log_level log_level_now(void)
{
	return log_state.level;
}

enum err log_level_parse(const char *text, enum log_level *ret_level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return ERR_OK;
		}
	}
	return ERR_FORMAT;
}

void log_trace(const char *macs)
{
	log_state.traced_count = 0;
	while (*macs && log_state.traced_count < LOG_TRACED_MAX) {
		size_t length = strcspn(macs, " ");
		char(*forms)[MAC_LENGTH + 1] = log_state.traced[log_state.traced_count];

		if (length == MAC_LENGTH) {
			memcpy(forms[0], macs, MAC_LENGTH);
			memcpy(forms[1], macs, MAC_LENGTH);
			for (size_t i = 2; i < MAC_LENGTH; i += 3)
				forms[1][i] = '-';
			log_state.traced_count++;
		}
		macs += length;
		macs += strspn(macs, " ");
	}
}

bool log_is_tracing(void)
{
	return log_state.traced_count > 0;
}

static bool is_traced(const char *line)
{
	for (size_t i = 0; i < log_state.traced_count; i++)
		if (strstr(line, log_state.traced[i][0]) ||
		    strstr(line, log_state.traced[i][1]))
			return true;
	return false;
}

/* One event is one line, whatever a field holds. */
static void flatten(char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((uint8_t)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	}
}

static size_t put_fields(char *line, size_t length, const char *format, va_list arguments)
{
	int fields;

	line[length++] = ' ';
	fields = vsnprintf(line + length, LINE_SIZE - length, format, arguments);
	if (fields < 0)
		return length - 1;
	if ((size_t)fields >= LINE_SIZE - length) {
		memcpy(line + LINE_SIZE - 4, "...", 4);
		return LINE_SIZE - 1;
	}
	return length + (size_t)fields;
}

static size_t put_head(char *line, enum log_level level, const char *event)
{
	struct text out = text_into(line, LINE_SIZE);

	if (log_state.is_journal)
		text_put(&out, journal_priorities[level]);
	text_put(&out, log_state.prefix);
	if (*log_state.prefix)
		text_put(&out, ": ");
	text_put(&out, "level=");
	text_put(&out, level_names[level]);
	text_put(&out, " event=");
	text_put_bytes(&out, event, strnlen(event, EVENT_MAX));
	return out.length;
}

/* A lost stderr has no remedy here. */
static void write_out(const char *lines, size_t length)
{
	if (length > 0 && write(STDERR_FILENO, lines, length) < 0)
		return;
}

static void flush(void)
{
	write_out(log_state.lines, log_state.held);
	log_state.held = 0;
}

/* What is held leaves before this line does. */
static void put_line(enum log_level level, const char *line, size_t length)
{
	bool is_kept = log_state.is_held && level >= LOG_LEVEL_INFO;

	if (!is_kept || length > sizeof(log_state.lines) - log_state.held)
		flush();
	if (!is_kept) {
		write_out(line, length);
		return;
	}
	memcpy(log_state.lines + log_state.held, line, length);
	log_state.held += length;
}

void log_hold(void)
{
	log_state.is_held = true;
}

void log_release(void)
{
	log_state.is_held = false;
	flush();
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
	char line[LINE_SIZE];
	size_t length;
	va_list arguments;

	if (level > log_state.level && !log_is_tracing())
		return;
	length = put_head(line, level, event);
	if (format && *format) {
		va_start(arguments, format);
		length = put_fields(line, length, format, arguments);
		va_end(arguments);
	}
	line[length] = '\0';
	if (level > log_state.level && !is_traced(line))
		return;
	flatten(line, length);
	line[length++] = '\n';
	put_line(level, line, length);
}

const char *log_text(const char *text)
{
	static char slots[FOREIGN_SLOTS][FOREIGN_MAX * 4 + 16];
	static unsigned next;
	char *slot = slots[next++ % FOREIGN_SLOTS];
	char cut[FOREIGN_MAX + 4];
	struct text out = text_into(slot, sizeof(slots[0]));

	if (!text)
		text = "";
	if (strlen(text) > FOREIGN_MAX) {
		memcpy(cut, text, FOREIGN_MAX);
		memcpy(cut + FOREIGN_MAX, "...", 4);
		text = cut;
	}
	text_put_logfmt(&out, text);
	return slot;
}

bool log_repeat_due(struct log_repeat *state, unsigned long long now_ms, unsigned every_ms,
		    unsigned long *ret_left_out)
{
	/* last_ms is stored one higher, so that zeroed memory means "never" */
	if (state->last_ms != 0 && now_ms - (state->last_ms - 1) < every_ms) {
		state->left_out++;
		return false;
	}
	*ret_left_out = state->left_out;
	*state = (struct log_repeat){.last_ms = now_ms + 1};
	return true;
}
