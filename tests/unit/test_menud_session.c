/* Sessions: signed words that hold for one address and a time. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "menud/session.h"

static const struct session_keys keys = {
	.key = {"the key of the hour before now", "the key of this hour", "the next key"},
	.count = 3,
	.current = 1,
};
static const struct session anna = {SESSION_OPERATOR, "anna", 5000};
static const struct ip here = {{0xfd, [15] = 1}}, there = {{0xfd, [15] = 2}};

static void written_and_read(void **state)
{
	char word[SESSION_WORD_SIZE];
	struct session read;

	(void)state;
	assert_int_equal(session_write(&keys, &anna, &here, word), ERR_OK);
	assert_int_equal(session_read(&keys, word, &here, 4999, &read), ERR_OK);
	assert_string_equal(read.operator, "anna");
	assert_int_equal(read.role, SESSION_OPERATOR);
	assert_int_equal(read.ends_at, 5000);
	assert_int_equal(session_read(&keys, word, &here, 5000, &read), ERR_RANGE);
	assert_int_equal(session_read(&keys, word, &there, 4999, &read), ERR_REFUSED);
}

static void keys_come_and_go(void **state)
{
	struct session_keys other = keys;
	char word[SESSION_WORD_SIZE];
	struct session read;

	(void)state;
	other.current = 2; /* somebody else is an hour ahead */
	assert_int_equal(session_write(&other, &anna, &here, word), ERR_OK);
	assert_int_equal(session_read(&keys, word, &here, 1, &read), ERR_OK);
	other.count = 2;
	assert_int_equal(session_read(&other, word, &here, 1, &read), ERR_REFUSED);
	other.count = 0;
	assert_int_equal(session_read(&other, word, &here, 1, &read), ERR_REFUSED);
	assert_int_equal(session_write(&other, &anna, &here, word), ERR_ABSENT);
}

/* Whatever octet is changed, left out or added: it is no word of ours any more. */
static void changed_anywhere(void **state)
{
	char word[SESSION_WORD_SIZE], other[SESSION_WORD_SIZE + 2];
	struct session read = {.role = SESSION_ANONYMOUS};
	size_t length;

	(void)state;
	assert_int_equal(session_write(&keys, &anna, &here, word), ERR_OK);
	length = strlen(word);
	for (size_t i = 0; i < length; i++) {
		for (const char *digit = "0123456789abcdefg"; *digit; digit++) {
			memcpy(other, word, length + 1);
			other[i] = *digit;
			if (*digit != word[i])
				assert_int_not_equal(
					session_read(&keys, other, &here, 1, &read), ERR_OK);
		}
		memcpy(other, word, i);
		other[i] = '\0';
		assert_int_not_equal(session_read(&keys, other, &here, 1, &read), ERR_OK);
	}
	(void)snprintf(other, sizeof(other), "%s61", word);
	assert_int_equal(session_read(&keys, other, &here, 1, &read), ERR_REFUSED);
	assert_int_equal(read.role, SESSION_ANONYMOUS);
}

static void the_longest_name(void **state)
{
	struct session session = anna;
	struct session read;
	char word[SESSION_WORD_SIZE];
	char longer[2 * SESSION_WORD_SIZE];

	(void)state;
	memset(session.operator, 0xf0, sizeof(session.operator) - 1);
	assert_int_equal(session_write(&keys, &session, &here, word), ERR_OK);
	assert_int_equal(session_read(&keys, word, &here, 1, &read), ERR_OK);
	assert_string_equal(read.operator, session.operator);
	(void)snprintf(longer, sizeof(longer), "%s%s", word, word);
	assert_int_equal(session_read(&keys, longer, &here, 1, &read), ERR_FORMAT);
}

static void roles(void **state)
{
	(void)state;
	assert_int_equal(session_role_named("viewer"), SESSION_VIEWER);
	assert_int_equal(session_role_named("operator"), SESSION_OPERATOR);
	assert_int_equal(session_role_named("anonymous"), SESSION_ANONYMOUS);
	assert_int_equal(session_role_named("boss"), SESSION_ANONYMOUS);
	assert_string_equal(session_role_name(SESSION_VIEWER), "viewer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(keys_come_and_go),
		cmocka_unit_test(changed_anywhere),
		cmocka_unit_test(the_longest_name),
		cmocka_unit_test(roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
