#include "io/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/log.h"

#define FILE_MAX ((size_t)256 * 1024) /* a chain of certificates has some 10 KiB */

static enum err refuse(enum err err, const char *file, const char *reason, const char *remedy)
{
	log_error("tls_file_refused", "file=%s reason=%s remedy=%s", log_text(file),
		  log_text(reason), log_text(remedy));
	return err;
}

static enum err find_file(const char *name, char path[PATH_MAX])
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int length;

	if (strchr(name, '/')) {
		length = snprintf(path, PATH_MAX, "%s", name);
	} else {
		if (!folder)
			return refuse(
				ERR_ABSENT, name,
				"a name without / is a credential, and systemd has given none",
				"set LoadCredential= in the unit, or write the file's whole "
				"path");
		length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
	}
	return length < PATH_MAX ? ERR_OK
				 : refuse(ERR_SPACE, name, "the path is too long", "-");
}

/* Others may not read it; a group only when root, who else could, has said so. */
static bool is_private(const struct stat *facts)
{
	mode_t forbidden = facts->st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;

	return (facts->st_mode & forbidden) == 0;
}

static enum err read_text(int file, const char *path, char **ret_text)
{
	char *text = calloc(1, FILE_MAX + 1);
	size_t length = 0;
	ssize_t got = 1;

	if (!text)
		return refuse(ERR_MEMORY, path, "out of memory", "-");
	while (got > 0 && length <= FILE_MAX) {
		got = read(file, text + length, FILE_MAX + 1 - length);
		if (got > 0)
			length += (size_t)got;
	}
	if (got == 0 && length <= FILE_MAX && strstr(text, "-----BEGIN ")) {
		text[length] = '\0';
		*ret_text = text;
		return ERR_OK;
	}
	explicit_bzero(text, FILE_MAX + 1);
	free(text);
	if (got < 0)
		return refuse(ERR_SYSTEM, path, strerror(errno), "see to its disk");
	if (length > FILE_MAX)
		return refuse(ERR_SPACE, path, "it is longer than 256 KiB",
			      "name a file in PEM format");
	return refuse(ERR_FORMAT, path, "it holds nothing in PEM format",
		      "convert it: openssl x509, openssl pkey");
}

static enum err read_file(const char *name, bool is_key, char **ret_text)
{
	char path[PATH_MAX];
	struct stat facts;
	enum err err = find_file(name, path);
	int file;

	if (err != ERR_OK)
		return err;
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return refuse(
			ERR_ABSENT, path, strerror(errno),
			"mend the keys tls_certificate and tls_key, or the file's rights");
	if (fstat(file, &facts) < 0 || !S_ISREG(facts.st_mode))
		err = refuse(ERR_REFUSED, path, "it is no regular file", "name a file");
	else if (is_key && !is_private(&facts))
		err = refuse(ERR_REFUSED, path,
			     "others than its owner can read or change the key",
			     "chmod 600 it, or 640 when it belongs to root");
	else
		err = read_text(file, path, ret_text);
	(void)close(file);
	return err;
}

enum err tls_files_read(const char *certificate, const char *key, struct tls_files *ret_files)
{
	struct tls_files files = {NULL, NULL};
	enum err err = read_file(certificate, false, &files.certificate);

	if (err == ERR_OK)
		err = read_file(key, true, &files.key);
	if (err != ERR_OK) {
		tls_files_free(&files);
		return err;
	}
	*ret_files = files;
	return ERR_OK;
}

void tls_files_free(struct tls_files *files)
{
	if (files->key)
		explicit_bzero(files->key, strlen(files->key));
	free(files->key);
	free(files->certificate);
	*files = (struct tls_files){NULL, NULL};
}
