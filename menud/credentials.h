/*
 * credentials - name and password of HTTP's Basic authorization (RFC 7617). Pure; fuzzed.
 *
 *	struct credentials given;
 *	if (credentials_parse(http_get_header(request, "Authorization"), &given) == ERR_OK)
 *		... given.name, given.password ...
 *	explicit_bzero(&given, sizeof(given));
 */
#ifndef ROUSE_MENUD_CREDENTIALS_H
#define ROUSE_MENUD_CREDENTIALS_H

#include "core/err.h"

/* 63 characters of at most four octets, as rouse.operators has them. */
#define CREDENTIALS_NAME_SIZE 256
/* crypt(3) takes 511 octets. */
#define CREDENTIALS_PASSWORD_SIZE 512

struct credentials {
	char name[CREDENTIALS_NAME_SIZE];
	char password[CREDENTIALS_PASSWORD_SIZE];
};

/*
 * `header` is the value of Authorization, or NULL. ERR_ABSENT: there is none, or of another
 * scheme. ERR_FORMAT: no base64, a NUL byte, no colon, or no name. ERR_SPACE: name or password
 * are longer than any may be. Outside of ERR_OK nothing of it is left in *ret.
 */
MUST_CHECK enum err credentials_parse(const char *header, struct credentials *ret);

#endif
