/*
 * clienttext - a client's key as PostgreSQL's bytea and inside its array literals.
 *
 *	struct text out = text_into(buffer, sizeof(buffer));
 *	clienttext_put(&out, &client);
 */
#ifndef ROUSE_DHCPD_CLIENTTEXT_H
#define ROUSE_DHCPD_CLIENTTEXT_H

#include "core/text.h"
#include "dhcpd/lease.h"

/* Of one bytea parameter, with its NUL; and of one element of a bytea[] with quotes and comma.
 */
#define CLIENTTEXT_SIZE (2 * LEASE_CLIENT_MAX + 3)
#define CLIENTTEXT_ELEMENT (2 * LEASE_CLIENT_MAX + 8)

/* \x and two digits an octet. */
void clienttext_put(struct text *out, const struct lease_client *client);
/* The same as an element of an array literal, without a comma. */
void clienttext_put_element(struct text *out, const struct lease_client *client);

#endif
