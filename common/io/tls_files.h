/*
 * tls_files - a server's certificate and its key, read once at the start, before the daemon
 * gives up the user that may read them.
 *
 * A name with a "/" is a path; without one it is a credential that systemd has laid down for
 * the unit (LoadCredential=, systemd.exec(5)). A key that anybody may read, or a group other
 * than root's choice, is refused, as PostgreSQL does: 0600, or 0640 when it belongs to root.
 *
 *	tls_files_read("/etc/rouse/tls.crt", "tls.key", &tls);
 *	... tls.certificate, tls.key ...
 *	tls_files_free(&tls);
 */
#ifndef ROUSE_IO_TLS_FILES_H
#define ROUSE_IO_TLS_FILES_H

#include "core/err.h"

/* PEM texts, NUL-terminated. */
struct tls_files {
	char *certificate; /* the server's own, then those of its issuers */
	char *key;
};

/* ERR_ABSENT, ERR_REFUSED (rights), ERR_SPACE (too long), ERR_FORMAT (no PEM), ERR_MEMORY,
 * ERR_SYSTEM: a message names file, reason and remedy. */
MUST_CHECK enum err tls_files_read(const char *certificate, const char *key,
				   struct tls_files *ret_files);
/* Wipes the key. */
void tls_files_free(struct tls_files *files);

#endif
