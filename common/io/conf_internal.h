/* conf_internal - what the conf*.c files share. */
#ifndef ROUSE_IO_CONF_INTERNAL_H
#define ROUSE_IO_CONF_INTERNAL_H

#include "core/err.h"
#include "io/conf.h"

#define CONF_KEYS_MAX 64
#define CONF_MESSAGE_SIZE 512

enum conf_origin {
	CONF_FROM_DEFAULT,
	CONF_FROM_FILE,
	CONF_FROM_CREDENTIAL,
	CONF_FROM_FLAG,
};

/* One key's value as somebody wrote it, and who. */
struct conf_value {
	char *text; /* owned; NULL: the default */
	enum conf_origin origin;
	unsigned line; /* in the file */
};

/* One call of conf_read(). */
struct conf_reading {
	const struct conf *conf;
	const char *file;
	bool is_file_named; /* by --config */
	bool is_print, is_check;
	struct conf_value values[CONF_KEYS_MAX];
};

/* The position of a key, or -1. */
int conf_find(const struct conf *conf, const char *name, size_t length);
/* The key that a mistyped name most resembles; NULL when none is near. */
const char *conf_nearest(const struct conf *conf, const char *name, size_t length);
/* Is the text of the key's type, and within its limits? Else `message` says what is expected.
 */
MUST_CHECK enum err conf_check(const struct conf_key *key, const char *text,
			       char message[CONF_MESSAGE_SIZE]);
bool conf_is_text(const struct conf_key *key);
/* Writes a checked text into the settings; ERR_MEMORY. */
MUST_CHECK enum err conf_store(const struct conf_key *key, const char *text, void *settings);
/* Keeps a copy of a value unless a stronger origin has given one. */
MUST_CHECK enum err conf_keep(struct conf_reading *reading, int key, const char *text,
			      enum conf_origin origin, unsigned line);
/* Reads reading->file; false when it is wrong: the messages are written, *ret_exit is set. */
bool conf_read_file(struct conf_reading *reading, int *ret_exit);
/* Takes the keys that are credentials from $CREDENTIALS_DIRECTORY; false as above. */
bool conf_read_credentials(struct conf_reading *reading, int *ret_exit);

void conf_print_help(const struct conf *conf);
void conf_print(const struct conf_reading *reading);

#endif
