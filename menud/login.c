#include "menud/login.h"

#include <crypt.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/throttle.h"

#define DATABASE_MS 5000
#define KEYS_MS 600000	   /* keys are made an hour ahead */
#define KEYS_AGAIN_MS 5000 /* after a failure */
#define CHECKS_MAX 2	   /* in libuv's pool of four, which reads files too */
/* Nobody's hash, of the usual cost: what is made from it is longer. */
#define NOBODYS "$y$j9T$nobodysnobodysnobodys/"

struct login {
	struct loop *loop;
	struct db_conn *conn;
	struct loop_timer keys_timer;
	struct session_keys keys;
	uint64_t keys_at_ms;	 /* when they came, on the loop's clock */
	int64_t keys_at_seconds; /* the same on the database's */
	struct throttle by_address, by_name;
	unsigned checks;    /* in the pool, or on the way there */
	unsigned in_flight; /* call-backs still to come */
	bool is_asking, is_closed, is_timer_closed;
};

/* One try: asks the database, then the pool, then answers. Holds a password: freed by forget()
 * only. */
struct attempt {
	struct login *login;
	struct http_request *http; /* NULL: answered, or abandoned */
	struct ip peer;
	bool for_ipxe, is_known, is_right;
	enum session_role role;
	struct credentials given;
	char hash[CRYPT_OUTPUT_SIZE];
	struct crypt_data scratch;
	uv_work_t work;
};

static void release(struct login *login)
{
	if (login->is_timer_closed && login->in_flight == 0) {
		explicit_bzero(login, sizeof(*login));
		free(login);
	}
}

/* --- the keys --- */

static void ask_keys(void *data);

static void on_keys(void *data, const struct db_answer *answer)
{
	struct login *login = data;
	struct session_keys keys = {0};
	int64_t seconds = 0;
	bool is_good = answer->outcome == DB_OK;

	login->in_flight--;
	login->is_asking = false;
	for (size_t i = 0; is_good && i < rows_count(answer->rows) && i < SESSION_KEYS_MAX;
	     i++) {
		struct row row = rows_row(answer->rows, i);

		is_good = row_bytes(&row, "key", keys.key[i], SESSION_KEY_SIZE) ==
			  SESSION_KEY_SIZE;
		if (row_truth(&row, "is_current"))
			keys.current = i;
		seconds = row_number(&row, "seconds");
		is_good = is_good && !row.bad;
		keys.count++;
	}
	if (answer->outcome == DB_ERROR)
		log_error("session_keys_refused", "reason=%s remedy=%s",
			  log_text(answer->message),
			  log_text("run `rouse-db migrate` on this database"));
	if (is_good && keys.count > 0) {
		login->keys = keys;
		login->keys_at_ms = loop_now_ms(login->loop);
		login->keys_at_seconds = seconds;
	} else if (!login->is_closed) {
		loop_timer_start(&login->keys_timer, KEYS_AGAIN_MS, KEYS_MS);
	}
	explicit_bzero(&keys, sizeof(keys));
	release(login);
}

static void ask_keys(void *data)
{
	struct login *login = data;

	if (login->is_asking ||
	    db_query(login->conn, "select * from rouse_daemon.session_keys()", NULL, 0,
		     DATABASE_MS, on_keys, login) != ERR_OK)
		return; /* away: login_on_up() asks again */
	login->is_asking = true;
	login->in_flight++;
}

void login_on_up(struct login *login)
{
	ask_keys(login);
}

/* By the database's clock, as it goes on here. */
static uint32_t now_seconds(const struct login *login)
{
	uint64_t passed_ms = loop_now_ms(login->loop) - login->keys_at_ms;

	return (uint32_t)(login->keys_at_seconds + (int64_t)(passed_ms / 1000));
}

/* --- who asks --- */

static const char *word_of(const struct http_request *request)
{
	const char *header = http_get_header(request, "Authorization");
	const char *field = http_field(request, "session");

	if (header && strncasecmp(header, "Bearer ", 7) == 0)
		return header + 7;
	return field && field[0] != '\0' ? field : NULL;
}

bool login_has_session(const struct http_request *request)
{
	return word_of(request) != NULL;
}

struct session login_who(const struct login *login, const struct http_request *request)
{
	struct session session = {0};
	const char *word = word_of(request);
	struct ip peer = http_peer(request);

	if (!word ||
	    session_read(&login->keys, word, &peer, now_seconds(login), &session) != ERR_OK)
		session = (struct session){0};
	return session;
}

/* --- answers --- */

/* 401 is also what makes iPXE send name and password: it waits to be asked. */
static void answer_challenge(struct http_request *request, const char *message)
{
	static const struct http_header headers[] = {
		{"WWW-Authenticate", "Basic realm=\"rouse\", charset=\"UTF-8\""},
		{"Cache-Control", "no-store"},
		{NULL, NULL}};

	http_answer_text(request, 401, "text/plain; charset=utf-8", message, strlen(message),
			 headers);
}

static void answer_wait(struct http_request *request, uint64_t wait_ms)
{
	char seconds[24], message[160];
	struct text digits = text_into(seconds, sizeof(seconds));
	struct text out = text_into(message, sizeof(message));
	const struct http_header headers[] = {{"Retry-After", seconds}, {NULL, NULL}};

	text_printf(&digits, "%llu", (unsigned long long)(wait_ms / 1000 + 1));
	text_printf(&out, "too many attempts with this name or from this address: wait %s s\n",
		    seconds);
	http_answer_text(request, 429, "text/plain; charset=utf-8", message, out.length,
			 headers);
}

static void answer_session(struct attempt *attempt)
{
	static const struct http_header headers[] = {{"Cache-Control", "no-store"},
						     {NULL, NULL}};
	struct login *login = attempt->login;
	struct session session = {.role = attempt->role,
				  .ends_at = now_seconds(login) + SESSION_SECONDS};
	char word[SESSION_WORD_SIZE];
	char body[SESSION_WORD_SIZE + 6 * CREDENTIALS_NAME_SIZE + 128];
	struct text out = text_into(body, sizeof(body));

	memcpy(session.operator, attempt->given.name, sizeof(session.operator));
	if (session_write(&login->keys, &session, &attempt->peer, word) != ERR_OK) {
		answer_later(attempt->http, "the keys that sessions are signed with are not "
					    "there yet: ask again");
		return;
	}
	if (attempt->for_ipxe) {
		text_printf(&out, "#!ipxe\nset session %s\n", word);
	} else {
		text_printf(
			&out,
			"{\"session\":\"%s\",\"seconds\":%d,\"role\":\"%s\",\"operator\":\"",
			word, SESSION_SECONDS, session_role_name(session.role));
		text_put_json(&out, session.operator);
		text_put(&out, "\"}\n");
	}
	http_answer_text(attempt->http, 200,
			 attempt->for_ipxe ? "text/plain; charset=utf-8" : "application/json",
			 body, out.length, headers);
}

/* --- one try --- */

static void forget(struct attempt *attempt)
{
	struct login *login = attempt->login;

	login->checks--;
	login->in_flight--;
	explicit_bzero(attempt, sizeof(*attempt));
	free(attempt);
	release(login);
}

static void on_abandon(void *data, struct http_request *request)
{
	struct attempt *attempt = http_get_data(request);

	(void)data;
	attempt->http = NULL;
}

/* In a thread of the pool: touches this try only. */
static void check(uv_work_t *work)
{
	struct attempt *attempt = work->data;
	const char *hash = crypt_r(attempt->given.password, attempt->hash, &attempt->scratch);
	size_t length = strlen(attempt->hash);

	attempt->is_right = attempt->is_known && hash && strlen(hash) == length &&
			    memeql_sec(hash, attempt->hash, length) != 0;
}

/* A name that is not known may be a password typed into the wrong field: it is not written. */
static void log_outcome(const struct attempt *attempt)
{
	char address[IP_TEXT_SIZE];
	const char *name =
		attempt->is_known ? log_text(attempt->given.name) : "\"(not known)\"";

	ip_format(&attempt->peer, address);
	if (attempt->is_right)
		log_info("logged_in", "operator=%s role=%s address=%s", name,
			 session_role_name(attempt->role), address);
	else
		log_warning("login_refused", "operator=%s address=%s reason=%s", name, address,
			    log_text(attempt->is_known
					     ? "wrong password"
					     : "no operator of that name has a password"));
}

/* Whoever has one address of IPv6 has the other 2^64 of its network, too. */
static struct ip attacker_of(struct ip peer)
{
	if (!ip_is_v4(&peer))
		memset(peer.octet + 8, 0, 8);
	return peer;
}

static void on_checked(uv_work_t *work, int status)
{
	struct attempt *attempt = work->data;
	struct login *login = attempt->login;
	struct ip attacker = attacker_of(attempt->peer);

	if (status == 0)
		log_outcome(attempt);
	if (attempt->is_right) {
		throttle_give_back(&login->by_address, &attacker, sizeof(attacker));
		throttle_give_back(&login->by_name, attempt->given.name,
				   strlen(attempt->given.name));
	}
	if (attempt->http && status != 0)
		answer_later(attempt->http, "the daemon is stopping");
	else if (attempt->http && attempt->is_right)
		answer_session(attempt);
	else if (attempt->http)
		answer_challenge(attempt->http, "name or password is wrong\n");
	forget(attempt);
}

static void read_operator(struct attempt *attempt, const struct db_rows *rows)
{
	struct row row;
	struct text hash = text_into(attempt->hash, sizeof(attempt->hash));

	if (rows_count(rows) == 1) {
		row = rows_row(rows, 0);
		text_put(&hash, row_text(&row, "hash"));
		attempt->role = session_role_named(row_text(&row, "role"));
		attempt->is_known =
			!row.bad && !hash.failed && attempt->role != SESSION_ANONYMOUS;
	}
	if (!attempt->is_known) {
		hash = text_into(attempt->hash, sizeof(attempt->hash));
		text_put(&hash, NOBODYS);
	}
}

static void on_operator(void *data, const struct db_answer *answer)
{
	struct attempt *attempt = data;
	struct login *login = attempt->login;

	if (attempt->http && answer->outcome == DB_ERROR) {
		answer_refused(attempt->http, answer);
	} else if (attempt->http && answer->outcome != DB_OK) {
		answer_away(attempt->http, answer->message);
	} else if (attempt->http) {
		read_operator(attempt, answer->rows);
		attempt->work.data = attempt;
		if (uv_queue_work(&login->loop->uv, &attempt->work, check, on_checked) == 0)
			return;
		answer_later(attempt->http, "no thread to check the password");
	}
	forget(attempt);
}

static bool is_throttled(struct login *login, struct http_request *request,
			 const struct credentials *given)
{
	struct ip peer = attacker_of(http_peer(request));
	uint64_t now_ms = loop_now_ms(login->loop);
	uint64_t wait_ms = throttle_take(&login->by_address, &peer, sizeof(peer), now_ms);

	if (wait_ms == 0)
		wait_ms = throttle_take(&login->by_name, given->name, strlen(given->name),
					now_ms);
	if (wait_ms > 0)
		answer_wait(request, wait_ms);
	return wait_ms > 0;
}

static void begin(struct login *login, struct http_request *request, bool for_ipxe,
		  const struct credentials *given)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	const char *params[1] = {given->name};

	if (!attempt) {
		answer_later(request, "out of memory");
		return;
	}
	*attempt = (struct attempt){.login = login,
				    .http = request,
				    .peer = http_peer(request),
				    .for_ipxe = for_ipxe,
				    .given = *given};
	login->checks++;
	login->in_flight++;
	if (db_query(login->conn, "select * from rouse_daemon.operator_password($1)", params, 1,
		     DATABASE_MS, on_operator, attempt) != ERR_OK) {
		answer_away(request, "no connection");
		forget(attempt);
		return;
	}
	http_set_data(request, attempt);
	http_park(request, DATABASE_MS + 5000, on_abandon);
}

void login_answer(struct login *login, struct http_request *request, const char *rest)
{
	bool for_ipxe = strcmp(rest, "ipxe") == 0;
	struct credentials given;
	enum err err = credentials_parse(http_get_header(request, "Authorization"), &given);

	if (rest[0] != '\0' && !for_ipxe)
		answer_line(request, 404, "there is /login, and /login/ipxe");
	else if (err == ERR_ABSENT)
		answer_challenge(request,
				 "name and password are wanted, as Basic authorization\n");
	else if (err != ERR_OK)
		answer_challenge(request, "the Basic authorization cannot be read: it is "
					  "base64 of name:password\n");
	else if (login->checks >= CHECKS_MAX)
		answer_later(request, "other passwords are being checked: ask again");
	else if (!is_throttled(login, request, &given))
		begin(login, request, for_ipxe, &given);
	explicit_bzero(&given, sizeof(given));
}

/* --- its life --- */

enum err login_open(struct loop *loop, struct db_conn *conn, struct login **ret_login)
{
	struct login *login = calloc(1, sizeof(*login));
	uint64_t seeds[2];

	if (!login)
		return ERR_MEMORY;
	if (getrandom(seeds, sizeof(seeds), 0) != sizeof(seeds)) {
		free(login);
		return ERR_SYSTEM;
	}
	login->loop = loop;
	login->conn = conn;
	login->by_address = (struct throttle){.every_ms = 12000, .burst = 5, .seed = seeds[0]};
	login->by_name = (struct throttle){.every_ms = 6000, .burst = 10, .seed = seeds[1]};
	loop_timer_open(loop, &login->keys_timer, ask_keys, login);
	loop_timer_start(&login->keys_timer, KEYS_MS, KEYS_MS);
	*ret_login = login;
	return ERR_OK;
}

static void on_timer_closed(void *data)
{
	struct login *login = data;

	login->is_timer_closed = true;
	release(login);
}

void login_close(struct login *login)
{
	if (!login)
		return;
	login->is_closed = true;
	loop_timer_close_then(&login->keys_timer, on_timer_closed);
}
