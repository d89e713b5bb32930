/* What the names of GRUB and PXELINUX say of a machine, and in which language it is answered.
 */
#include "unit.h"

#include "menud/dialect.h"

static struct form form_of(const char *path, enum err expected)
{
	struct search search;
	struct form form;

	form_init(&form);
	assert_true(search_parse(path, &search));
	assert_int_equal(dialect_take_name(&search, &form), expected);
	return form;
}

static void a_name_with_a_mac_is_a_machine(void **state)
{
	static const struct mac lab = {{0x52, 0x54, 0, 0, 0, 1}};
	struct form form = form_of("grub/grub.cfg-01-52-54-00-00-00-01", ERR_OK);

	(void)state;
	assert_int_equal(form.mac_count, 1);
	assert_true(mac_equal(&form.macs[0], &lab));
	assert_int_equal(form.arch.firmware, FIRMWARE_EFI);
	form = form_of("tftp/pxelinux.cfg/01-52-54-00-00-00-01", ERR_OK);
	assert_int_equal(form.mac_count, 1);
	assert_int_equal(form.arch.firmware, FIRMWARE_BIOS);
}

static void the_last_name_is_whoever_asks(void **state)
{
	(void)state;
	assert_int_equal(form_of("boot/grub.cfg", ERR_OK).mac_count, 0);
	assert_int_equal(form_of("pxelinux.cfg/default", ERR_OK).mac_count, 0);
}

static void an_address_and_a_uuid_are_not_enough(void **state)
{
	(void)state;
	(void)form_of("pxelinux.cfg/0A4D0064", ERR_ABSENT);
	(void)form_of("pxelinux.cfg/00112233-4455-6677-8899-aabbccddeeff", ERR_ABSENT);
}

static void what_grub_says_of_itself_stands(void **state)
{
	struct search search;
	struct form form;

	(void)state;
	form_init(&form);
	assert_int_equal(form_take(&form, "arch", "i386"), ERR_OK);
	assert_int_equal(form_take(&form, "platform", "pc"), ERR_OK);
	assert_true(search_parse("boot/grub.cfg", &search));
	assert_int_equal(dialect_take_name(&search, &form), ERR_OK);
	assert_int_equal(form.arch.firmware, FIRMWARE_BIOS);
	assert_int_equal(form.arch.cpu, ARCH_I386);
}

static void each_loader_has_its_language(void **state)
{
	static const struct {
		enum boot_loader loader;
		const char *begins;
	} cases[] = {
		{BOOT_LOADER_IPXE, "#!ipxe\n"},
		{BOOT_LOADER_GRUB, "# made by rouse for this machine\nexit 1\n"},
		{BOOT_LOADER_PXELINUX, "# made by rouse for this machine\nDEFAULT local\n"},
	};
	static const struct site site = {0};
	struct boot_facts facts = {.host = ""};
	struct menu menu = menu_start(&site, &facts);
	char buffer[512];

	(void)state;
	menu.kind = MENU_LOCAL;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text out = text_into(buffer, sizeof(buffer));

		assert_int_equal(dialect_render(cases[i].loader, &menu, &out), ERR_OK);
		assert_memory_equal(buffer, cases[i].begins, strlen(cases[i].begins));
		out = text_into(buffer, 4);
		assert_int_equal(dialect_render(cases[i].loader, &menu, &out), ERR_SPACE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_with_a_mac_is_a_machine),
		cmocka_unit_test(the_last_name_is_whoever_asks),
		cmocka_unit_test(an_address_and_a_uuid_are_not_enough),
		cmocka_unit_test(what_grub_says_of_itself_stands),
		cmocka_unit_test(each_loader_has_its_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
