/*
 * conf - a daemon's own file: the ten keys it must know before the database answers.
 *
 * One table of keys makes the libconfuse options, the flags (`lease_file` is also
 * `--lease-file`), --help, --print-config and the man page's list. An unknown key is an error
 * that names the line and the nearest key.
 *
 *	struct settings { char *listen; long port; bool verbose; };
 *	static const struct conf_key keys[] = {
 *		{"listen", CONF_TEXT, offsetof(struct settings, listen), "0.0.0.0",
 *		 "address to listen on"},
 *		...
 *	};
 *	static const struct conf conf = {"tftpd", ROUSE_VERSION, "/etc/rouse/tftpd.conf",
 *					 "TFTP server", keys, key_count};
 *	int status;
 *
 *	if (conf_read(&conf, argc, argv, &settings, &status) != CONF_RUN)
 *		return status;		the message or the answer is written
 *	...
 *	conf_free(&conf, &settings);
 */
#ifndef ROUSE_IO_CONF_H
#define ROUSE_IO_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/text.h"

enum conf_type {
	CONF_TEXT,   /* char *, owned by the settings; never NULL, "" when unset */
	CONF_SECRET, /* a text that may also come as the file $CREDENTIALS_DIRECTORY/NAME */
	CONF_NUMBER, /* long, within least..most */
	CONF_TRUTH,  /* bool: true, false, on, off, yes, no */
};

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;	      /* in the daemon's settings struct */
	const char *fallback; /* its default, as text */
	const char *help;     /* one line */
	long least, most;     /* for numbers */
};

struct conf {
	const char *program;
	const char *version;
	const char *file; /* default path: may be absent, unless --config names it */
	const char *summary;
	const struct conf_key *keys;
	size_t key_count;
	/*
	 * Judges the values together, as --check-config and a start both do; writes a message
	 * that names key, reason and remedy. NULL: there is nothing to judge.
	 */
	enum err (*check)(const void *settings);
};

enum conf_result {
	CONF_RUN,
	CONF_DONE,
	CONF_BAD,
};

/*
 * Reads flags, credentials and file (in this order, then the default) into the zeroed
 * `settings`. Flags that every daemon has: --config FILE, --check-config, --print-config (each
 * value with its origin, passwords as ***), --foreground (accepted: it is the only way),
 * --version, --help. A truth needs no value as a flag. `ret_exit` is the exit status: 0 for
 * DONE; EX_USAGE (a flag), EX_CONFIG (the file's contents) or EX_NOINPUT (no such file) for
 * BAD. Texts must be freed by conf_free() after RUN only.
 */
enum conf_result conf_read(const struct conf *conf, int argc, char **argv, void *settings,
			   int *ret_exit);
/* Frees the texts. */
void conf_free(const struct conf *conf, void *settings);

/* For a check(): writes the message about a value that cannot be, and returns ERR_FORMAT. */
enum err conf_refuse(const char *key, const char *value, const char *remedy);
/* For a check(): sets the key log_level, which every daemon has, or refuses its value. */
MUST_CHECK enum err conf_set_log_level(const char *value);

/*
 * Appends a connection string (keywords or URI) with every password as ***. Other text stays as
 * it is, so that it fits any value that is to be shown.
 */
void conf_put_masked(struct text *out, const char *value);

#endif
