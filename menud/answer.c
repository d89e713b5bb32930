#include "menud/answer.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"

static void send_line(struct http_request *request, unsigned status, const char *message,
		      const struct http_header *headers)
{
	char body[1024];
	struct text out = text_into(body, sizeof(body));

	text_printf(&out, "%.1000s\n", message);
	http_answer_text(request, status, "text/plain; charset=utf-8", body, out.length,
			 headers);
}

void answer_line(struct http_request *request, unsigned status, const char *message)
{
	send_line(request, status, message, NULL);
}

void answer_later(struct http_request *request, const char *message)
{
	static const struct http_header headers[] = {{"Retry-After", "5"}, {NULL, NULL}};

	send_line(request, 503, message, headers);
}

void answer_away(struct http_request *request, const char *reason)
{
	char message[256];

	(void)snprintf(message, sizeof(message), "the database is away: %.200s", reason);
	answer_later(request, message);
}

void answer_refused(struct http_request *request, const struct db_answer *answer)
{
	/* 22, 54: what the client sent is wrong, or nested too deep; those that pass: lost
	 * connection or race, out of resources, a lock held too long, a server that stops */
	static const char *const passing[] = {"08", "40", "53", "55", "57"};
	bool is_clients = strncmp(answer->sqlstate, "22", 2) == 0 ||
			  strncmp(answer->sqlstate, "54", 2) == 0;
	unsigned status = is_clients ? 400 : 500;
	char body[1024];
	struct text out = text_into(body, sizeof(body));

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		if (strncmp(answer->sqlstate, passing[i], 2) == 0) {
			answer_away(request, answer->message);
			return;
		}
	}
	if (status == 500)
		log_error("database_refused", "path=%s sqlstate=%s reason=%s hint=%s",
			  log_text(http_path(request)), answer->sqlstate,
			  log_text(answer->message), log_text(answer->hint));
	text_put(&out, answer->message);
	if (answer->hint[0] != '\0')
		text_printf(&out, " (%s)", answer->hint);
	answer_line(request, status, body);
}

bool answer_has_row(struct http_request *request, const struct db_answer *answer,
		    const char *absent)
{
	if (answer->outcome == DB_ERROR)
		answer_refused(request, answer);
	else if (answer->outcome != DB_OK)
		answer_away(request, answer->message);
	else if (rows_count(answer->rows) == 0)
		answer_line(request, 403, absent);
	else
		return true;
	return false;
}
