/*
 * Any name through what the shell does with it: the rules of a map file, then a folder in which
 * letter case is set aside. The first octet says whether it is written or read, and from where.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tftpd/fold.h"
#include "tftpd/map.h"

static const char rules[] = "rg \\\\ /\n"
			    "ri ^/?boot/(.*)$ Boot/\\U\\1\n"
			    "r ^(.*)\\.0$ \\1-\\i-\\x\n"
			    "rs ^twice/ once/\n"
			    "rg (x+)(y*) \\2\\1\\1\n"
			    "4re ^four \\L\\0\n"
			    "6aP ^six not\\ \\0\n"
			    "a \\.key$\n"
			    "~ei [aeiou]\n"
			    "rG $ \\#\\ \\\\\\9\n";

/* What the folder holds; two differ in case only. */
static const char *const files[] = {"Boot/BCD",	     "boot/bcd",  "pxelinux.0",
				    "Grub/Grub.cfg", "AUTO.ipxe", "auto.ipxe"};

static struct {
	char root[32];
	struct map map;
	struct source_roots roots;
	struct folds folds;
} names = {.root = "/tmp/rouse-fuzz-names.XXXXXX"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void end_names(void)
{
	map_free(&names.map);
	folds_free(&names.folds);
	source_roots_free(&names.roots);
	(void)nftw(names.root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_file(const char *name)
{
	char path[PATH_SIZE];
	FILE *made;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(path, sizeof(path), "%s/%.*s", names.root, (int)(slash - name),
			       name);
		(void)mkdir(path, 0700);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", names.root, name);
	made = fopen(path, "we");
	check(made && fclose(made) == 0);
}

static void begin_names(void)
{
	char path[64];
	int file = memfd_create("map", MFD_CLOEXEC);

	check(mkdtemp(names.root) != NULL && atexit(end_names) == 0);
	check(file >= 0 && write(file, rules, sizeof(rules) - 1) == sizeof(rules) - 1);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	check(map_read(path, &names.map) == ERR_OK);
	(void)close(file);
	check(source_roots_parse(names.root, &names.roots) == ERR_OK);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(files[i]);
}

/* What is found exists, and differs in case only. */
static void check_fold(const char *name)
{
	char found[PATH_SIZE];
	char path[2 * PATH_SIZE];
	struct path clean;

	if (path_clean(name, strlen(name), &clean) != ERR_OK ||
	    fold_find(&names.folds, &names.roots, clean.name, found) != ERR_OK)
		return;
	check(strcasecmp(found, clean.name) == 0);
	(void)snprintf(path, sizeof(path), "%s/%s", names.root, found);
	check(access(path, F_OK) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip address = ip_from_v4(0x0a4d0064);
	char asked[PATH_SIZE * 2];
	char mapped[PATH_SIZE];

	if (size == 0 || size > sizeof(asked))
		return 0;
	if (names.map.count == 0)
		begin_names();
	memcpy(asked, data + 1, size - 1);
	asked[size - 1] = '\0';
	if (data[0] & 2)
		check(ip_parse("fd00::1f", &address) == ERR_OK);
	check_fold(asked);
	switch (map_apply(&names.map, data[0] & 1, &address, asked, mapped)) {
	case ERR_OK:
		check_fold(mapped);
		break;
	case ERR_REFUSED:
		check(strnlen(mapped, sizeof(mapped)) < sizeof(mapped));
		break;
	default:
		break;
	}
	return 0;
}
