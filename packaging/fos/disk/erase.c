/*
 * Erasing: the drive's own way where it has one, else every block. What it says at the end
 * stands in $FOS_WORK/result: method, guarantee (yes or no), why, checked.
 */
#include "disk.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CHUNK = 4 << 20, EDGE = 1 << 20 };
enum { EXIT_WRITE = 2, EXIT_NOT_GONE = 3 };

static bool write_zeros(const struct disk *disk, int64_t from, int64_t to)
{
	uint8_t *zeros = disk_allocate(CHUNK);
	bool is_written = true;

	for (int64_t at = from; at < to && is_written;) {
		size_t wanted = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
		ssize_t done = pwrite(disk->fd, zeros, wanted, at);

		is_written = done > 0;
		if (is_written)
			at += done;
		else
			printf("writing at byte %" PRId64 ": %s\n", at, strerror(errno));
		disk_tell_progress(at - from, to - from, "overwriting");
	}
	free(zeros);
	return is_written && (fsync(disk->fd) == 0 || errno == EINVAL);
}

/* Partition tables stand in the first and last MiB. */
static bool clear_edges(const struct disk *disk)
{
	int64_t edge = disk->bytes < EDGE ? disk->bytes : EDGE;

	return write_zeros(disk, 0, edge) && write_zeros(disk, disk->bytes - edge, disk->bytes);
}

static bool discard(const struct disk *disk, unsigned long request)
{
	uint64_t range[2] = {0, (uint64_t)disk->bytes};

	return ioctl(disk->fd, request, range) == 0;
}

static enum disk_erase erase_by_drive(const struct disk *disk, struct disk_erasure *erasure)
{
	switch (disk->class) {
	case DISK_NVME:
		return nvme_erase(disk, erasure);
	case DISK_ATA:
		return ata_erase(disk, erasure);
	case DISK_MMC:
		erasure->method = "mmc_secure_discard";
		if (discard(disk, BLKSECDISCARD))
			return ERASE_DONE;
		snprintf(erasure->why, sizeof(erasure->why), "the card has no secure discard");
		return ERASE_UNSUPPORTED;
	case DISK_SCSI:
	case DISK_VIRTUAL:
		snprintf(erasure->why, sizeof(erasure->why),
			 "disks of this kind have no erasure of their own");
		return ERASE_UNSUPPORTED;
	}
	return ERASE_UNSUPPORTED;
}

struct report {
	struct disk_erasure erasure;
	bool is_by_drive, is_overwritten;
	char checked[64];
};

/* Overwriting reaches all of a magnetic disk but what it has put aside; a flash disk keeps
 * blocks that no write reaches. */
static const char *guarantee(const struct disk *disk, const struct report *report,
			     const char **why)
{
	if (disk->is_guest) {
		*why = "this is a virtual machine: what its host keeps is not seen from here";
		return "no";
	}
	if (report->is_by_drive) {
		*why = "the drive says so";
		return "yes";
	}
	if (report->is_overwritten && disk->is_rotational) {
		*why = "each block was overwritten; those that the drive has put aside are not "
		       "reached";
		return "yes";
	}
	*why = report->is_overwritten ? "flash keeps blocks that no write reaches"
				      : "only the places where systems look were cleared";
	return "no";
}

static void write_report(const struct disk *disk, const struct report *report)
{
	const char *folder = getenv("FOS_WORK"), *why;
	const char *word = guarantee(disk, report, &why);
	char path[256];
	FILE *file;

	if (report->erasure.why[0])
		printf("%s: %s\n", disk->name, report->erasure.why);
	printf("%s: %s%s; read back: %s\n", disk->name, report->erasure.method,
	       report->is_by_drive && report->is_overwritten ? " and overwrite" : "",
	       report->checked);
	printf("%s: guarantee %s: %s\n", disk->name, word, why);
	snprintf(path, sizeof(path), "%s/result", folder ? folder : ".");
	file = folder ? fopen(path, "w") : NULL;
	if (!file)
		return;
	fprintf(file, "method=%s%s\nguarantee=%s\nguarantee_why=%s\nwhy=%s\nchecked=%s\n",
		report->erasure.method,
		report->is_by_drive && report->is_overwritten ? "+overwrite" : "", word, why,
		report->erasure.why, report->checked);
	fclose(file);
}

/* Fast: the edges, and a discard, which most flash obeys and nobody has to. */
static int erase_fast(const struct disk *disk, struct report *report)
{
	int64_t bad, edge = disk->bytes < EDGE ? disk->bytes : EDGE;
	bool is_discarded = discard(disk, BLKDISCARD);

	report->erasure.method = is_discarded ? "discard" : "clear_edges";
	if (!clear_edges(disk))
		return EXIT_WRITE;
	snprintf(report->checked, sizeof(report->checked), "the first and last MiB");
	if (check_is_zero(disk, 0, edge, &bad) &&
	    check_is_zero(disk, disk->bytes - edge, disk->bytes, &bad))
		return 0;
	printf("read back: not empty at byte %" PRId64 "\n", bad);
	return EXIT_NOT_GONE;
}

static int read_back(const struct disk *disk, const struct check *check, bool is_full,
		     struct report *report)
{
	int64_t bad;

	if (!is_full) {
		snprintf(report->checked, sizeof(report->checked), "%d places",
			 check_places(check));
		return check_is_gone(check, disk, report->is_overwritten) ? 0 : EXIT_NOT_GONE;
	}
	snprintf(report->checked, sizeof(report->checked), "every block");
	if (check_is_zero(disk, 0, disk->bytes, &bad))
		return 0;
	printf("read back: not empty at byte %" PRId64 "\n", bad);
	return EXIT_NOT_GONE;
}

static int erase_all(const struct disk *disk, bool is_full, struct report *report)
{
	struct check *check = check_take(disk);
	enum disk_erase done = erase_by_drive(disk, &report->erasure);
	int code;

	if (done == ERASE_FAILED)
		return EXIT_WRITE;
	report->is_by_drive = done == ERASE_DONE;
	report->is_overwritten = !report->is_by_drive || is_full;
	if (!report->is_by_drive)
		report->erasure.method = "overwrite";
	/* a drive that has erased itself may show anything: let it show no partitions */
	if (report->is_overwritten ? !write_zeros(disk, 0, disk->bytes) : !clear_edges(disk))
		return EXIT_WRITE;
	code = read_back(disk, check, is_full, report);
	free(check);
	return code;
}

int erase_disk(struct disk *disk, const char *mode)
{
	struct report report = {.erasure = {.method = "none"}};
	int code;

	if (strcmp(mode, "fast") == 0)
		code = erase_fast(disk, &report);
	else
		code = erase_all(disk, strcmp(mode, "full") == 0, &report);
	if (code == 0)
		write_report(disk, &report);
	else if (report.erasure.why[0])
		printf("%s: %s\n", disk->name, report.erasure.why);
	(void)ioctl(disk->fd, BLKRRPART);
	return code;
}
