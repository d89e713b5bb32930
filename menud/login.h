/*
 * login - operators of menud: name and password once, a session from then on.
 *
 * /login takes Basic authorization (RFC 7617), asks the database for the operator's hash, and
 * checks it by crypt(3) in libuv's pool, two at a time. The answer is a session
 * (menud/session.h) in JSON, or at /login/ipxe as a script that sets ${session}. Whoever tries
 * too often is answered 429, by address and by name. A name that is not known takes as long as
 * one that is.
 *
 *	struct session who = login_who(menud->login, request);
 *	if (who.role >= SESSION_OPERATOR)
 *		... show the entry ...
 *
 * A session comes back as the field `session` or as a bearer token. What an operator may do is
 * judged by the database at each call, not here.
 */
#ifndef ROUSE_MENUD_LOGIN_H
#define ROUSE_MENUD_LOGIN_H

#include <stdbool.h>

#include "db/conn.h"
#include "io/http.h"
#include "io/loop.h"
#include "menud/session.h"

struct login;

MUST_CHECK enum err login_open(struct loop *loop, struct db_conn *conn,
			       struct login **ret_login);
/* Call from the connection's on_up: fetches the keys that sessions are signed with. */
void login_on_up(struct login *login);
/* Accepts NULL. Before db_close(), behind http_close(). */
void login_close(struct login *login);

/* GET, POST /login ("" as `rest`) and /login/ipxe ("ipxe"). */
void login_answer(struct login *login, struct http_request *request, const char *rest);
/* Who asks. Without a session, or with one that is over or forged: SESSION_ANONYMOUS. */
struct session login_who(const struct login *login, const struct http_request *request);
/* Does the request bring a session along, valid or not? */
bool login_has_session(const struct http_request *request);

#endif
