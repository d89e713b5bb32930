#include "menud/api.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/login.h"

#define ARGUMENTS_SIZE ((size_t)64 * 1024)
#define NAME_MAX_LENGTH 63
#define ROWS_DEFAULT "1000"

struct api_call {
	struct http_request *http; /* NULL: abandoned */
	bool is_act;
	char operator[CREDENTIALS_NAME_SIZE];
	char name[NAME_MAX_LENGTH + 1];
};

/* {"error":...,"hint":...}, in words for people. */
static void answer_error(struct http_request *request, unsigned status, const char *message,
			 const char *hint)
{
	static const struct http_header wanted[] = {
		{"WWW-Authenticate", "Bearer realm=\"rouse\""}, {NULL, NULL}};
	static const struct http_header later[] = {{"Retry-After", "5"}, {NULL, NULL}};
	char body[4096];
	struct text out = text_into(body, sizeof(body));

	text_put(&out, "{\"error\":\"");
	text_put_json(&out, message);
	if (hint && hint[0] != '\0') {
		text_put(&out, "\",\"hint\":\"");
		text_put_json(&out, hint);
	}
	text_put(&out, "\"}\n");
	if (out.failed) {
		out = text_into(body, sizeof(body));
		text_put(&out, "{\"error\":\"refused, with too many words\"}\n");
	}
	http_answer_text(request, status, "application/json", body, out.length,
			 status == 401	 ? wanted
			 : status == 503 ? later
					 : NULL);
}

/* What the database's refusal means in HTTP. */
static unsigned status_of(const char *sqlstate)
{
	static const struct {
		const char *sqlstate; /* a class, or one of it before its class */
		unsigned status;
	} meanings[] = {
		{"42501", 403}, {"42883", 404}, {"42P01", 404}, {"42703", 400}, {"42704", 404},
		{"55000", 409}, {"22", 400},	{"23", 409},	{"P0", 409},	{"42", 400},
		{"54", 400}, /* nested too deep, or too long */
		{"08", 503},	{"40", 503},	{"53", 503},	{"55", 503},	{"57", 503},
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0)
			return meanings[i].status;
	}
	return 500;
}

static void send_rows(struct http_request *request, const struct db_rows *rows)
{
	const char *json = rows_count(rows) == 1 ? rows_at(rows, 0, 0) : NULL;

	if (json)
		http_answer_text(request, 200, "application/json", json, strlen(json), NULL);
	else
		answer_error(request, 500, "the database gave no answer", NULL);
}

static void on_answer(void *data, const struct db_answer *answer)
{
	struct api_call *call = data;
	unsigned status = answer->outcome == DB_OK	? 200
			  : answer->outcome == DB_ERROR ? status_of(answer->sqlstate)
							: 503;

	if (call->is_act)
		log_info("acted", "operator=%s verb=%s status=%u", log_text(call->operator),
			 call->name, status);
	if (status == 500)
		log_error("database_refused", "name=%s sqlstate=%s reason=%s", call->name,
			  answer->sqlstate, log_text(answer->message));
	if (call->http && answer->outcome == DB_OK)
		send_rows(call->http, answer->rows);
	else if (call->http)
		answer_error(call->http, status, answer->message, answer->hint);
	free(call);
}

static void on_abandon(void *data, struct http_request *request)
{
	struct api_call *call = http_get_data(request);

	(void)data;
	call->http = NULL;
}

/* A verb is called; else a view is read, of which HEAD wants to know only how long it is. */
static bool is_post(const struct http_request *request)
{
	return strcmp(http_method(request), "POST") == 0;
}

/* The fields as a JSON object of texts, but for those that are not meant for the database.
 * ERR_FORMAT: *ret_bad is told twice. */
static enum err put_arguments(const struct http_request *request, struct text *out,
			      const char **ret_bad)
{
	text_put(out, "{");
	for (size_t i = 0; i < http_field_count(request); i++) {
		const char *name = http_field_name(request, i);

		*ret_bad = name;
		if (http_field_is_repeated(request, i))
			return ERR_FORMAT;
		if (strcmp(name, "session") == 0 ||
		    (strcmp(name, "limit") == 0 && !is_post(request)))
			continue;
		text_put(out, out->length > 1 ? ",\"" : "\"");
		text_put_json(out, name);
		text_put(out, "\":\"");
		text_put_json(out, http_field_value(request, i));
		text_put(out, "\"");
	}
	text_put(out, "}");
	return out->failed ? ERR_SPACE : ERR_OK;
}

static bool is_name(const char *name)
{
	return name[0] != '\0' && strlen(name) <= NAME_MAX_LENGTH &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* The number of rows wanted, as text, or NULL when it is none. */
static const char *limit_of(const struct http_request *request)
{
	const char *limit = http_field(request, "limit");

	if (!limit)
		return ROWS_DEFAULT;
	return limit[0] != '\0' && strlen(limit) <= 9 &&
			       limit[strspn(limit, "0123456789")] == '\0'
		       ? limit
		       : NULL;
}

struct question {
	const char *sql;
	const char *params[4];
	int param_count;
};

/* `about` says for whom; a copy of it waits for the answer. */
static void ask(struct menud *menud, struct http_request *request, const struct api_call *about,
		const struct question *question)
{
	struct api_call *call = malloc(sizeof(*call));

	if (!call) {
		answer_error(request, 503, "out of memory", NULL);
		return;
	}
	*call = *about;
	call->http = request;
	if (db_query(menud->work, question->sql, question->params, question->param_count,
		     MENUD_DATABASE_MS, on_answer, call) != ERR_OK) {
		free(call);
		answer_error(request, 503, "the database is away: no connection", NULL);
		return;
	}
	http_set_data(request, call);
	http_park(request, MENUD_DATABASE_MS + 1000, on_abandon);
}

static void describe(struct menud *menud, struct http_request *request)
{
	static const struct question question = {.sql = "select rouse_daemon.openapi()"};
	static const struct api_call call = {.name = "openapi.json"};

	ask(menud, request, &call, &question);
}

static void act_or_read(struct menud *menud, struct http_request *request, const char *name,
			const struct session *who)
{
	static char arguments[ARGUMENTS_SIZE];
	struct text out = text_into(arguments, sizeof(arguments));
	const char *limit = limit_of(request);
	const char *bad;
	enum err err;
	struct api_call call = {.is_act = is_post(request)};
	struct question question = {
		.sql = call.is_act ? "select rouse_daemon.act($1, $2, $3::jsonb)"
				   : "select rouse_daemon.read($1, $2, $3::jsonb, $4::int)",
		.params = {who->operator, name, arguments, limit},
		.param_count = call.is_act ? 3 : 4,
	};

	if (!is_name(name)) {
		answer_error(request, 404, "there is no such view or verb",
			     "GET /api/v1/openapi.json has all of them.");
	} else if (!call.is_act && !limit) {
		answer_error(request, 400, "limit is no number of at most 9 digits", NULL);
	} else if ((err = put_arguments(request, &out, &bad)) == ERR_FORMAT) {
		answer_error(request, 400, "a field is told twice", bad);
	} else if (err != ERR_OK) {
		answer_error(request, 413, "the fields are too long", NULL);
	} else {
		memcpy(call.operator, who->operator, sizeof(call.operator));
		memcpy(call.name, name, strlen(name) + 1);
		ask(menud, request, &call, &question);
	}
}

void api_answer(struct menud *menud, struct http_request *request, const char *name)
{
	struct session who = login_who(menud->login, request);

	if (strcmp(name, "openapi.json") == 0 && !is_post(request))
		describe(menud, request);
	else if (who.role != SESSION_ANONYMOUS)
		act_or_read(menud, request, name, &who);
	else
		answer_error(
			request, 401,
			login_has_session(request)
				? "this session is over, or is not one of yours"
				: "this is for operators",
			"Log in by /login, with name and password as Basic authorization.");
}
