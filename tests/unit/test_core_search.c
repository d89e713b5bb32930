#include "unit.h"

#include "core/search.h"

static const struct mac lab_mac = {{0x52, 0x54, 0, 0xab, 0xcd, 1}};

static struct search found(const char *path)
{
	struct search search;

	assert_true(search_parse(path, &search));
	return search;
}

static void test_grub(void **state)
{
	struct search search = found("grub/grub.cfg");

	(void)state;
	assert_int_equal(search.loader, BOOT_LOADER_GRUB);
	assert_int_equal(search.by, SEARCH_LAST);
	assert_string_equal(search.last, "grub/grub.cfg");
	search = found("EFI/debian/grub.cfg-01-52-54-00-ab-cd-01");
	assert_int_equal(search.by, SEARCH_MAC);
	assert_true(mac_equal(&search.mac, &lab_mac));
	assert_string_equal(search.last, "EFI/debian/grub.cfg");
	search = found("grub/grub.cfg-0A4D0064");
	assert_int_equal(search.by, SEARCH_ADDRESS);
	assert_int_equal(search.address, 0x0a4d0064);
	assert_int_equal(found("grub.cfg").by, SEARCH_LAST);
}

static void test_pxelinux(void **state)
{
	struct search search = found("pxelinux.cfg/default");

	(void)state;
	assert_int_equal(search.loader, BOOT_LOADER_PXELINUX);
	assert_int_equal(search.by, SEARCH_LAST);
	search = found("pxelinux.cfg/01-52-54-00-AB-CD-01");
	assert_int_equal(search.by, SEARCH_MAC);
	assert_true(mac_equal(&search.mac, &lab_mac));
	assert_string_equal(search.last, "pxelinux.cfg/default");
	search = found("a/pxelinux.cfg/ac1002ff");
	assert_int_equal(search.by, SEARCH_ADDRESS);
	assert_int_equal(search.address, 0xac1002ff);
	assert_string_equal(search.last, "a/pxelinux.cfg/default");
	assert_int_equal(found("pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d").by,
			 SEARCH_UUID);
}

static void test_other_names_are_none(void **state)
{
	static const char *const others[] = {"grub/grub.cfg-0A4D006",
					     "grub/grub.cfg-",
					     "grub/grub.cfgs",
					     "grub/mygrub.cfg",
					     "grub/grub.cfg/a",
					     "pxelinux.cfg/0A4D006",
					     "pxelinux.cfg/0A4D00645",
					     "pxelinux.cfg/default-arm",
					     "pxelinux.cfg",
					     "apxelinux.cfg/default",
					     "default",
					     "pxelinux.cfg/a/default",
					     "pxelinux.cfg/52-54-00-ab-cd-01"};
	struct search search;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(search_parse(others[i], &search));
}

static void test_the_longest_path(void **state)
{
	char path[PATH_SIZE];
	struct search search;

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 23, "/pxelinux.cfg/0A4D0064", 23);
	assert_true(search_parse(path, &search));
	assert_int_equal(strlen(search.last), PATH_SIZE - 1 - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grub),
		cmocka_unit_test(test_pxelinux),
		cmocka_unit_test(test_other_names_are_none),
		cmocka_unit_test(test_the_longest_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
