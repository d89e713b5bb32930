/*
 * fos-disk info DISK          prints key=value lines: firmware, smart (passed, failing), hours,
 * ... fos-disk wipe DISK MODE     fast, normal or full: see docs/reference/fos.md fos-disk read
 * DISK          reads every block
 *
 * DISK is a path. What a person wants to know is printed, progress goes into
 * $FOS_WORK/progress, the result of a wipe into $FOS_WORK/result. Exit status: 0 done; 1 wrong
 * usage, or no such disk; 2 the disk did not take a command or a write; 3 read, it is not what
 * it must be.
 */
#include "disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 1, EXIT_BAD = 3 };

static int usage(void)
{
	fputs("usage: fos-disk info DISK | wipe DISK fast|normal|full | read DISK\n", stderr);
	return EXIT_USAGE;
}

static void put_number(const char *name, int64_t value)
{
	if (value >= 0)
		printf("%s=%" PRId64 "\n", name, value);
}

static int print_info(const struct disk *disk)
{
	struct disk_health health = {-1, -1, -1, -1, -1, -1, -1, -1, ""};

	if (disk->class == DISK_NVME)
		(void)nvme_read_health(disk, &health);
	else if (disk->class == DISK_ATA)
		(void)ata_read_health(disk, &health);
	if (health.firmware[0])
		printf("firmware=%s\n", health.firmware);
	if (health.passed >= 0)
		printf("smart=%s\n", health.passed ? "passed" : "failing");
	put_number("hours", health.hours);
	put_number("cycles", health.cycles);
	put_number("temperature_celsius", health.temperature_celsius);
	put_number("percent_used", health.percent_used);
	put_number("reallocated", health.reallocated);
	put_number("pending", health.pending);
	put_number("media_errors", health.media_errors);
	return 0;
}

static int read_surface(const struct disk *disk)
{
	int64_t bad = check_surface(disk);

	printf("%s: %" PRId64 " bytes read, %" PRId64 " unreadable blocks\n", disk->name,
	       disk->bytes, bad);
	return bad == 0 ? 0 : EXIT_BAD;
}

static bool is_mode(const char *word)
{
	return strcmp(word, "fast") == 0 || strcmp(word, "normal") == 0 ||
	       strcmp(word, "full") == 0;
}

int main(int argc, char **argv)
{
	bool is_wipe = argc == 4 && strcmp(argv[1], "wipe") == 0 && is_mode(argv[3]);
	bool is_read = argc == 3 && strcmp(argv[1], "read") == 0;
	bool is_info = argc == 3 && strcmp(argv[1], "info") == 0;
	struct disk disk;

	if (!is_wipe && !is_read && !is_info)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!disk_open(argv[2], is_wipe, &disk)) {
		fprintf(stderr, "fos-disk: cannot open %s: %s\n", argv[2], strerror(errno));
		return EXIT_USAGE;
	}
	if (is_wipe)
		return erase_disk(&disk, argv[3]);
	return is_read ? read_surface(&disk) : print_info(&disk);
}
