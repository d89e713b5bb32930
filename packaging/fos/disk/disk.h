/*
 * fos-disk: what FOS does to a whole disk beside writing images: ask it what it is and how it
 * is, erase it, read all of it. See main.c for its use.
 *
 * A disk is a block device, or in tests a plain file: its name says its class, as Linux names
 * devices, and $FOS_SYS stands for /sys.
 */
#ifndef FOS_DISK_H
#define FOS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_class { DISK_NVME, DISK_ATA, DISK_MMC, DISK_SCSI, DISK_VIRTUAL };

struct disk {
	int fd; /* opened for reading and writing, or reading only; past the page cache if it
		   may be */
	char name[64]; /* sda */
	enum disk_class class;
	int64_t bytes;
	bool is_rotational;
	bool is_guest; /* seen from a virtual machine: what lies below is not ours to promise */
};

/* What a drive says of itself. -1: it does not say. */
struct disk_health {
	int passed; /* 1: well, 0: failing by its own judgement */
	int64_t hours, cycles, temperature_celsius, percent_used, reallocated, pending,
		media_errors;
	char firmware[24];
};

enum disk_erase {
	ERASE_DONE,	   /* the drive says that all of it is erased */
	ERASE_UNSUPPORTED, /* it has no such command, or must not be given it; `why` says which
			    */
	ERASE_FAILED,	   /* it began, and did not end well */
};

/* How an erasure went; texts are literals or stand in the buffer of the struct. */
struct disk_erasure {
	const char *method; /* nvme_sanitize_crypto, ata_security_erase, overwrite, ... */
	char why[160];	    /* why a better method was not used, or failed */
};

/* False with errno. */
bool disk_open(const char *path, bool writable, struct disk *disk);
/* $FOS_SYS/block/NAME/FILE, its first line; false when there is none. */
bool disk_read_sys(const struct disk *disk, const char *file, char *value, size_t size);
/* Leaves percent, bytes and total in $FOS_WORK/progress, at most twice a second. */
void disk_tell_progress(int64_t done, int64_t total, const char *note);
/* An aligned block of memory for direct reads and writes; ends the program when there is none.
 */
void *disk_allocate(size_t bytes);

/* nvme.c (NVM Express base specification 1.4, sections 5.15, 5.14.1.2, 5.23, 5.24) */
bool nvme_read_health(const struct disk *disk, struct disk_health *health);
enum disk_erase nvme_erase(const struct disk *disk, struct disk_erasure *erasure);

/* ata.c (ACS-3, sections 7.12, 7.45 and 7.48; SAT-3, section 12.2) */
bool ata_read_health(const struct disk *disk, struct disk_health *health);
enum disk_erase ata_erase(const struct disk *disk, struct disk_erasure *erasure);

/* erase.c: mode is fast, normal or full. Prints what it does; the exit status of the program.
 */
int erase_disk(struct disk *disk, const char *mode);

/* check.c: samples of a disk, taken before an erasure and compared after it. */
struct check;
struct check *check_take(const struct disk *disk);
/* Do no samples hold what they held? For an overwritten disk: are all of them zero? */
bool check_is_gone(const struct check *check, const struct disk *disk, bool must_be_zero);
int check_places(const struct check *check);
/* Are the bytes of [from, to) zero? *bad is the first that is not, or cannot be read. */
bool check_is_zero(const struct disk *disk, int64_t from, int64_t to, int64_t *bad);
/* Reads every block and prints those that cannot be read; their number. */
int64_t check_surface(const struct disk *disk);

#endif
