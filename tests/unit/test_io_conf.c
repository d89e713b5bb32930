#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/conf.h"

struct settings {
	char *listen;
	char *database;
	long port;
	bool verbose;
};

static const struct conf_key keys[] = {
	{"listen", CONF_TEXT, offsetof(struct settings, listen), "0.0.0.0", "address", 0, 0},
	{"database", CONF_SECRET, offsetof(struct settings, database), "", "connection", 0, 0},
	{"http_port", CONF_NUMBER, offsetof(struct settings, port), "8080", "port", 1, 65535},
	{"verbose", CONF_TRUTH, offsetof(struct settings, verbose), "false", "more", 0, 0},
};

static char path[] = "/tmp/rouse-conf-XXXXXX";

static enum err check(const void *data)
{
	const struct settings *settings = data;

	if (strcmp(settings->listen, "nowhere") != 0)
		return ERR_OK;
	(void)fprintf(stderr, "listen: nowhere is no place\n");
	return ERR_FORMAT;
}

static const struct conf conf = {
	"demod", "1.2", "/nonexistent/demod.conf", "a demonstration", keys, 4, check,
};

/* What one call gave: the outputs of both streams, the result and the settings. */
struct run {
	enum conf_result result;
	int status;
	struct settings settings;
	char out[4096];
	char err[4096];
};

static void take_back(FILE *stream, int number, int saved, int captured, char text[4096])
{
	ssize_t length;

	(void)fflush(stream);
	length = pread(captured, text, 4095, 0);
	text[length > 0 ? length : 0] = '\0';
	(void)dup2(saved, number);
	close(saved);
	close(captured);
}

static void run_words(struct run *run, int argc, char **argv)
{
	int saved_out = (fflush(stdout), dup(STDOUT_FILENO));
	int saved_err = dup(STDERR_FILENO);
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);

	memset(run, 0, sizeof(*run));
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	run->result = conf_read(&conf, argc, argv, &run->settings, &run->status);
	take_back(stdout, STDOUT_FILENO, saved_out, out, run->out);
	take_back(stderr, STDERR_FILENO, saved_err, err, run->err);
}

/* Runs with up to three flags behind --config. */
static struct run run_file(const char *file, const char *first, const char *second)
{
	static struct run run;
	char words[5][256] = {"demod", "--config"};
	char *argv[6] = {words[0], words[1], words[2], words[3], words[4], NULL};
	int descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(descriptor, file, strlen(file)), strlen(file));
	close(descriptor);
	strcpy(words[2], path);
	strcpy(words[3], first ? first : "");
	strcpy(words[4], second ? second : "");
	argv[3 + (first != NULL) + (second != NULL)] = NULL;
	run_words(&run, 3 + (first != NULL) + (second != NULL), argv);
	return run;
}

static void expect_bad(const struct run *run, int status, const char *said)
{
	assert_int_equal(run->result, CONF_BAD);
	assert_int_equal(run->status, status);
	if (!strstr(run->err, said))
		fail_msg("\"%s\" is not in \"%s\"", said, run->err);
	assert_string_equal(run->out, "");
}

static void test_order(void **state)
{
	struct run run = run_file("# mine\nhttp_port = 81\nlisten = 10.0.0.1\nverbose = on\n",
				  "--http-port=82", NULL);

	(void)state;
	assert_string_equal(run.err, "");
	assert_int_equal(run.result, CONF_RUN);
	assert_int_equal(run.settings.port, 82);
	assert_string_equal(run.settings.listen, "10.0.0.1");
	assert_string_equal(run.settings.database, "");
	assert_true(run.settings.verbose);
	conf_free(&conf, &run.settings);
	assert_null(run.settings.listen);
}

/* iPXE's settings look like the shell's variables; no file of ours means the environment. */
static void test_settings_of_ipxe_stay(void **state)
{
	struct run run = run_file("# it's \"${HOME}\"\n"
				  "listen = \"http://${next-server}:8080 \\\"${HOME}\\\"\"\n"
				  "database = '${HOME}'\n",
				  NULL, NULL);

	(void)state;
	assert_string_equal(run.err, "");
	assert_int_equal(run.result, CONF_RUN);
	assert_string_equal(run.settings.listen, "http://${next-server}:8080 \"${HOME}\"");
	assert_string_equal(run.settings.database, "${HOME}");
	conf_free(&conf, &run.settings);
}

static void test_the_daemon_judges_too(void **state)
{
	struct run run = run_file("listen = nowhere\n", NULL, NULL);

	(void)state;
	expect_bad(&run, EX_CONFIG, "listen: nowhere is no place");
	run = run_file("listen = nowhere\n", "--check-config", NULL);
	expect_bad(&run, EX_CONFIG, "listen: nowhere is no place");
	run = run_file("listen = here\n", "--check-config", NULL);
	assert_int_equal(run.result, CONF_DONE);
}

static void test_flags(void **state)
{
	struct run run = run_file("verbose = true\n", "--verbose=off", "--foreground");

	(void)state;
	assert_int_equal(run.result, CONF_RUN);
	assert_false(run.settings.verbose);
	conf_free(&conf, &run.settings);
	run = run_file("", "--verbose", NULL);
	assert_int_equal(run.result, CONF_RUN);
	assert_true(run.settings.verbose);
	conf_free(&conf, &run.settings);
}

static void test_unknown_key(void **state)
{
	struct run run = run_file("listen = \"1.2.3.4\"\n\nhttp_prot = 80\n", NULL, NULL);
	char said[128];

	(void)state;
	(void)snprintf(said, sizeof(said),
		       "demod: %s:3: unknown key \"http_prot\": did you mean \"http_port\"?\n",
		       path);
	expect_bad(&run, EX_CONFIG, said);
	run = run_file("zzzzzz = 80\n", NULL, NULL);
	expect_bad(&run, EX_CONFIG, ":1: unknown key \"zzzzzz\": demod --help lists the keys");
}

static void test_wrong_values(void **state)
{
	struct run run = run_file("\nhttp_port = 70000\n", NULL, NULL);

	(void)state;
	expect_bad(&run, EX_CONFIG,
		   ":2: http_port cannot be \"70000\": give a number from 1 to 65535");
	run = run_file("http_port = 80x\n", NULL, NULL);
	expect_bad(&run, EX_CONFIG, ":1: http_port cannot be \"80x\"");
	run = run_file("verbose = perhaps\n", NULL, NULL);
	expect_bad(&run, EX_CONFIG, ":1: verbose cannot be \"perhaps\": give true or false");
	run = run_file("listen = {\n", NULL, NULL);
	expect_bad(&run, EX_CONFIG, ":1: ");
	run = run_file("", "--http-port=0", NULL);
	expect_bad(&run, EX_USAGE, "http_port cannot be \"0\"");
}

static void test_wrong_flags(void **state)
{
	struct run run = run_file("", "--http-prot=1", NULL);

	(void)state;
	expect_bad(&run, EX_USAGE,
		   "unknown flag \"--http-prot\", did you mean --http-port: see demod --help");
	run = run_file("", "--listen", NULL);
	expect_bad(&run, EX_USAGE, "--listen needs a value");
	run = run_file("", "stray", NULL);
	expect_bad(&run, EX_USAGE, "\"stray\" is no flag");
	run = run_file("", "-x", NULL);
	expect_bad(&run, EX_USAGE, "unknown flag \"-x\"");
}

static void test_files(void **state)
{
	char *named[] = {"demod", "--config", "/nonexistent/x.conf", NULL};
	char *plain[] = {"demod", NULL};
	struct run run;

	(void)state;
	run_words(&run, 3, named);
	expect_bad(&run, EX_NOINPUT, "cannot read /nonexistent/x.conf: No such file");
	run_words(&run, 1, plain); /* the default file may be absent */
	assert_int_equal(run.result, CONF_RUN);
	assert_int_equal(run.settings.port, 8080);
	assert_string_equal(run.settings.listen, "0.0.0.0");
	conf_free(&conf, &run.settings);
}

static void test_print(void **state)
{
	struct run run =
		run_file("\nlisten = '10.0.0.1'\ndatabase = \"host=h password=sesame\"\n",
			 "--http-port=82", "--print-config");
	char expected[512];

	(void)state;
	assert_int_equal(run.result, CONF_DONE);
	assert_int_equal(run.status, 0);
	(void)snprintf(expected, sizeof(expected),
		       "listen = \"10.0.0.1\"  # file %s:2\n"
		       "database = \"host=h password=***\"  # file %s:3\n"
		       "http_port = 82  # flag\n"
		       "verbose = false  # default\n",
		       path, path);
	assert_string_equal(run.out, expected);
}

/* Writes $CREDENTIALS_DIRECTORY/NAME; runs with a file that has a database, too. */
static struct run run_credential(const char *name, const char *text, size_t length,
				 const char *flag)
{
	char folder[] = "/tmp/rouse-conf-credentials-XXXXXX";
	char file[64];
	struct run run;
	int descriptor;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(file, sizeof(file), "%s/%s", folder, name);
	descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
	assert_int_equal(write(descriptor, text, length), length);
	close(descriptor);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	run = run_file("database = file\nlisten = here\n", flag, NULL);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
	return run;
}

static void expect_database(struct run run, const char *expected)
{
	assert_string_equal(run.err, "");
	assert_int_equal(run.result, CONF_RUN);
	assert_string_equal(run.settings.database, expected);
	assert_string_equal(run.settings.listen, "here");
	conf_free(&conf, &run.settings);
}

static void test_credential(void **state)
{
	static const char secret[] = "host=db password=sesame\n";
	struct run run;

	(void)state;
	/* before the file, behind a flag; of a secret's name only */
	expect_database(run_credential("database", secret, sizeof(secret) - 1, NULL),
			"host=db password=sesame");
	expect_database(run_credential("database", secret, sizeof(secret) - 2, NULL),
			"host=db password=sesame");
	expect_database(
		run_credential("database", secret, sizeof(secret) - 1, "--database=flag"),
		"flag");
	expect_database(run_credential("listen", secret, sizeof(secret) - 1, NULL), "file");
	/* shown as any other */
	run = run_credential("database", secret, sizeof(secret) - 1, "--print-config");
	assert_non_null(strstr(run.out, "database = \"host=db password=***\"  # credential\n"));
}

static void test_credential_that_is_none(void **state)
{
	static char long_one[5000];

	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	for (size_t length = 4095; length < sizeof(long_one); length += 452) {
		struct run run = run_credential("database", long_one, length, NULL);

		if (length > 4095)
			expect_bad(&run, EX_CONFIG,
				   "longer than 4,095 octets: write the value");
		else
			conf_free(&conf, &run.settings);
	}
	struct run run = run_credential("database", "one\ntwo\n", 8, NULL);

	expect_bad(&run, EX_CONFIG,
		   "/database: it is more than one line: write the value into it");
	run = run_credential("database", "one\0two", 7, NULL);
	expect_bad(&run, EX_CONFIG, "it is more than one line");
}

static void test_check_help_version(void **state)
{
	struct run run = run_file("http_port = 1\n", "--check-config", NULL);

	(void)state;
	assert_int_equal(run.result, CONF_DONE);
	assert_non_null(strstr(run.out, "demod: the configuration is valid"));
	run = run_file("http_port = 0\n", "--check-config", NULL);
	expect_bad(&run, EX_CONFIG, "http_port cannot be \"0\"");
	run = run_file("broken {", "--version", NULL); /* says it whatever the file holds */
	assert_int_equal(run.result, CONF_DONE);
	assert_string_equal(run.out, "demod 1.2\n");
	run = run_file("", "--help", NULL);
	assert_int_equal(run.result, CONF_DONE);
	assert_non_null(strstr(run.out, "  --http-port VALUE"));
	assert_non_null(strstr(run.out, "port [8080]"));
	assert_non_null(strstr(run.out, "[/nonexistent/demod.conf]"));
}

static void expect_masked(const char *value, const char *expected)
{
	char shown[256];
	struct text out = text_into(shown, sizeof(shown));

	conf_put_masked(&out, value);
	assert_string_equal(shown, expected);
}

static void test_mask(void **state)
{
	(void)state;
	expect_masked("", "");
	expect_masked("10.77.0.1", "10.77.0.1");
	expect_masked("host=h password=abc dbname=d", "host=h password=*** dbname=d");
	expect_masked("PassWord = 'a b\\'c' user=u", "PassWord = *** user=u");
	expect_masked("password='never closed", "password=***");
	expect_masked("password=a\\ b user=u", "password=*** user=u");
	expect_masked("sslpassword=abc", "sslpassword=***");
	expect_masked("postgresql://u:abc@h/d", "postgresql://u:***@h/d");
	expect_masked("postgresql://u:a@b/c@h/d", "postgresql://u:***@h/d");
	expect_masked("postgresql://u@h/d?password=abc&x=y",
		      "postgresql://u@h/d?password=***&x=y");
	expect_masked("postgresql://h:5432/d", "postgresql://h:5432/d");
	expect_masked("http://10.0.0.1:8080", "http://10.0.0.1:8080");
	expect_masked("passwordless", "passwordless");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_settings_of_ipxe_stay),
		cmocka_unit_test(test_the_daemon_judges_too),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_unknown_key),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_wrong_flags),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_credential_that_is_none),
		cmocka_unit_test(test_check_help_version),
		cmocka_unit_test(test_mask),
	};
	int descriptor = mkstemp(path);
	int failed;

	if (descriptor < 0)
		return 1;
	close(descriptor);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
