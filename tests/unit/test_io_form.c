#include "unit.h"

#include "io/http.h"
#include "io/http_internal.h"

struct seen {
	char text[512];
	size_t count;
};

static void on_field(void *data, const char *name, const char *value)
{
	struct seen *seen = data;

	strcat(seen->text, name);
	strcat(seen->text, "[");
	strcat(seen->text, value);
	strcat(seen->text, "]");
	seen->count++;
}

static enum err parse(const char *form, size_t length, size_t most, struct seen *ret_seen)
{
	char text[256];

	*ret_seen = (struct seen){.count = 0};
	memcpy(text, form, length);
	text[length] = '!'; /* must not be read */
	return http_parse_form(text, length, most, on_field, ret_seen);
}

static void expect_fields(const char *form, const char *expected)
{
	struct seen seen;

	assert_int_equal(parse(form, strlen(form), 100, &seen), ERR_OK);
	assert_string_equal(seen.text, expected);
}

static void expect_error(const char *form, size_t length, enum err expected)
{
	struct seen seen;

	assert_int_equal(parse(form, length, 100, &seen), expected);
}

static void test_fields(void **state)
{
	(void)state;
	expect_fields("", "");
	expect_fields("a=1", "a[1]");
	expect_fields("a=1&b=2", "a[1]b[2]");
	expect_fields("a=1&a=2", "a[1]a[2]");
	expect_fields("a", "a[]");
	expect_fields("a=", "a[]");
	expect_fields("a=b=c", "a[b=c]");
	expect_fields("&a=1&&b=2&", "a[1]b[2]");
	expect_fields("a+b=c+d", "a b[c d]");
	expect_fields("mac=52%3A54%3a00", "mac[52:54:00]");
	expect_fields("a=%26%3D&b=x", "a[&=]b[x]");
	expect_fields("a=%C3%A4", "a[\xc3\xa4]");
	expect_fields("a=1%0A2", "a[1\n2]");
}

static void test_broken_fields(void **state)
{
	(void)state;
	expect_error("a=%", 3, ERR_FORMAT);
	expect_error("a=%4", 4, ERR_FORMAT);
	expect_error("a=%4&b=1", 8, ERR_FORMAT);
	expect_error("a=%zz", 5, ERR_FORMAT);
	expect_error("a=%00", 5, ERR_FORMAT);
	expect_error("a=\0b", 4, ERR_FORMAT);
	expect_error("=1", 2, ERR_FORMAT);
	expect_error("a=1&=2", 6, ERR_FORMAT);
	expect_error("a%0d=1", 6, ERR_FORMAT);
	expect_error("a%7f=1", 6, ERR_FORMAT);
}

static void test_most_fields(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(parse("a=1&b=2", 7, 2, &seen), ERR_OK);
	assert_int_equal(parse("a=1&b=2&c=3", 11, 2, &seen), ERR_RANGE);
	assert_int_equal(seen.count, 2);
}

static void expect_target(const char *target, const char *path, const char *query)
{
	char text[128];
	const char *found_path;
	char *found_query;

	strcpy(text, target);
	assert_int_equal(http_split_target(text, &found_path, &found_query), ERR_OK);
	assert_string_equal(found_path, path);
	assert_string_equal(found_query, query);
}

static void test_targets(void **state)
{
	(void)state;
	expect_target("/", "/", "");
	expect_target("/boot?mac=1&x=%41", "/boot", "mac=1&x=%41");
	expect_target("/a%20b/c+d", "/a b/c+d", "");
	expect_target("/a%3Fb?c?d", "/a?b", "c?d");
	expect_target("/%2e%2e/etc", "/../etc", "");
	expect_target("http://10.77.0.1:8080/boot?a", "/boot", "a");
	expect_target("http://host", "/", "");
	expect_target("http://host?a=b", "/", "a=b");
	expect_target("HTTP://?a", "/", "a");
	expect_target("/x?u=http://h/p", "/x", "u=http://h/p");
	expect_target("/http://h/p", "/http://h/p", "");
}

static void test_broken_targets(void **state)
{
	static const char *const broken[] = {"",       "*",    "boot", "/%",
					     "/%4",    "/%zz", "/%00", "a?u=http://host",
					     "://h/a", "/a%4"};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		char text[32];
		const char *path;
		char *query;

		strcpy(text, broken[i]);
		assert_int_equal(http_split_target(text, &path, &query), ERR_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	       cmocka_unit_test(test_broken_fields),
		cmocka_unit_test(test_most_fields),    cmocka_unit_test(test_targets),
		cmocka_unit_test(test_broken_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
