#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/beneath.h"

static char folder[] = "/tmp/rouse-beneath-XXXXXX";
static int root;

/* root/in/file, root/link -> in, root/out -> .., root/magic -> /proc/self/root */
static int make_folders(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "in", 0700) != 0)
		return -1;
	(void)close(openat(root, "in/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	return symlinkat("in", root, "link") | symlinkat("..", root, "out") |
	       symlinkat("/proc/self/root", root, "magic");
}

static int remove_folders(void **state)
{
	static const char *const names[] = {"in/file", "link", "out", "magic"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(root, names[i], 0);
	(void)unlinkat(root, "in", AT_REMOVEDIR);
	(void)close(root);
	return rmdir(folder);
}

static void expect(const char *path, int error)
{
	int file = beneath_open(root, path, O_RDONLY);

	if (error == 0) {
		assert_true(file >= 0);
		assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		(void)close(file);
		return;
	}
	assert_int_equal(file, -1);
	assert_int_equal(errno, error);
}

static void test_nothing_leads_out(void **state)
{
	(void)state;
	expect("in/file", 0);
	expect("link/file", 0);
	expect("in/../in/file", 0);
	expect("absent", ENOENT);
	expect("..", EXDEV);
	expect("in/../../etc/passwd", EXDEV);
	expect("/etc/passwd", EXDEV);
	expect("out/etc", EXDEV);
	expect("magic/etc/passwd", EXDEV);
}

/* What beneath_check() writes in a process of its own; with a filter that forbids the call, or
 * none. */
static ssize_t checked(bool is_forbidden, char *said, size_t size)
{
	int ends[2];
	ssize_t length;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
		int status =
			seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);

		(void)dup2(ends[1], STDERR_FILENO);
		if (is_forbidden && (status != 0 || seccomp_load(filter) != 0))
			_exit(1);
		beneath_check();
		_exit(0);
	}
	(void)close(ends[1]);
	length = read(ends[0], said, size - 1);
	(void)close(ends[0]);
	said[length > 0 ? length : 0] = '\0';
	assert_int_equal(waitpid(child, NULL, 0), child);
	return length;
}

static void test_what_forbids_it_is_told(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(checked(false, said, sizeof(said)), 0);
	assert_true(checked(true, said, sizeof(said)) > 0);
	assert_non_null(strstr(said, "event=files_forbidden call=openat2"));
	assert_non_null(strstr(said, "RestrictSUIDSGID="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_leads_out),
		cmocka_unit_test(test_what_forbids_it_is_told),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
