#include "menud/session.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdbool.h>
#include <string.h>

#include "core/hex.h"
#include "core/text.h"

#define HEAD_SIZE 5 /* octets: the end, the role */
#define MAC_SIZE 16

static const char *const roles[] = {
	[SESSION_ANONYMOUS] = "anonymous",
	[SESSION_VIEWER] = "viewer",
	[SESSION_OPERATOR] = "operator",
};

enum session_role session_role_named(const char *role)
{
	for (int i = SESSION_VIEWER; i <= SESSION_OPERATOR; i++) {
		if (strcmp(role, roles[i]) == 0)
			return (enum session_role)i;
	}
	return SESSION_ANONYMOUS;
}

const char *session_role_name(enum session_role role)
{
	return roles[role];
}

static void put_head(const struct session *session, uint8_t head[HEAD_SIZE])
{
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(session->ends_at >> (24 - 8 * i));
	head[4] = (uint8_t)session->role;
}

/* The name is last, so that nothing can move from one field to the next. */
static void sign(const uint8_t key[SESSION_KEY_SIZE], const struct session *session,
		 const struct ip *peer, uint8_t mac[MAC_SIZE])
{
	struct hmac_sha256_ctx hmac;
	uint8_t head[HEAD_SIZE];

	put_head(session, head);
	hmac_sha256_set_key(&hmac, SESSION_KEY_SIZE, key);
	hmac_sha256_update(&hmac, sizeof(head), head);
	hmac_sha256_update(&hmac, sizeof(peer->octet), peer->octet);
	hmac_sha256_update(&hmac, strlen(session->operator),
			   (const uint8_t *)session->operator);
	hmac_sha256_digest(&hmac, MAC_SIZE, mac);
}

enum err session_write(const struct session_keys *keys, const struct session *session,
		       const struct ip *peer, char word[SESSION_WORD_SIZE])
{
	struct text out = text_into(word, SESSION_WORD_SIZE);
	uint8_t head[HEAD_SIZE];
	uint8_t mac[MAC_SIZE];

	if (keys->count == 0)
		return ERR_ABSENT;
	put_head(session, head);
	sign(keys->key[keys->current], session, peer, mac);
	text_put_hex(&out, head, sizeof(head));
	text_put_hex(&out, mac, sizeof(mac));
	text_put_hex(&out, (const uint8_t *)session->operator, strlen(session->operator));
	return out.failed ? ERR_SPACE : ERR_OK;
}

/* Exactly `size` octets; false: there are not so many digits. */
static bool read_hex(const char **at, uint8_t *octets, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = hex_value((*at)[0]);
		int low = high >= 0 ? hex_value((*at)[1]) : -1;

		if (low < 0)
			return false;
		octets[i] = (uint8_t)(high << 4 | low);
		*at += 2;
	}
	return true;
}

static enum err read_word(const char *word, struct session *session, uint8_t mac[MAC_SIZE])
{
	size_t length = strlen(word);
	uint8_t head[HEAD_SIZE];
	size_t name_length;

	if (length >= SESSION_WORD_SIZE || length % 2 != 0 ||
	    !read_hex(&word, head, HEAD_SIZE) || !read_hex(&word, mac, MAC_SIZE))
		return ERR_FORMAT;
	name_length = strlen(word) / 2;
	if (name_length == 0 || name_length >= sizeof(session->operator) ||
	    !read_hex(&word, (uint8_t *)session->operator, name_length) ||
	    strlen(session->operator) != name_length)
		return ERR_FORMAT;
	for (int i = 0; i < 4; i++)
		session->ends_at = session->ends_at << 8 | head[i];
	if (head[4] != SESSION_VIEWER && head[4] != SESSION_OPERATOR)
		return ERR_FORMAT;
	session->role = (enum session_role)head[4];
	return ERR_OK;
}

enum err session_read(const struct session_keys *keys, const char *word, const struct ip *peer,
		      uint32_t now_seconds, struct session *ret)
{
	struct session session = {0};
	uint8_t mac[MAC_SIZE];
	bool is_ours = false;

	if (read_word(word, &session, mac) != ERR_OK)
		return ERR_FORMAT;
	for (size_t i = 0; i < keys->count; i++) {
		uint8_t right[MAC_SIZE];

		sign(keys->key[i], &session, peer, right);
		is_ours |= memeql_sec(mac, right, MAC_SIZE) != 0;
	}
	if (!is_ours)
		return ERR_REFUSED;
	if (session.ends_at <= now_seconds)
		return ERR_RANGE;
	*ret = session;
	return ERR_OK;
}
