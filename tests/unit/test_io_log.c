#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/log.h"

static char captured[8192];
static int real_stderr;
static int capture;

static void begin_capture(void)
{
	capture = memfd_create("log", MFD_CLOEXEC);
	real_stderr = dup(STDERR_FILENO);
	(void)dup2(capture, STDERR_FILENO);
}

static const char *end_capture(void)
{
	ssize_t length = pread(capture, captured, sizeof(captured) - 1, 0);

	(void)dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(capture);
	captured[length > 0 ? length : 0] = '\0';
	return captured;
}

static void test_line(void **state)
{
	(void)state;
	begin_capture();
	log_open("tftpd");
	log_info("lease_acked", "mac=%s xid=%08x", "52:54:00:00:00:01", 0xabcu);
	log_error("bare", NULL);
	assert_string_equal(end_capture(),
			    "level=info event=lease_acked mac=52:54:00:00:00:01 xid=00000abc\n"
			    "level=error event=bare\n");
}

/* Of a traced card everything is written, in either form of its MAC; of others as before. */
static void test_trace(void **state)
{
	(void)state;
	begin_capture();
	log_trace("52:54:00:00:00:01  nonsense 52:54:00:00:00:0a");
	log_debug("one", "mac=%s", "52:54:00:00:00:01");
	log_debug("two", "mac=%s", "52:54:00:00:00:02");
	log_debug("ten", "mac=%s", "52-54-00-00-00-0a");
	log_debug("none", NULL);
	log_trace("");
	log_debug("one", "mac=%s", "52:54:00:00:00:01");
	assert_false(log_is_tracing());
	assert_string_equal(end_capture(), "level=debug event=one mac=52:54:00:00:00:01\n"
					   "level=debug event=ten mac=52-54-00-00-00-0a\n");
}

/* Gathered lines leave together, in their order, and no more than fit into one write. */
static void test_hold(void **state)
{
	struct stat facts;
	char long_word[3000];

	(void)state;
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	begin_capture();
	log_hold();
	log_info("one", NULL);
	log_info("two", NULL);
	assert_int_equal(fstat(capture, &facts), 0);
	assert_int_equal(facts.st_size, 0);
	log_error("three", NULL);
	log_info("four", "word=%s", long_word);
	assert_int_equal(fstat(capture, &facts), 0);
	assert_int_equal(facts.st_size, strlen("level=info event=one\nlevel=info event=two\n"
					       "level=error event=three\n"));
	log_info("five", "word=%s", long_word);
	assert_non_null(strstr(end_capture(), "event=four word=xx"));
	assert_null(strstr(captured, "five"));
	begin_capture();
	log_release();
	log_info("six", NULL);
	(void)end_capture();
	assert_ptr_equal(strstr(captured, "level=info event=five word=xx"), captured);
	assert_non_null(strstr(captured, "x\nlevel=info event=six\n"));
}

static void test_levels(void **state)
{
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_parse("warning", &level), ERR_OK);
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_int_equal(log_level_parse("loud", &level), ERR_FORMAT);
	begin_capture();
	log_set_level(LOG_LEVEL_WARNING);
	log_info("no", "a=%d", 1);
	log_debug("no", "a=%d", 1);
	log_warning("yes", "a=%d", 1);
	log_set_level(LOG_LEVEL_INFO);
	assert_string_equal(end_capture(), "level=warning event=yes a=1\n");
}

/* A field cannot begin a line of its own, and a long one is cut with a mark. */
static void test_one_event_one_line(void **state)
{
	static char huge[9000];
	const char *line;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	begin_capture();
	log_info("a", "b=%s", "1\nlevel=error event=forged");
	assert_string_equal(end_capture(), "level=info event=a b=1 level=error event=forged\n");
	begin_capture();
	log_info("a", "b=%s", huge);
	line = end_capture();
	assert_int_equal(strlen(line), 4096);
	assert_string_equal(line + 4096 - 5, "x...\n");
}

static void test_foreign_text(void **state)
{
	static char huge[1000];
	const char *first;

	(void)state;
	assert_string_equal(log_text("plain"), "plain");
	assert_string_equal(log_text(NULL), "\"\"");
	assert_string_equal(log_text("a b=\"c\"\n"), "\"a b=\\\"c\\\"\\x0a\"");
	memset(huge, '\1', sizeof(huge) - 1);
	assert_int_equal(strlen(log_text(huge)), 250 * 4 + 3 + 2);
	first = log_text("first");
	for (int i = 0; i < 7; i++)
		(void)log_text("other");
	assert_string_equal(first, "first");
}

static void test_journal_prefix(void **state)
{
	struct stat status;
	char stream[64];

	(void)state;
	begin_capture();
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	(void)snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)status.st_dev,
		       (unsigned long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("tftpd");
	log_warning("x", "a=1");
	unsetenv("JOURNAL_STREAM");
	log_open("tftpd");
	assert_string_equal(end_capture(), "<4>level=warning event=x a=1\n");
}

static void test_repeat(void **state)
{
	struct log_repeat repeat = {0};
	unsigned long left_out = 99;

	(void)state;
	assert_true(log_repeat_due(&repeat, 0, 1000, &left_out));
	assert_int_equal(left_out, 0);
	assert_false(log_repeat_due(&repeat, 10, 1000, &left_out));
	assert_false(log_repeat_due(&repeat, 999, 1000, &left_out));
	assert_true(log_repeat_due(&repeat, 1000, 1000, &left_out));
	assert_int_equal(left_out, 2);
	assert_true(log_repeat_due(&repeat, 5000, 1000, &left_out));
	assert_int_equal(left_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_one_event_one_line),
		cmocka_unit_test(test_foreign_text),
		cmocka_unit_test(test_journal_prefix),
		cmocka_unit_test(test_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
