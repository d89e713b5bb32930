/* Opening a disk, and telling how far the work is. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *sys_root(void)
{
	const char *root = getenv("FOS_SYS");

	return root ? root : "/sys";
}

bool disk_read_sys(const struct disk *disk, const char *file, char *value, size_t size)
{
	char path[256];
	FILE *from;
	bool is_read;

	snprintf(path, sizeof(path), "%s/block/%s/%s", sys_root(), disk->name, file);
	from = fopen(path, "r");
	if (!from)
		return false;
	is_read = fgets(value, (int)size, from) != NULL;
	fclose(from);
	if (is_read)
		value[strcspn(value, "\n")] = '\0';
	return is_read;
}

static bool is_guest(void)
{
	const char *root = getenv("FOS_PROC");
	char path[256], line[4096];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cpuinfo", root ? root : "/proc");
	file = fopen(path, "r");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor") != NULL;
	if (file)
		fclose(file);
	return found;
}

static enum disk_class class_of(const struct disk *disk)
{
	char vendor[32];

	if (strncmp(disk->name, "nvme", 4) == 0)
		return DISK_NVME;
	if (strncmp(disk->name, "mmcblk", 6) == 0)
		return DISK_MMC;
	if (strncmp(disk->name, "sd", 2) != 0)
		return DISK_VIRTUAL;
	if (disk_read_sys(disk, "device/vendor", vendor, sizeof(vendor)) &&
	    strncmp(vendor, "ATA", 3) == 0)
		return DISK_ATA;
	return DISK_SCSI;
}

static bool find_size(struct disk *disk)
{
	struct stat status;
	uint64_t bytes;

	if (fstat(disk->fd, &status) != 0)
		return false;
	if (S_ISREG(status.st_mode)) {
		disk->bytes = status.st_size;
		return true;
	}
	if (ioctl(disk->fd, BLKGETSIZE64, &bytes) != 0)
		return false;
	disk->bytes = (int64_t)bytes;
	return true;
}

bool disk_open(const char *path, bool writable, struct disk *disk)
{
	const char *slash = strrchr(path, '/');
	int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	char rotational[8];

	memset(disk, 0, sizeof(*disk));
	snprintf(disk->name, sizeof(disk->name), "%s", slash ? slash + 1 : path);
	/* O_EXCL: nobody else, no mounted file system, has it open for writing */
	disk->fd = open(path, flags | O_DIRECT | (writable ? O_EXCL : 0));
	if (disk->fd < 0 && errno == EINVAL)
		disk->fd = open(path, flags);
	if (disk->fd < 0 || !find_size(disk))
		return false;
	disk->class = class_of(disk);
	disk->is_rotational =
		disk_read_sys(disk, "queue/rotational", rotational, sizeof(rotational)) &&
		rotational[0] == '1';
	disk->is_guest = is_guest();
	return true;
}

void disk_tell_progress(int64_t done, int64_t total, const char *note)
{
	static struct timespec last;
	const char *folder = getenv("FOS_WORK");
	struct timespec now;
	char path[256];
	FILE *file;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!folder ||
	    (done < total &&
	     (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 < 500))
		return;
	last = now;
	snprintf(path, sizeof(path), "%s/progress", folder);
	file = fopen(path, "w");
	if (!file)
		return; /* progress is for looking at: the work goes on without */
	fprintf(file, "percent=%d\nbytes=%" PRId64 "\ntotal=%" PRId64 "\nnote=%s\n",
		total > 0 ? (int)(done / (total / 100 + 1)) : 0, done, total, note);
	fclose(file);
}

void *disk_allocate(size_t bytes)
{
	void *memory = aligned_alloc(4096, bytes);

	if (!memory) {
		fputs("fos-disk: out of memory\n", stderr);
		exit(1);
	}
	memset(memory, 0, bytes);
	return memory;
}
