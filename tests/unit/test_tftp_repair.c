#include "unit.h"

#include "tftpd/repair.h"

static void test_words(void **state)
{
	unsigned set = 0;
	char buffer[64];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	assert_int_equal(repair_parse("slash backslash trailing case folder", &set), ERR_OK);
	assert_int_equal(set, (1 << REPAIRS) - 1);
	assert_int_equal(repair_parse("  case\tslash ", &set), ERR_OK);
	assert_int_equal(set, 1 << REPAIR_CASE | 1 << REPAIR_SLASH);
	repair_put(&out, set);
	assert_string_equal(buffer, "slash, case");
	assert_int_equal(repair_parse("", &set), ERR_OK);
	assert_int_equal(set, 0);
	set = 42;
	assert_int_equal(repair_parse("case upper", &set), ERR_FORMAT);
	assert_int_equal(repair_parse("cas", &set), ERR_FORMAT);
	assert_int_equal(set, 42);
}

static void test_what_a_path_needed(void **state)
{
	struct path path;

	(void)state;
	assert_int_equal(path_clean("\\boot\\a\xff", 8, &path), ERR_OK);
	assert_int_equal(repair_of_path(&path), 1 << REPAIR_BACKSLASH | 1 << REPAIR_TRAILING);
	assert_int_equal(path_clean("/a", 2, &path), ERR_OK);
	assert_int_equal(repair_of_path(&path), 1 << REPAIR_SLASH);
	assert_int_equal(path_clean("a", 1, &path), ERR_OK);
	assert_int_equal(repair_of_path(&path), 0);
}

static struct site_boot_file files[] = {{7, false, "", "efi/debian/shimx64.efi"},
					{0, false, "", "undionly.kpxe"}};
static const struct site site = {.boot_files = files, .boot_file_count = 2};

/* Every proposal, in order. */
static void expect(const char *asked, const char *const *wanted)
{
	struct repair_paths paths;
	size_t count = 0;

	repair_folders(&site, asked, &paths);
	for (; wanted[count]; count++) {
		assert_true(count < paths.count);
		assert_string_equal(paths.path[count], wanted[count]);
	}
	assert_int_equal(paths.count, count);
}

static void test_second_stages(void **state)
{
	(void)state;
	expect("grubx64.efi",
	       (const char *const[]){"efi/debian/grubx64.efi", "EFI/BOOT/grubx64.efi",
				     "grub/grubx64.efi", "boot/grub/grubx64.efi", NULL});
	expect("EFI/BOOT/revocations.efi",
	       (const char *const[]){"BOOT/revocations.efi", "revocations.efi",
				     "efi/debian/revocations.efi", "grub/revocations.efi",
				     "boot/grub/revocations.efi", NULL});
	expect("debian/grub/x86_64-efi/command.lst",
	       (const char *const[]){"grub/x86_64-efi/command.lst",
				     "boot/grub/x86_64-efi/command.lst", NULL});
	expect("grub/grub.cfg", (const char *const[]){"boot/grub/grub.cfg", NULL});
}

static void test_other_names_are_left_alone(void **state)
{
	(void)state;
	expect("bzImage", (const char *const[]){NULL});
	expect("a/b/ipxe.efi", (const char *const[]){NULL});
	expect("mygrub/grub", (const char *const[]){NULL});
	expect("grubx64.efi.bak", (const char *const[]){NULL});
}

static void test_too_long_is_not_proposed(void **state)
{
	char asked[PATH_SIZE];
	struct repair_paths paths;

	(void)state;
	memset(asked, 'x', sizeof(asked));
	memcpy(asked, "grubx64", 7);
	memcpy(asked + sizeof(asked) - 5, ".efi", 5);
	repair_folders(&site, asked, &paths);
	assert_int_equal(paths.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_what_a_path_needed),
		cmocka_unit_test(test_second_stages),
		cmocka_unit_test(test_other_names_are_left_alone),
		cmocka_unit_test(test_too_long_is_not_proposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
