/* Map files as people have them for tftp-hpa, and mistakes in them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tftpd/map.h"

static enum err read_text(const char *text, struct map *map)
{
	char name[] = "/tmp/rouse-test-map-XXXXXX";
	int file = mkstemp(name);
	enum err err;

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	(void)close(file);
	err = map_read(name, map);
	(void)unlink(name);
	return err;
}

static void expect_for(const char *from, const char *rules, const char *asked,
		       const char *wanted)
{
	struct map map;
	struct ip client;
	char name[PATH_SIZE];

	assert_int_equal(ip_parse(from, &client), ERR_OK);
	assert_int_equal(read_text(rules, &map), ERR_OK);
	assert_int_equal(map_apply(&map, false, &client, asked, name), ERR_OK);
	assert_string_equal(name, wanted);
	map_free(&map);
}

static void expect(const char *rules, const char *asked, const char *wanted)
{
	expect_for("10.77.0.100", rules, asked, wanted);
}

static void test_rules(void **state)
{
	(void)state;
	expect("", "a\\b", "a\\b");
	expect("# comment\n\nrg \\\\ /   # backslashes\n", "\\Boot\\BCD", "/Boot/BCD");
	expect("r ^[^/] /tftpboot/\\0\n", "pxelinux.0", "/tftpboot/pxelinux.0");
	expect("ri ^/?boot/ /Boot/\n", "bOOt/x", "/Boot/x");
	expect("r ^(.*)/([^/]*)$ \\2-\\1\n", "a/b", "b-a");
	expect("r ^config$ cfg-\\i-\\x\n", "config", "cfg-10.77.0.100-0A4D0064");
	expect_for("fd00::1f", "r ^config$ \\i-\\x\n", "config",
		   "fd00::1f-FD00000000000000000000000000001F");
	expect("r (a+)(b+)(c+) \\U\\1\\L\\2\\E\\3\n", "aaBBbbcC", "aaBBbbcC");
	expect("ri (a+)(b+)(c+) \\U\\1\\L\\2\\E\\3\n", "aaBBcC", "AAbbcC");
	expect("r x \\\\\\#\n", "x", "\\#");
	expect("r ^config$ \\L\\x\\E\\x\n", "config", "0a4d00640A4D0064");
	expect_for("fe80::a", "r ^config$ \\U\\i\n", "config", "FE80::A");
	expect("4r a four\n6r a six\n", "a", "four");
	expect_for("fd00::1f", "4r a four\n6r a six\n", "a", "six");
	expect("46r a b\nGPr a b\n", "a", "a"); /* for nobody */
	expect("r x\n", "axb", "ab");
}

static void test_flow(void **state)
{
	(void)state;
	expect("re ^a b\nr b c\n", "a", "b");
	expect("r ^a b\nr b c\n", "a", "c");
	expect("r c d\nrs ^a c\n", "a", "d");
	expect("e ^keep\nr .* x\n", "keep/me", "keep/me");
	expect("~e ^only\nr ^only x\n", "other", "other");
	expect("rge a b\nr b c\n", "aa", "bb");
	expect("Pr a x\nGr a y\n", "a", "y");
}

static void test_refusals(void **state)
{
	struct map map;
	const struct ip client = ip_from_v4(0x0a4d0064);
	char name[PATH_SIZE];

	(void)state;
	assert_int_equal(read_text("a \\.key$\nr a aa\n", &map), ERR_OK);
	assert_int_equal(map_apply(&map, false, &client, "site.key", name), ERR_REFUSED);
	assert_int_equal(map_apply(&map, false, &client, "a", name), ERR_OK);
	assert_string_equal(name, "aa");
	map_free(&map);
	/* for ever: round and round, or longer and longer */
	assert_int_equal(read_text("rg a a\n", &map), ERR_OK);
	assert_int_equal(map_apply(&map, false, &client, "a", name), ERR_SPACE);
	map_free(&map);
	assert_int_equal(read_text("rs a aaaaaaaaaaaa\n", &map), ERR_OK);
	assert_int_equal(map_apply(&map, false, &client, "a", name), ERR_SPACE);
	map_free(&map);
}

static void expect_refusal(const char *rules, const char *asked, const char *message)
{
	const struct ip client = ip_from_v4(0x0a4d0064);
	struct map map;
	char told[PATH_SIZE];

	assert_int_equal(read_text(rules, &map), ERR_OK);
	assert_int_equal(map_apply(&map, false, &client, asked, told), ERR_REFUSED);
	assert_string_equal(told, message);
	map_free(&map);
}

static void test_messages(void **state)
{
	char rule[PATH_SIZE + 8] = "a ^x$ ";

	(void)state;
	expect_refusal("a x\n", "x", "");
	expect_refusal("a ^.*\\.key$ \\0\\ is\\ not\\ for\\ \\i\n", "a.key",
		       "a.key is not for 10.77.0.100");
	expect_refusal("a ^/?(pxe) \\U\\1\\E\\ only\\ not\\ \n", "/pxelinux.0",
		       "PXE only not linux.0");
	expect_refusal("~a ^ok \\0:\\ \\1not\\ ok\n", "no", "no: not ok");
	/* longer than a name can be: the message is left out, the refusal stays */
	memset(rule + strlen(rule), 'y', PATH_SIZE);
	rule[sizeof(rule) - 1] = '\0';
	expect_refusal(rule, "x", "");
}

static void test_mistakes(void **state)
{
	static const char *const wrong[] = {"r\n",	 "x a b\n",  "r ( b\n",
					    "~r a b\n",	 "g a\n",    "e a b\n",
					    "r a b c\n", "ra a b\n", "7r a b\n"};
	struct map map = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(read_text(wrong[i], &map), ERR_FORMAT);
	assert_int_equal(map_read("/nonexistent/map", &map), ERR_SYSTEM);
	assert_null(map.rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),	 cmocka_unit_test(test_flow),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_messages),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
