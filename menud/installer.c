#include "menud/installer.h"

#include <stdlib.h>
#include <string.h>

#include "db/rows.h"
#include "menud/answer.h"
#include "menud/base_url.h"

#define TICKET_LENGTH 32

struct call {
	struct http_request *http; /* NULL once it has been answered */
};

static void send_body(struct http_request *request, const char *body)
{
	static const struct http_header headers[] = {{"Cache-Control", "no-store"},
						     {NULL, NULL}};

	http_answer_text(request, 200, "text/plain; charset=utf-8", body, strlen(body),
			 headers);
}

static void on_body(void *data, const struct db_answer *answer)
{
	struct call *call = data;

	if (call->http &&
	    answer_has_row(call->http, answer,
			   "this ticket is not, or no longer, an installer's: boot again")) {
		struct row row = rows_row(answer->rows, 0);

		send_body(call->http, row_text(&row, "body"));
	}
	free(call);
}

static void on_abandon(void *data, struct http_request *request)
{
	struct call *call = http_get_data(request);

	(void)data;
	call->http = NULL; /* on_body frees it */
}

/* A HEAD must not claim a job: an installer that looks first is told that there is something.
 */
static bool is_head(const struct http_request *request)
{
	return strcmp(http_method(request), "HEAD") == 0;
}

static void ask(struct menud *menud, struct http_request *request, const char *ticket,
		bool is_done)
{
	struct ip peer = http_peer(request);
	char address[IP_TEXT_SIZE], url[BASE_URL_SIZE];
	const char *params[3] = {ticket, url, address};
	struct call *call = malloc(sizeof(*call));
	enum err err;

	if (!call) {
		answer_later(request, "out of memory");
		return;
	}
	call->http = request;
	base_url_of_client(menud, request, url);
	ip_format(&peer, address);
	if (is_done) {
		params[1] = address;
		err = db_query(menud->work,
			       "select * from rouse_daemon.install_done($1, $2::inet)", params,
			       2, MENUD_DATABASE_MS, on_body, call);
	} else {
		err = db_query(menud->work,
			       "select * from rouse_daemon.install_answers($1, $2, $3::inet)",
			       params, 3, MENUD_DATABASE_MS, on_body, call);
	}
	if (err != ERR_OK) {
		free(call);
		answer_away(request, "no connection");
		return;
	}
	http_set_data(request, call);
	http_park(request, MENUD_DATABASE_MS + 1000, on_abandon);
}

void installer_answer(struct menud *menud, struct http_request *request, const char *rest)
{
	size_t length = strspn(rest, "0123456789abcdef");
	bool is_done = strcmp(rest + length, "/done") == 0;
	char ticket[TICKET_LENGTH + 1];

	if (length != TICKET_LENGTH || (!is_done && rest[length] != '\0')) {
		answer_line(request, 404,
			    "the path is /answers/TICKET or /answers/TICKET/done");
	} else if (is_head(request)) {
		send_body(request, "");
	} else {
		memcpy(ticket, rest, TICKET_LENGTH);
		ticket[TICKET_LENGTH] = '\0';
		ask(menud, request, ticket, is_done);
	}
}
