/*
 * listen - menud's two ports: plain HTTP, and TLS beside it where a certificate is configured.
 * Both answer the same, and neither sends a client to the other: firmware follows no redirect.
 */
#ifndef ROUSE_MENUD_LISTEN_H
#define ROUSE_MENUD_LISTEN_H

#include "menud/menud.h"

/* Judges the keys about it without opening anything; a message names key, reason, remedy. */
MUST_CHECK enum err listen_check(const struct menud_settings *settings);
/* Opens menud->http, and menud->https or leaves it NULL; `options` are what both share. Errors
 * with their message written. */
MUST_CHECK enum err listen_open(struct menud *menud, const struct http_options *options);
/* Reads the certificate's files again: what is new in them is shown to whoever connects from
 * now on. Where they cannot be used, a message says so, and the certificate of before stays. */
void listen_renew(struct menud *menud);
void listen_close(struct menud *menud);

#endif
