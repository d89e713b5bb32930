/*
 * Plays a drive behind a plain file, for fos-disk: preloaded, it answers the ioctls that a real
 * ATA or NVMe drive would. FAKE_DRIVE says how it is, as words:
 *
 *	ata         an ATA drive with SMART      nvme        an NVMe drive
 *	secure      with security erase          sanitize    with sanitize (else: format)
 *	frozen      whose firmware has frozen it shared      which has a second namespace
 *	failing     whose SMART expects the end
 *	lies        which says "erased" and erases nothing
 *
 * Each command that it was given is appended to the file FAKE_DRIVE_LOG.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_password;

static bool is(const char *word)
{
	const char *words = getenv("FAKE_DRIVE");

	return words && strstr(words, word) != NULL;
}

static void note(const char *what)
{
	const char *path = getenv("FAKE_DRIVE_LOG");
	FILE *file = path ? fopen(path, "a") : NULL;

	if (file) {
		fprintf(file, "%s\n", what);
		fclose(file);
	}
}

/* What an erased drive holds: not zeros, as after a change of its key. */
static void erase(int fd)
{
	static _Alignas(4096) uint8_t block[4096]; /* written past the page cache */
	struct stat status;

	if (is("lies") || fstat(fd, &status) != 0)
		return;
	for (off_t at = 0; at < status.st_size; at += (off_t)sizeof(block)) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (uint8_t)(i * 7 + (size_t)(at >> 12));
		if (syscall(SYS_pwrite64, fd, block, sizeof(block), at) < 0)
			abort();
	}
}

static int refuse(struct sg_io_hdr *io)
{
	io->status = 2;
	io->driver_status = 8;
	return 0;
}

static int ata(int fd, struct sg_io_hdr *io)
{
	uint8_t *data = io->dxferp;

	switch (io->cmdp[14]) {
	case 0xec:
		memset(data, 0, 512);
		memcpy(data + 46, "1.0     ", 8); /* each word is swapped */
		data[82 * 2] = data[85 * 2] = 1;
		data[128 * 2] = (uint8_t)((is("secure") ? 33 : 0) | (is("frozen") ? 8 : 0));
		data[90 * 2] = 1;
		return 0;
	case 0xb0:
		if (io->cmdp[4] == 0xd0) {
			static const uint8_t hours[12] = {9, 0, 0, 0, 0, 0x39, 0x30};

			memset(data, 0, 512);
			memcpy(data + 2, hours, sizeof(hours));
			return 0;
		}
		memset(io->sbp, 0, io->mx_sb_len);
		io->sbp[0] = 0x72;
		io->sbp[8] = 9;
		io->sbp[17] = is("failing") ? 0xf4 : 0x4f;
		io->sbp[19] = is("failing") ? 0x2c : 0xc2;
		io->sbp[21] = 0x50;
		return 0;
	case 0xf1:
		note("set password");
		has_password = memcmp(data + 2, "rouse", 5) == 0;
		return 0;
	case 0xf3:
		note("prepare");
		return 0;
	case 0xf4:
		if (!has_password)
			return refuse(io);
		note(data[0] & 2 ? "erase enhanced" : "erase");
		erase(fd);
		return 0;
	default:
		return refuse(io);
	}
}

static int nvme(int fd, struct nvme_admin_cmd *cmd)
{
	uint8_t *data = (uint8_t *)(uintptr_t)cmd->addr;
	char line[64];

	switch (cmd->opcode) {
	case 0x06:
		memset(data, 0, 4096);
		if (cmd->cdw10 != 1) {
			data[26] = 3; /* formatted as its third kind */
			return 0;
		}
		memcpy(data + 64, "FW7     ", 8);
		data[516] = is("shared") ? 2 : 1;
		data[256] = 2;
		data[524] = is("shared") ? 2 : 0;
		data[328] = is("sanitize") ? 3 : 0;
		return 0;
	case 0x02:
		memset(data, 0, 512);
		data[2] = 1; /* sanitize: done */
		return 0;
	case 0x80:
	case 0x84:
		(void)snprintf(line, sizeof(line), "%s %#x",
			       cmd->opcode == 0x80 ? "format" : "sanitize", cmd->cdw10);
		note(line);
		erase(fd);
		return 0;
	default:
		return 1;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *pointer;

	va_start(arguments, request);
	pointer = va_arg(arguments, void *);
	va_end(arguments);
	if (request == SG_IO && is("ata"))
		return ata(fd, pointer);
	if (request == NVME_IOCTL_ADMIN_CMD && is("nvme"))
		return nvme(fd, pointer);
	if (request == NVME_IOCTL_ID && is("nvme"))
		return 1;
	return (int)syscall(SYS_ioctl, fd, request, pointer);
}
