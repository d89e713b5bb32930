/* Certificate and key: by path, by systemd's credentials, and whose rights are wrong. */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/tls_files.h"

static char folder[] = "/tmp/rouse-tls-XXXXXX";
static const char pem[] = "-----BEGIN SOMETHING-----\nAAAA\n-----END SOMETHING-----\n";

static const char *path_of(const char *name)
{
	static char paths[2][PATH_MAX];
	static int next;
	char *path = paths[next++ % 2];

	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static void lay_down(const char *name, const char *text, mode_t mode)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of(name), mode), 0);
}

static enum err read_both(const char *certificate, const char *key)
{
	struct tls_files files;
	enum err err = tls_files_read(certificate, key, &files);

	if (err == ERR_OK) {
		assert_string_equal(files.certificate, pem);
		assert_string_equal(files.key, pem);
		tls_files_free(&files);
		assert_null(files.key);
	}
	return err;
}

static void by_path(void **state)
{
	(void)state;
	lay_down("crt", pem, 0644);
	lay_down("key", pem, 0600);
	assert_int_equal(read_both(path_of("crt"), path_of("key")), ERR_OK);
	assert_int_equal(read_both(path_of("absent"), path_of("key")), ERR_ABSENT);
	assert_int_equal(read_both(path_of("crt"), path_of("absent")), ERR_ABSENT);
	assert_int_equal(read_both("/dev/null", path_of("key")), ERR_REFUSED);
	lay_down("crt", "no certificate", 0644);
	assert_int_equal(read_both(path_of("crt"), path_of("key")), ERR_FORMAT);
}

static void a_key_is_for_its_owner(void **state)
{
	/* root's own may be read by a group, too: ssl-cert, in Debian */
	const enum err by_group = getuid() == 0 ? ERR_OK : ERR_REFUSED;

	(void)state;
	lay_down("crt", pem, 0644);
	for (mode_t mode = 0400; mode < 01000; mode++) {
		enum err expected = mode & 037 ? ERR_REFUSED : mode & 040 ? by_group : ERR_OK;

		lay_down("key", pem, 0600);
		assert_int_equal(chmod(path_of("key"), mode), 0);
		assert_int_equal(read_both(path_of("crt"), path_of("key")), expected);
		assert_int_equal(chmod(path_of("key"), 0600), 0);
	}
}

static void by_credential(void **state)
{
	(void)state;
	lay_down("crt", pem, 0644);
	lay_down("key", pem, 0600);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(read_both("crt", "key"), ERR_ABSENT);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_int_equal(read_both("crt", "key"), ERR_OK);
	assert_int_equal(read_both("crt", "absent"), ERR_ABSENT);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void of_any_length(void **state)
{
	char *text = calloc(1, 300 * 1024);

	(void)state;
	assert_non_null(text);
	lay_down("key", pem, 0600);
	memset(text, 'A', 300 * 1024 - 1);
	memcpy(text, "-----BEGIN ", 11);
	lay_down("crt", text, 0644);
	assert_int_equal(read_both(path_of("crt"), path_of("key")), ERR_SPACE);
	lay_down("crt", "", 0644);
	assert_int_equal(read_both(path_of("crt"), path_of("key")), ERR_FORMAT);
	free(text);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	(void)unlink(path_of("crt"));
	(void)unlink(path_of("key"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_path),
		cmocka_unit_test(a_key_is_for_its_owner),
		cmocka_unit_test(by_credential),
		cmocka_unit_test(of_any_length),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
