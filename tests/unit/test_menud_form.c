/* What loaders say of their machines: our names, FOG's names, and nonsense. */
#include "unit.h"

#include "menud/form.h"

static void takes_our_names(void **state)
{
	struct form form;
	char buffer[1024];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	form_init(&form);
	assert_int_equal(form_take(&form, "mac0", "52:54:00:00:00:01"), ERR_OK);
	assert_int_equal(form_take(&form, "mac1", "52:54:00:00:00:01"), ERR_OK);
	assert_int_equal(form_take(&form, "mac2", ""), ERR_OK);
	assert_int_equal(form_take(&form, "arch", "x86_64"), ERR_OK);
	assert_int_equal(form_take(&form, "platform", "efi"), ERR_OK);
	assert_int_equal(form_take(&form, "product", "Standard PC & \"more\""), ERR_OK);
	assert_int_equal(form_take(&form, "sysuuid", "00112233-4455-6677-8899-aabbccddeeff"),
			 ERR_OK);
	assert_int_equal(form_take(&form, "try", "3"), ERR_OK);
	assert_int_equal(form_take(&form, "whatever", "is ignored"), ERR_OK);
	assert_int_equal(form.mac_count, 1);
	assert_int_equal(form.arch.cpu, ARCH_X86_64);
	assert_int_equal(form.arch.firmware, FIRMWARE_EFI);
	assert_int_equal(form.attempt, 3);
	form_put_query(&form, &out);
	assert_string_equal(
		buffer, "mac0=52%3A54%3A00%3A00%3A00%3A01"
			"&uuid=00112233-4455-6677-8899-aabbccddeeff&arch=x86_64&platform=efi"
			"&product=Standard%20PC%20%26%20%22more%22");
	out = text_into(buffer, sizeof(buffer));
	form_put_facts(&form, &out);
	assert_string_equal(
		buffer, "{\"mac0\":\"52:54:00:00:00:01\","
			"\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\",\"arch\":\"x86_64\","
			"\"platform\":\"efi\",\"product\":\"Standard PC & "
			"\\\"more\\\"\",\"cpu\":\"x86_64\",\"firmware\":\"efi\"}");
}

/* A server with InfiniBand or FireWire boots by its Ethernet card all the same. */
static void what_is_no_ethernet_card_is_left_out(void **state)
{
	static const char *const others[] = {
		"52:54:00:ff:fe:00:00:01",
		"80-00-02-08-fe-80-00-00-00-00-00-00-52-54-00-ff-fe-00-00-01",
		"00:00:00:00:00:00",
		"ff:ff:ff:ff:ff:ff",
		"01:00:5e:00:00:01",
		"",
	};
	static const char *const wrong[] = {"52:54:00:ff:fe:00:00:0", "52:54:00:ff:fe:00:00:0x",
					    "52:54:00:ff:fe:00:00+01", "5254.0000.0001", "x"};
	struct form form;

	(void)state;
	form_init(&form);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(form_take(&form, "mac1", others[i]), ERR_OK);
	assert_int_equal(form.mac_count, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(form_take(&form, "mac1", wrong[i]), ERR_FORMAT);
}

/* The word stays between the loader and menud; the database learns what it is worth. */
static void a_session_is_in_links_and_its_role_in_facts(void **state)
{
	struct form form;
	char buffer[1024];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	form_init(&form);
	assert_int_equal(form_take(&form, "session", "00ff&x"), ERR_OK);
	form_put_query(&form, &out);
	assert_string_equal(buffer, "session=00ff%26x");
	out = text_into(buffer, sizeof(buffer));
	form_put_facts(&form, &out);
	assert_null(strstr(buffer, "role"));
	out = text_into(buffer, sizeof(buffer));
	form.role = "operator";
	form_put_facts(&form, &out);
	assert_non_null(strstr(buffer, "\"role\":\"operator\",\"operator\":\"\""));
	/* who it is, menud says, never a field */
	assert_int_equal(form_take(&form, "operator", "anna"), ERR_OK);
	assert_string_equal(form.operator, "");
	assert_int_equal(form_take(&form, "role", "operator"), ERR_OK);
	assert_int_equal(form_take(&form, "image", "tiny"), ERR_OK);
	out = text_into(buffer, sizeof(buffer));
	form_put_facts(&form, &out);
	assert_non_null(strstr(buffer, "\"image\":\"tiny\""));
	assert_null(strstr(buffer, "00ff"));
}

static void takes_fogs_joined_macs(void **state)
{
	struct form form;

	(void)state;
	form_init(&form);
	assert_int_equal(form_take(&form, "mac", "52:54:00:00:00:01||52:54:00:00:00:02|"),
			 ERR_OK);
	assert_int_equal(form.mac_count, 2);
	assert_int_equal(form.macs[1].octet[5], 2);
}

/* FOG 1.6 names the card that it boots from apart from the others. */
static void the_booted_card_comes_first(void **state)
{
	struct form form;
	char buffer[1024];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	form_init(&form);
	assert_int_equal(form_take(&form, "mac0", "52:54:00:00:00:01"), ERR_OK);
	assert_int_equal(form_take(&form, "mac1", "52:54:00:00:00:02"), ERR_OK);
	assert_int_equal(form_take(&form, "macboot", "52:54:00:00:00:02"), ERR_OK);
	assert_int_equal(form_take(&form, "mac2", "52:54:00:00:00:03"), ERR_OK);
	form_put_query(&form, &out);
	assert_string_equal(buffer, "mac0=52%3A54%3A00%3A00%3A00%3A02"
				    "&mac1=52%3A54%3A00%3A00%3A00%3A01"
				    "&mac2=52%3A54%3A00%3A00%3A00%3A03");
	assert_int_equal(form_take(&form, "macboot", "52:54:00:00:00:09"), ERR_OK);
	assert_int_equal(form.macs[0].octet[5], 9);
	assert_int_equal(form.mac_count, 4);
	for (int i = 0; i < 4; i++) {
		char mac[] = "52:54:00:00:01:00";

		mac[16] = (char)('0' + i);
		assert_int_equal(form_take(&form, "mac7", mac), ERR_OK);
	}
	/* full: one that is known may still be the booted one */
	assert_int_equal(form_take(&form, "macboot", "52:54:00:00:01:03"), ERR_OK);
	assert_int_equal(form.macs[0].octet[5], 3);
	assert_int_equal(form.mac_count, HOST_MACS_MAX);
	assert_int_equal(form_take(&form, "macboot", "52:54:00:00:02:00"), ERR_SPACE);
}

static void refuses_nonsense(void **state)
{
	struct form form;
	char macs[256] = "";

	(void)state;
	form_init(&form);
	assert_int_equal(form_take(&form, "mac0", "not a mac"), ERR_FORMAT);
	assert_int_equal(form_take(&form, "mac", "52:54:00:00:00:01|x"), ERR_FORMAT);
	assert_int_equal(form_take(&form, "try", "-1"), ERR_FORMAT);
	assert_int_equal(form_take(&form, "try", "4000000000"), ERR_FORMAT);
	assert_int_equal(form_take(&form, "sysuuid", "none"), ERR_OK);
	assert_false(form.has_uuid);
	for (char last = '1'; last <= '9'; last++) {
		size_t length = strlen(macs);

		memcpy(macs + length, "52:54:00:00:01:0x|", 19);
		macs[length + 16] = last;
	}
	form_init(&form);
	assert_int_equal(form_take(&form, "mac", macs), ERR_SPACE);
}

static void long_text_is_cut_between_characters(void **state)
{
	struct form form;
	char value[FORM_TEXT_SIZE + 8];

	(void)state;
	form_init(&form);
	memset(value, 'x', sizeof(value));
	memcpy(value + FORM_TEXT_SIZE - 2, "\xc3\xa9", 2); /* it would be cut in two */
	value[FORM_TEXT_SIZE + 2] = '\0';
	assert_int_equal(form_take(&form, "product", value), ERR_OK);
	assert_int_equal(strlen(form.product), FORM_TEXT_SIZE - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_our_names),
		cmocka_unit_test(what_is_no_ethernet_card_is_left_out),
		cmocka_unit_test(a_session_is_in_links_and_its_role_in_facts),
		cmocka_unit_test(takes_fogs_joined_macs),
		cmocka_unit_test(the_booted_card_comes_first),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(long_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
