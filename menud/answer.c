#include "menud/answer.h"

#include <string.h>

#include "core/text.h"
#include "io/log.h"

void answer_line(struct http_request *request, unsigned status, const char *message)
{
	char body[1024];
	struct text out = text_into(body, sizeof(body));

	text_put(&out, message);
	text_put(&out, "\n");
	http_answer_text(request, status, "text/plain; charset=utf-8", body, out.length, NULL);
}

void answer_away(struct http_request *request, const char *reason)
{
	static const struct http_header headers[] = {{"Retry-After", "5"}, {NULL, NULL}};
	char body[256];
	struct text out = text_into(body, sizeof(body));

	text_printf(&out, "the database is away: %.200s\n", reason);
	http_answer_text(request, 503, "text/plain; charset=utf-8", body, out.length, headers);
}

void answer_refused(struct http_request *request, const struct db_answer *answer)
{
	/* 22: what the client sent is wrong; 08, 53, 57: the server is not able to at the
	 * moment */
	static const char *const passing[] = {"08", "40", "53", "55", "57"};
	unsigned status = strncmp(answer->sqlstate, "22", 2) == 0 ? 400 : 500;
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
	text_put(&out, "\n");
	http_answer_text(request, status, "text/plain; charset=utf-8", body, out.length, NULL);
}
