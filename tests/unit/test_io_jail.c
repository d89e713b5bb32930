#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/jail.h"

static char folder[] = "/tmp/rouse-jail-XXXXXX";

static int make_folders(void **state)
{
	char path[64];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/mine", folder);
	if (mkdir(path, 0700) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/said", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	return 0;
}

static int remove_folders(void **state)
{
	static const char *const names[] = {"mine/file", "mine", "said"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
	}
	return rmdir(folder);
}

static int open_below(const char *name, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open(path, flags, 0600);
}

/* What a confined process may and may not: 0, or the number of the first line that is not so.
 */
static int look_around(void)
{
	char *const arguments[] = {"true", NULL};

	if (open_below("mine/file", O_CREAT | O_WRONLY) < 0)
		return __LINE__;
	if (open("/dev/null", O_WRONLY) < 0 || open("/etc/passwd", O_RDONLY) < 0)
		return __LINE__;
	if (open_below("other", O_CREAT | O_WRONLY) >= 0 || errno != EACCES)
		return __LINE__;
	if (open_below("said", O_WRONLY) >= 0 || errno != EACCES)
		return __LINE__;
	if (execv("/bin/true", arguments) != -1 || errno != EPERM)
		return __LINE__;
	for (int i = 0; i < 2; i++)
		if (syscall(SYS_mount, "none", folder, "tmpfs", 0, NULL) != -1 ||
		    errno != EPERM)
			return __LINE__;
	return 0;
}

/* In a process of its own: what is given up is given up for good. */
static int confined(const char *const *writable, size_t count, int (*body)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		(void)dup2(open_below("said", O_WRONLY | O_TRUNC), STDERR_FILENO);
		if (jail_confine(writable, count) != ERR_OK)
			_exit(1);
		_exit(body() & 0xff);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char *said(void)
{
	static char text[4096];
	int file = open_below("said", O_RDONLY);
	ssize_t length = read(file, text, sizeof(text) - 1);

	close(file);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (text = strstr(text, word); text; text = strstr(text + 1, word))
		count++;
	return count;
}

static void what_is_given_up_is_refused_and_named(void **state)
{
	char mine[64];
	const char *writable[] = {mine, "", "/no/such/folder"};

	(void)state;
	(void)snprintf(mine, sizeof(mine), "%s/mine", folder);
	assert_int_equal(confined(writable, 3, look_around), 0);
	assert_int_equal(count_of(said(), "event=forbidden_call call=execve "), 1);
	/* called twice, named once */
	assert_int_equal(count_of(said(), "event=forbidden_call call=mount "), 1);
}

/* As saved configurations and uploads are: written beside, then renamed. */
static int save(void)
{
	char from[64];
	char into[64];
	int file = open_below("mine/file.new", O_CREAT | O_WRONLY);

	(void)snprintf(from, sizeof(from), "%s/mine/file.new", folder);
	(void)snprintf(into, sizeof(into), "%s/mine/file", folder);
	return file < 0 || fsync(file) != 0 || rename(from, into) != 0;
}

static void a_file_is_saved_where_it_may(void **state)
{
	char mine[64];
	const char *writable[] = {mine};

	(void)state;
	(void)snprintf(mine, sizeof(mine), "%s/mine", folder);
	assert_int_equal(confined(writable, 1, save), 0);
	assert_string_equal(said(), "");
	assert_int_not_equal(confined(NULL, 0, save), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_up_is_refused_and_named),
		cmocka_unit_test(a_file_is_saved_where_it_may),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
