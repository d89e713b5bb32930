/* RFC 7617: name and password of Basic authorization. */
#include "unit.h"

#include <string.h>

#include "menud/credentials.h"

static void expect(const char *header, const char *name, const char *password)
{
	struct credentials given;

	assert_int_equal(credentials_parse(header, &given), ERR_OK);
	assert_string_equal(given.name, name);
	assert_string_equal(given.password, password);
}

/* And nothing of what was read before the mistake is left. */
static void refuse(const char *header, enum err expected)
{
	static const struct credentials nothing;
	struct credentials given;

	memset(&given, 'x', sizeof(given));
	assert_int_equal(credentials_parse(header, &given), expected);
	assert_memory_equal(&given, &nothing, sizeof(given));
}

static void names_and_passwords(void **state)
{
	(void)state;
	expect("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"); /* the RFC's */
	expect("Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3"); /* the RFC's, too */
	expect("basic  YW5uYTpiOmM=", "anna", "b:c");
	expect("Basic YW5uYTo=", "anna", "");
	expect("Basic YW5uYTo", "anna", ""); /* without its padding */
}

static void what_is_none(void **state)
{
	(void)state;
	refuse(NULL, ERR_ABSENT);
	refuse("", ERR_ABSENT);
	refuse("Bearer YW5uYTpi", ERR_ABSENT);
	refuse("Basic ", ERR_FORMAT);
	refuse("Basic YW5uYQ==", ERR_FORMAT);	      /* "anna", no colon */
	refuse("Basic OnNlY3JldA==", ERR_FORMAT);     /* ":secret" */
	refuse("Basic YW5uYTpzAGVjcmV0", ERR_FORMAT); /* a NUL octet in it */
	refuse("Basic YW5uYTpz!", ERR_FORMAT);
	refuse("Basic YW5=uYTpz", ERR_FORMAT);
}

/* `name` octets of 'a', ':', and `password` octets of 'a', as base64 of threes. */
static enum err parse_long(size_t name, size_t password)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char plain[2048], header[4096] = "Basic ";
	size_t length = 6;
	struct credentials given;

	memset(plain, 'a', sizeof(plain));
	plain[name] = ':';
	for (size_t i = 0; i < name + 1 + password; i += 3) {
		unsigned three = (unsigned)plain[i] << 16 | (unsigned)plain[i + 1] << 8 |
				 (unsigned)plain[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			header[length++] = digits[three >> shift & 63];
	}
	header[length] = '\0';
	return credentials_parse(header, &given);
}

static void the_longest(void **state)
{
	(void)state;
	/* sums that three divides: no octet is added */
	assert_int_equal(parse_long(255, 500), ERR_OK);
	assert_int_equal(parse_long(256, 499), ERR_SPACE);
	assert_int_equal(parse_long(1, 511), ERR_OK);
	assert_int_equal(parse_long(1, 514), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_passwords),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
