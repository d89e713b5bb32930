/* What is remembered of folders stays within its bound, whatever lies in them. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tftpd/fold.h"

#define FOLDERS 6
#define ENTRIES 2000
#define NAME_LENGTH 200 /* six such folders are more than may be remembered */

static char root[] = "/tmp/rouse-test-fold-XXXXXX";

static void name_entry(int folder, int entry, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s/Folder%d/%0*d", root, folder, NAME_LENGTH, entry);
}

static void for_each_entry(void (*act)(const char *path))
{
	char path[PATH_SIZE];

	for (int folder = 0; folder < FOLDERS; folder++) {
		for (int entry = 0; entry < ENTRIES; entry++) {
			name_entry(folder, entry, path, sizeof(path));
			act(path);
		}
	}
}

static void make_entry(const char *path)
{
	int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	(void)close(file);
}

static void remove_entry(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static int make_tree(void **state)
{
	char path[PATH_SIZE];

	(void)state;
	assert_non_null(mkdtemp(root));
	for (int folder = 0; folder < FOLDERS; folder++) {
		(void)snprintf(path, sizeof(path), "%s/Folder%d", root, folder);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	for_each_entry(make_entry);
	(void)sleep(3); /* only what has been still is remembered */
	return 0;
}

static int remove_tree(void **state)
{
	char path[PATH_SIZE];

	(void)state;
	for_each_entry(remove_entry);
	for (int folder = 0; folder < FOLDERS; folder++) {
		(void)snprintf(path, sizeof(path), "%s/Folder%d", root, folder);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(root), 0);
	return 0;
}

/* Round and round: each folder pushes out the one that was not asked for longest. */
static void test_memory_has_a_bound(void **state)
{
	struct source_roots roots;
	struct folds folds = {0};
	char found[PATH_SIZE], asked[PATH_SIZE];

	(void)state;
	assert_int_equal(source_roots_parse(root, &roots), ERR_OK);
	for (int turn = 0; turn < 2 * FOLDERS; turn++) {
		(void)snprintf(asked, sizeof(asked), "folder%d/%0*d", turn % FOLDERS,
			       NAME_LENGTH, 7);
		assert_int_equal(fold_find(&folds, &roots, asked, found), ERR_OK);
		assert_int_equal(found[0], 'F');
		assert_string_equal(found + 1, asked + 1);
		assert_true(folds.bytes <= FOLD_BYTES_MAX);
		/* the folder of this turn is remembered: it alone is a sixth of the whole */
		assert_true(folds.bytes > (size_t)ENTRIES * NAME_LENGTH);
	}
	/* as many as there is room for, not the last one alone */
	assert_true(folds.bytes > FOLD_BYTES_MAX / 2);
	folds_free(&folds);
	assert_null(folds.folders);
	assert_int_equal(folds.bytes, 0);
	source_roots_free(&roots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory_has_a_bound, make_tree,
						remove_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
