/* Names as firmware asks for them, and names that want out of the root. */
#include "unit.h"

#include "core/path.h"

static void expect(const char *request, size_t length, const char *name, unsigned mended)
{
	struct path path;

	assert_int_equal(path_clean(request, length, &path), ERR_OK);
	assert_string_equal(path.name, name);
	assert_int_equal(path.mended, mended);
}

static void cleans_names(void **state)
{
	(void)state;
	expect("ipxe.efi", 8, "ipxe.efi", 0);
	expect("/grub/grub.cfg", 14, "grub/grub.cfg", PATH_SLASH);
	expect("//a/./b//c", 10, "a/b/c", PATH_SLASH);
	expect("\\Boot\\BCD", 9, "Boot/BCD", PATH_BACKSLASH);
	expect("ipxe.efi\xff", 9, "ipxe.efi", PATH_TRAILING);
	expect("ipxe.efi \0\xff", 11, "ipxe.efi", PATH_TRAILING);
	expect("a..b", 4, "a..b", 0);
}

static void refuses_what_leaves_the_root(void **state)
{
	static const char *const wrong[] = {"..", "../etc/passwd", "a/../../b", "a\\..\\b",
					    "/.."};
	struct path path;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(path_clean(wrong[i], strlen(wrong[i]), &path), ERR_REFUSED);
}

static void refuses_what_is_no_name(void **state)
{
	char longest[PATH_SIZE + 8];
	struct path path;

	(void)state;
	assert_int_equal(path_clean("", 0, &path), ERR_FORMAT);
	assert_int_equal(path_clean("/", 1, &path), ERR_FORMAT);
	assert_int_equal(path_clean("\xff\xff", 2, &path), ERR_FORMAT);
	assert_int_equal(path_clean("a\nb", 3, &path), ERR_FORMAT);
	assert_int_equal(path_clean("a\0b", 3, &path), ERR_FORMAT);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(path_clean(longest, sizeof(longest), &path), ERR_SPACE);
	assert_int_equal(path_clean(longest, PATH_SIZE - 1, &path), ERR_SPACE);
	assert_int_equal(path_clean(longest, PATH_SIZE - 2, &path), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans_names),
		cmocka_unit_test(refuses_what_leaves_the_root),
		cmocka_unit_test(refuses_what_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
