/* Text as it travels, in pieces of any length. */
#include "unit.h"

#include "tftpd/netascii.h"

/* The same text whole, and cut at every place. */
static void expect(const char *in, size_t length, const char *wanted, size_t wanted_length)
{
	for (size_t cut = 0; cut <= length; cut++) {
		struct netascii state = {0};
		uint8_t out[64];
		size_t written = netascii_decode(&state, (const uint8_t *)in, cut, out);

		assert_true(written <= cut);
		written += netascii_decode(&state, (const uint8_t *)in + cut, length - cut,
					   out + written);
		written += netascii_end(&state, out + written);
		assert_int_equal(written, wanted_length);
		assert_memory_equal(out, wanted, wanted_length);
	}
}

#define EXPECT(in, wanted) expect(in, sizeof(in) - 1, wanted, sizeof(wanted) - 1)

static void test_line_ends(void **state)
{
	(void)state;
	EXPECT("", "");
	EXPECT("hostname switch\r\nend\r\n", "hostname switch\nend\n");
	EXPECT("a\r\0b", "a\rb");
	EXPECT("\r\n\r\n\r\0\r\n", "\n\n\r\n");
}

/* What senders get wrong loses nothing. */
static void test_careless_senders(void **state)
{
	(void)state;
	EXPECT("a\nb", "a\nb");
	EXPECT("a\rb", "a\rb");
	EXPECT("a\r", "a\r");
	EXPECT("\r\r\n", "\r\n");
	EXPECT("\0\r\0\0", "\0\r\0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_careless_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
