#include <string.h>

#include "unit.h"

#include "core/tftp_ask.h"

static void test_the_request(void **state)
{
	static const uint8_t wanted[] = "\0\1ipxe.efi\0octet\0tsize\0"
					"0";
	uint8_t buffer[TFTP_ASK_SIZE];
	char name[TFTP_ASK_FILE_MAX + 2];

	(void)state;
	assert_int_equal(tftp_ask_encode("ipxe.efi", buffer), sizeof(wanted));
	assert_memory_equal(buffer, wanted, sizeof(wanted));
	assert_int_equal(tftp_ask_encode("", buffer), 0);
	memset(name, 'x', sizeof(name));
	name[TFTP_ASK_FILE_MAX + 1] = '\0';
	assert_int_equal(tftp_ask_encode(name, buffer), 0);
	name[TFTP_ASK_FILE_MAX] = '\0';
	assert_true(tftp_ask_encode(name, buffer) > TFTP_ASK_FILE_MAX);
}

static void test_the_end(void **state)
{
	uint8_t buffer[TFTP_ASK_SIZE];
	size_t length = tftp_ask_end(buffer);

	(void)state;
	assert_memory_equal(buffer, "\0\5\0\0" TFTP_ASK_END, length);
	assert_int_equal(length, 4 + sizeof(TFTP_ASK_END));
}

static void test_what_answers_say(void **state)
{
	static const struct {
		const char *octets;
		size_t length;
		enum tftp_ask_answer answer;
	} cases[] = {
		{"\0\6tsize\0"
		 "7",
		 10, TFTP_ASK_SERVED},
		{"\0\6", 2, TFTP_ASK_NONE},
		{"\0\3\0\1", 4,
		 TFTP_ASK_SERVED}, /* an empty file of a server without options */
		{"\0\3\0\2x", 5, TFTP_ASK_NONE},
		{"\0\5\0\1gone", 9, TFTP_ASK_MISSING},
		{"\0\5\0\1", 4, TFTP_ASK_MISSING},
		{"\0\5\0\2no", 7, TFTP_ASK_REFUSED},
		{"\0\5\0\10options", 12, TFTP_ASK_REFUSED},
		{"\0\5\0", 3, TFTP_ASK_NONE},
		{"\0\1ipxe.efi\0octet", 17, TFTP_ASK_NONE},
		{"\0\4\0\1", 4, TFTP_ASK_NONE},
		{"", 0, TFTP_ASK_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			tftp_ask_read((const uint8_t *)cases[i].octets, cases[i].length),
			cases[i].answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_request),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_what_answers_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
