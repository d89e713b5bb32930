/* Values that come as files of $CREDENTIALS_DIRECTORY, one a key: systemd's LoadCredential=, or
 * a container engine's secrets. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/conf_internal.h"

#define CREDENTIAL_SIZE 4096

static bool refuse(const struct conf_reading *reading, const char *path, const char *reason,
		   int *ret_exit)
{
	(void)fprintf(stderr, "%s: credential %s: %s: write the value into it, in one line\n",
		      reading->conf->program, path, reason);
	*ret_exit = EX_CONFIG;
	return false;
}

/* The file as a text without the end of its line. NULL, or what is wrong with it. */
static const char *read_line(int file, char text[CREDENTIAL_SIZE])
{
	size_t length = 0;
	ssize_t got = 1;

	while (got > 0 && length < CREDENTIAL_SIZE) {
		got = read(file, text + length, CREDENTIAL_SIZE - length);
		if (got > 0)
			length += (size_t)got;
	}
	if (got < 0)
		return strerror(errno);
	if (length == CREDENTIAL_SIZE)
		return "it is longer than 4,095 octets";
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return strlen(text) + 1 < length ? "it is more than one line" : NULL;
}

static bool take(struct conf_reading *reading, int key, const char *path, int *ret_exit)
{
	char text[CREDENTIAL_SIZE] = "";
	int file = open(path, O_RDONLY | O_CLOEXEC);
	const char *wrong;
	bool is_kept;

	if (file < 0 && errno == ENOENT)
		return true; /* nobody has to use it */
	if (file < 0)
		return refuse(reading, path, strerror(errno), ret_exit);
	wrong = read_line(file, text);
	(void)close(file);
	if (wrong)
		return refuse(reading, path, wrong, ret_exit);
	is_kept = conf_keep(reading, key, text, CONF_FROM_CREDENTIAL, 0) == ERR_OK;
	explicit_bzero(text, sizeof(text));
	return is_kept || refuse(reading, path, "out of memory", ret_exit);
}

bool conf_read_credentials(struct conf_reading *reading, int *ret_exit)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	for (size_t i = 0; folder && i < reading->conf->key_count; i++) {
		const struct conf_key *key = &reading->conf->keys[i];

		if (key->type != CONF_SECRET)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, key->name) >=
		    (int)sizeof(path))
			return refuse(reading, key->name, "CREDENTIALS_DIRECTORY is too long",
				      ret_exit);
		if (!take(reading, (int)i, path, ret_exit))
			return false;
	}
	return true;
}
