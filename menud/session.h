/*
 * session - who has logged in: a signed word that the client brings along, so that any menud
 * knows its operator and none has to remember one.
 *
 *	session_write(&keys, &session, peer, word);
 *	... later, and maybe elsewhere: ...
 *	if (session_read(&keys, word, peer, now, &session) == ERR_OK)
 *		... session.operator, session.role ...
 *
 * The word is hexadecimal: end (seconds of the epoch, 8 digits), role (2), HMAC-SHA256 cut to
 * 128 bits (32), name. It holds for the address that logged in, and ends by itself. The keys
 * are the database's, one for each hour. It says who asks, not what they may: that the database
 * judges at each call (rouse_daemon.act, read). No I/O, no clock.
 */
#ifndef ROUSE_MENUD_SESSION_H
#define ROUSE_MENUD_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "menud/credentials.h"

#define SESSION_SECONDS 900
#define SESSION_KEY_SIZE 32
#define SESSION_KEYS_MAX 4
#define SESSION_WORD_SIZE (8 + 2 + 32 + 2 * CREDENTIALS_NAME_SIZE)

/* Each includes what the one before it may. */
enum session_role {
	SESSION_ANONYMOUS, /* nobody has logged in; operator is "" */
	SESSION_VIEWER,	   /* reads */
	SESSION_OPERATOR,  /* reads, and gives jobs */
};

struct session {
	enum session_role role;
	char operator[CREDENTIALS_NAME_SIZE];
	uint32_t ends_at; /* seconds of the epoch, by the database's clock */
};

struct session_keys {
	uint8_t key[SESSION_KEYS_MAX][SESSION_KEY_SIZE];
	size_t count;
	size_t current; /* the one to sign with */
};

/* "viewer" or "operator"; anything else is anonymous. */
enum session_role session_role_named(const char *role);
const char *session_role_name(enum session_role role);
/* ERR_ABSENT: there is no key. */
MUST_CHECK enum err session_write(const struct session_keys *keys,
				  const struct session *session, const struct ip *peer,
				  char word[SESSION_WORD_SIZE]);
/* ERR_FORMAT: not such a word. ERR_REFUSED: signed by no key of ours, for another address, or
 * changed. ERR_RANGE: it has ended. */
MUST_CHECK enum err session_read(const struct session_keys *keys, const char *word,
				 const struct ip *peer, uint32_t now_seconds,
				 struct session *ret);

#endif
