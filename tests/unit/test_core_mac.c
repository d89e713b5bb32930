/* MACs in every spelling that firmware, loaders and people use. */
#include "unit.h"

#include "core/mac.h"

static void reads_every_spelling(void **state)
{
	static const char *const spellings[] = {"52:54:00:ab:cd:ef", "52-54-00-AB-CD-EF",
						"525400abcdef", "01-52-54-00-ab-cd-ef"};
	const struct mac expected = {{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}};

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		struct mac mac;

		assert_int_equal(mac_parse(spellings[i], strlen(spellings[i]), &mac), ERR_OK);
		assert_true(mac_equal(&mac, &expected));
	}
}

static void refuses_what_is_no_mac(void **state)
{
	static const char *const wrong[] = {"",
					    "52:54:00:ab:cd",
					    "52:54:00:ab:cd:eg",
					    "52:54-00:ab:cd:ef",
					    "52.54.00.ab.cd.ef",
					    "52:54:00:ab:cd:ef ",
					    "02-52-54-00-ab-cd-ef",
					    "52540:abcde:"};
	struct mac mac = {{9, 9, 9, 9, 9, 9}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(mac_parse(wrong[i], strlen(wrong[i]), &mac), ERR_FORMAT);
	assert_int_equal(mac.octet[0], 9); /* written on success only */
}

static void writes_colons_and_dashes(void **state)
{
	const struct mac mac = {{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}};
	char text[MAC_TEXT_SIZE];

	(void)state;
	mac_format(&mac, text);
	assert_string_equal(text, "52:54:00:ab:cd:ef");
	mac_format_dashes(&mac, text);
	assert_string_equal(text, "52-54-00-ab-cd-ef");
}

static void a_card_has_neither_zero_nor_a_groups(void **state)
{
	static const struct mac card = {{0x52, 0x54, 0, 0, 0, 1}}, zero, odd = {{1, 0, 0x5e}},
				broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	(void)state;
	assert_true(mac_is_station(&card));
	assert_false(mac_is_station(&zero));
	assert_false(mac_is_station(&odd));
	assert_false(mac_is_station(&broadcast));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_spelling),
		cmocka_unit_test(refuses_what_is_no_mac),
		cmocka_unit_test(writes_colons_and_dashes),
		cmocka_unit_test(a_card_has_neither_zero_nor_a_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
