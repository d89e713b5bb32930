/* Escapers: no foreign byte begins a new command, parameter or line. */
#include "unit.h"

#include <stdlib.h>

#include "core/text.h"

typedef void put_function(struct text *out, const char *string);

static void expect(put_function *put, const char *string, const char *escaped)
{
	char buffer[256];
	struct text out = text_into(buffer, sizeof(buffer));

	put(&out, string);
	assert_false(out.failed);
	assert_string_equal(buffer, escaped);
}

static void a_full_buffer_fails_and_stays_a_string(void **state)
{
	char buffer[8];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	text_put(&out, "1234567");
	assert_false(out.failed);
	text_put(&out, "8");
	assert_true(out.failed);
	assert_string_equal(buffer, "1234567");
	out = text_into(buffer, sizeof(buffer));
	text_printf(&out, "%s", "12345678");
	assert_true(out.failed);
	assert_string_equal(buffer, "");
}

static void writes_octets_in_hexadecimal(void **state)
{
	const uint8_t octets[] = {0x00, 0x0a, 0xf1};
	char buffer[7];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	text_put_hex(&out, octets, 3);
	assert_string_equal(buffer, "000af1");
	assert_false(out.failed);
	text_put_hex(&out, octets, 0);
	assert_false(out.failed);
	text_put_hex(&out, octets, 1);
	assert_true(out.failed);
	assert_string_equal(buffer, "000af1");
}

static void escapes_for_urls(void **state)
{
	(void)state;
	expect(text_put_url, "a b&c=d/\xc3\xa9", "a%20b%26c%3Dd%2F%C3%A9");
	expect(text_put_url_path, "fos/bz Image", "fos/bz%20Image");
}

static void escapes_for_ipxe(void **state)
{
	(void)state;
	expect(text_put_ipxe, "lab\r\nshell", "lab shell");
	expect(text_put_ipxe, "a || shell && b", "a '|| shell '&& b");
	expect(text_put_ipxe, "# no comment", "'# no comment");
	expect(text_put_ipxe, "${net0/mac}", "$ {net0/mac}");
	expect(text_put_ipxe, "ends \\", "ends \\'");
	expect(text_put_ipxe_operator, "root=${x}", "root=${x}");
}

static void escapes_for_json(void **state)
{
	(void)state;
	expect(text_put_json, "a\"b\\c\n", "a\\\"b\\\\c\\u000a");
	expect(text_put_json, "\xc3\xa9", "\xc3\xa9");
	/* octets that are no UTF-8 would spoil a whole batch of events in the database */
	expect(text_put_json, "x\xff\xc3y", "x\\ufffd\\ufffdy");
	expect(text_put_json, "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"); /* a surrogate */
	expect(text_put_json, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
	expect(text_put_json, "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
	expect(text_put_json, "\xe2\x82", "\\ufffd\\ufffd"); /* cut short */
}

static void quotes_for_logs(void **state)
{
	(void)state;
	expect(text_put_logfmt, "ipxe.efi", "ipxe.efi");
	expect(text_put_logfmt, "", "\"\"");
	expect(text_put_logfmt, "a b\n\"", "\"a b\\x0a\\\"\"");
}

static void decodes_forms(void **state)
{
	char good[] = "a+b%20c%2Fd%e9";
	char broken[] = "a%2";
	char no_digits[] = "a%zz";
	char nul[] = "a%00b";
	size_t length;

	(void)state;
	assert_int_equal(text_decode_form(good, strlen(good), &length), ERR_OK);
	assert_int_equal(length, 8);
	assert_memory_equal(good, "a b c/d\xe9", 8);
	assert_int_equal(text_decode_form(broken, strlen(broken), &length), ERR_FORMAT);
	assert_int_equal(text_decode_form(no_digits, strlen(no_digits), &length), ERR_FORMAT);
	assert_int_equal(text_decode_form(nul, strlen(nul), &length), ERR_FORMAT);
}

/* A model of iPXE's parser: does the text, at the end of an echo, say more than one command? */
static bool says_more(const char *escaped)
{
	const char *word = escaped;

	if (strpbrk(escaped, "\r\n") || strstr(escaped, "${"))
		return true;
	if (escaped[0] != '\0' && escaped[strlen(escaped) - 1] == '\\')
		return true;
	while (*word) {
		size_t length = strcspn(word, " \t");

		if (word[0] == '#' || (length == 2 && (strncmp(word, "||", 2) == 0 ||
						       strncmp(word, "&&", 2) == 0)))
			return true;
		word += length;
		word += strspn(word, " \t");
	}
	return false;
}

static void no_random_text_ever_says_more(void **state)
{
	static const char pieces[][4] = {"|", "&",  "$",  "{",	"}",	"#",
					 ":", "\\", " ",  "\n", "\r",	"\t",
					 "a", "||", "&&", "${", "\x7f", "\xff"};

	(void)state;
	srand(20261122);
	for (int round = 0; round < 20000; round++) {
		char foreign[64] = "";
		char buffer[512];
		struct text out = text_into(buffer, sizeof(buffer));

		for (int i = rand() % 12; i > 0; i--)
			strcat(foreign,
			       pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
		text_put_ipxe(&out, foreign);
		assert_false(out.failed);
		if (says_more(buffer))
			fail_msg("\"%s\" became \"%s\"", foreign, buffer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_buffer_fails_and_stays_a_string),
		cmocka_unit_test(writes_octets_in_hexadecimal),
		cmocka_unit_test(escapes_for_urls),
		cmocka_unit_test(escapes_for_ipxe),
		cmocka_unit_test(escapes_for_json),
		cmocka_unit_test(quotes_for_logs),
		cmocka_unit_test(decodes_forms),
		cmocka_unit_test(no_random_text_ever_says_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
