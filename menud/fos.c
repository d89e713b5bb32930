#include "menud/fos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/file.h"

#define VALUE_MAX ((size_t)4096)
#define INVENTORY_MAX ((size_t)256 * 1024)
/* As JSON, where each quote of an inventory takes two octets. */
#define FIELDS_SIZE (2 * INVENTORY_MAX + (size_t)64 * 1024)
/* A manifest of the 1,024 parts that an image may have. */
#define LINES_SIZE ((size_t)256 * 1024)

struct call {
	struct menud *menud;
	struct http_request *http; /* NULL once it has been answered */
};

#define CALL(function)                                                                         \
	"select * from rouse_daemon." function "($1::jsonb, $2::inet) where " DB_GROUPED

static const struct {
	const char *verb;
	const char *sql;
} verbs[] = {
	{"checkin", CALL("fos_checkin")},   {"progress", CALL("fos_progress")},
	{"log", CALL("fos_log")},	    {"inventory", CALL("fos_inventory")},
	{"register", CALL("fos_register")}, {"finish", CALL("fos_finish")},
	{"manifest", CALL("fos_manifest")}, {"disk", CALL("fos_disk")},
	{"part", CALL("fos_part")},
};

/* Line breaks and other control bytes would forge a line: they become blanks. */
static void put_value(struct text *out, const char *value)
{
	for (; *value; value++) {
		bool is_control = (unsigned char)*value < 0x20 || *value == 0x7f;

		text_put_bytes(out, is_control ? " " : value, 1);
	}
}

static void send_lines(struct http_request *request, const struct db_rows *rows)
{
	static char lines[LINES_SIZE];
	struct text out = text_into(lines, sizeof(lines));

	for (size_t row = 0; row < rows_count(rows); row++) {
		for (size_t column = 0; column < rows_width(rows); column++) {
			const char *value = rows_at(rows, row, column);

			if (!value)
				continue;
			text_put(&out, rows_name(rows, column));
			text_put(&out, "=");
			put_value(&out, value);
			text_put(&out, "\n");
		}
	}
	if (out.failed)
		answer_line(request, 500, "the answer is too long");
	else
		http_answer_text(request, 200, "text/plain; charset=utf-8", out.start,
				 out.length, NULL);
}

static void on_answer(void *data, const struct db_answer *answer)
{
	struct call *call = data;

	if (call->http) {
		if (answer->outcome == DB_ERROR)
			answer_refused(call->http, answer);
		else if (answer->outcome != DB_OK || rows_count(answer->rows) == 0)
			answer_away(call->http, answer->message);
		else
			send_lines(call->http, answer->rows);
	}
	free(call);
}

static void on_abandon(void *data, struct http_request *request)
{
	struct call *call = http_get_data(request);

	(void)data;
	call->http = NULL; /* on_answer frees it */
}

/* ERR_FORMAT: *ret_bad names a field whose name or length is not allowed, or that is told
 * twice. */
static enum err put_fields(struct http_request *request, struct text *out, const char **ret_bad)
{
	static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	text_put(out, "{");
	for (size_t i = 0; i < http_field_count(request); i++) {
		const char *name = http_field_name(request, i);
		const char *value = http_field_value(request, i);
		size_t most = strcmp(name, "json") == 0 ? INVENTORY_MAX : VALUE_MAX;

		*ret_bad = name;
		if (http_field_is_repeated(request, i) || strlen(name) > 32 ||
		    name[strspn(name, name_bytes)] != '\0' || strlen(value) > most)
			return ERR_FORMAT;
		text_printf(out, "%s\"%s\":\"", i > 0 ? "," : "", name);
		text_put_json(out, value);
		text_put(out, "\"");
	}
	text_put(out, "}");
	return out->failed ? ERR_SPACE : ERR_OK;
}

static const char *sql_of(const char *verb)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i].verb) == 0)
			return verbs[i].sql;
	}
	return NULL;
}

static void refuse_field(struct http_request *request, enum err err, const char *name)
{
	char message[160];

	(void)snprintf(message, sizeof(message), "the field \"%.40s\" is %s", name,
		       err == ERR_SPACE ? "too long together with the others"
					: "not allowed, told twice, or too long");
	answer_line(request, err == ERR_SPACE ? 413 : 400, message);
}

void fos_answer(struct menud *menud, struct http_request *request, const char *verb)
{
	static char fields[FIELDS_SIZE];
	struct text out = text_into(fields, sizeof(fields));
	const char *sql = sql_of(verb);
	const char *bad = "";
	char address[IP_TEXT_SIZE];
	struct ip peer = http_peer(request);
	const char *params[2] = {fields, address};
	struct call *call;
	enum err err;

	if (!sql) {
		answer_line(request, 404,
			    "no such call; docs/reference/fos-protocol.md names them");
		return;
	}
	err = put_fields(request, &out, &bad);
	if (err != ERR_OK) {
		refuse_field(request, err, bad);
		return;
	}
	call = calloc(1, sizeof(*call));
	if (!call) {
		answer_later(request, "out of memory");
		return;
	}
	*call = (struct call){menud, request};
	ip_format(&peer, address);
	err = db_query_grouped(menud->work, sql, params, 2, MENUD_DATABASE_MS, on_answer, call);
	if (err != ERR_OK) {
		free(call);
		answer_away(request, "no connection");
		return;
	}
	http_set_data(request, call);
	http_park(request, MENUD_DATABASE_MS + 1000, on_abandon);
}

static void on_image(void *data, const struct db_answer *answer)
{
	struct call *call = data;

	if (call->http &&
	    answer_has_row(call->http, answer,
			   "this token has no running deploy of that image version")) {
		struct row row = rows_row(answer->rows, 0);
		struct file_wish wish = {.path = row_text(&row, "path"),
					 .etag = row_text(&row, "etag"),
					 .size_wanted = row_number(&row, "size")};

		file_answer_image(call->menud, call->http, &wish);
	}
	free(call);
}

static void on_script(void *data, const struct db_answer *answer)
{
	struct call *call = data;

	if (call->http && answer_has_row(call->http, answer,
					 "this token has no running script of that number")) {
		const char *script = rows_at(answer->rows, 0, 0);

		http_answer_text(call->http, 200, "text/plain; charset=utf-8", script,
				 strlen(script), NULL);
	}
	free(call);
}

/* "7" or "7/3": so many numbers of at most 18 digits. */
static bool are_numbers(const char *text, size_t count)
{
	for (;;) {
		size_t digits = strspn(text, "0123456789");

		if (digits == 0 || digits > 18)
			return false;
		text += digits;
		if (--count == 0 || *text != '/')
			break;
		text++;
	}
	return count == 0 && *text == '\0';
}

/* What a bearer token may read: $1 is the end of the path, $2 the token. */
static void answer_bearer(struct menud *menud, struct http_request *request, const char *rest,
			  const char *sql, db_on_answer *then)
{
	const char *authorization = http_get_header(request, "Authorization");
	struct ip peer = http_peer(request);
	char address[IP_TEXT_SIZE];
	const char *params[3] = {rest, NULL, address};
	struct call *call;

	if (!authorization || strncmp(authorization, "Bearer ", 7) != 0) {
		static const struct http_header headers[] = {{"WWW-Authenticate", "Bearer"},
							     {NULL, NULL}};
		static const char message[] = "this is given to a bearer token only\n";

		http_answer_text(request, 401, "text/plain", message, sizeof(message) - 1,
				 headers);
		return;
	}
	call = calloc(1, sizeof(*call));
	if (!call) {
		answer_later(request, "out of memory");
		return;
	}
	*call = (struct call){menud, request};
	params[1] = authorization + 7;
	ip_format(&peer, address);
	if (db_query(menud->work, sql, params, 3, MENUD_DATABASE_MS, then, call) != ERR_OK) {
		free(call);
		answer_away(request, "no connection");
		return;
	}
	http_set_data(request, call);
	http_park(request, MENUD_DATABASE_MS + 1000, on_abandon);
}

void fos_answer_image(struct menud *menud, struct http_request *request, const char *rest)
{
	if (!are_numbers(rest, 2))
		answer_line(request, 404, "a part of an image is VERSION/PART, two numbers");
	else
		answer_bearer(
			menud, request, rest,
			"select * from rouse_daemon.fos_image(split_part($1, '/', 1)::bigint, "
			"split_part($1, '/', 2)::bigint, $2, $3::inet)",
			on_image);
}

void fos_answer_script(struct menud *menud, struct http_request *request, const char *job)
{
	if (!are_numbers(job, 1))
		answer_line(request, 404, "the path ends with a number");
	else
		answer_bearer(menud, request, job,
			      "select * from rouse_daemon.fos_script($1::bigint, $2, $3::inet)",
			      on_script);
}
