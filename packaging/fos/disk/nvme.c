/* NVMe drives, by the kernel's passthrough of admin commands. */
#include "disk.h"

#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GET_LOG_PAGE = 0x02, IDENTIFY = 0x06, FORMAT_NVM = 0x80, SANITIZE = 0x84 };
enum { PAGE_SMART = 0x02, PAGE_SANITIZE = 0x81 };
enum { SANITIZE_BLOCK = 2, SANITIZE_CRYPTO = 4 };
enum { ERASE_USER_DATA = 1, ERASE_CRYPTO = 2 };
enum { QUICK_MS = 30000, FORMAT_MS = 4 * 3600 * 1000 };

static uint64_t little(const uint8_t *bytes, int count)
{
	uint64_t value = 0;

	for (int i = count - 1; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

/* 0, a status of the drive (above 0), or -1 with errno. */
static int command(const struct disk *disk, struct nvme_admin_cmd *cmd, void *data,
		   size_t bytes)
{
	cmd->addr = (uint64_t)(uintptr_t)data;
	cmd->data_len = (uint32_t)bytes;
	return ioctl(disk->fd, NVME_IOCTL_ADMIN_CMD, cmd);
}

static bool identify(const struct disk *disk, uint32_t nsid, uint8_t data[4096])
{
	struct nvme_admin_cmd cmd = {
		.opcode = IDENTIFY, .nsid = nsid, .cdw10 = nsid == 0, .timeout_ms = QUICK_MS};

	return command(disk, &cmd, data, 4096) == 0;
}

static bool get_log(const struct disk *disk, uint8_t page, uint8_t data[512])
{
	struct nvme_admin_cmd cmd = {.opcode = GET_LOG_PAGE,
				     .nsid = 0xffffffff,
				     .cdw10 = page | (512 / 4 - 1) << 16,
				     .timeout_ms = QUICK_MS};

	return command(disk, &cmd, data, 512) == 0;
}

bool nvme_read_health(const struct disk *disk, struct disk_health *health)
{
	uint8_t *data = disk_allocate(4096);

	if (!identify(disk, 0, data))
		return false;
	snprintf(health->firmware, sizeof(health->firmware), "%.8s", (const char *)data + 64);
	if (!get_log(disk, PAGE_SMART, data))
		return false;
	health->passed = data[0] == 0;
	health->temperature_celsius = (int64_t)little(data + 1, 2) - 273;
	health->percent_used = data[5];
	health->cycles = (int64_t)little(data + 112, 7);
	health->hours = (int64_t)little(data + 128, 7);
	health->media_errors = (int64_t)little(data + 160, 7);
	return true;
}

/* The drive goes on by itself once it has begun, even over a loss of power. */
static enum disk_erase wait_for_sanitize(const struct disk *disk, struct disk_erasure *erasure)
{
	uint8_t *log = disk_allocate(4096);

	for (;;) {
		unsigned state;

		if (!get_log(disk, PAGE_SANITIZE, log)) {
			snprintf(erasure->why, sizeof(erasure->why),
				 "the drive does not say how its sanitize goes on");
			return ERASE_FAILED;
		}
		state = log[2] & 7;
		if (state == 1 || state == 4)
			return ERASE_DONE;
		if (state != 2) {
			snprintf(erasure->why, sizeof(erasure->why),
				 "the drive's sanitize ended with status %u", state);
			return ERASE_FAILED;
		}
		disk_tell_progress((int64_t)little(log, 2), 65536,
				   "the drive sanitizes itself");
		sleep(1);
	}
}

static enum disk_erase sanitize(const struct disk *disk, uint32_t can,
				struct disk_erasure *erasure)
{
	struct nvme_admin_cmd cmd = {.opcode = SANITIZE, .timeout_ms = QUICK_MS};

	if ((can & 3) == 0)
		return ERASE_UNSUPPORTED;
	cmd.cdw10 = can & 1 ? SANITIZE_CRYPTO : SANITIZE_BLOCK;
	erasure->method = can & 1 ? "nvme_sanitize_crypto" : "nvme_sanitize_block";
	if (command(disk, &cmd, NULL, 0) != 0)
		return ERASE_UNSUPPORTED;
	return wait_for_sanitize(disk, erasure);
}

static enum disk_erase format(const struct disk *disk, uint32_t nsid, bool by_key,
			      struct disk_erasure *erasure)
{
	uint8_t *ns = disk_allocate(4096);
	struct nvme_admin_cmd cmd = {
		.opcode = FORMAT_NVM, .nsid = nsid, .timeout_ms = FORMAT_MS};
	int status;

	if (!identify(disk, nsid, ns))
		return ERASE_UNSUPPORTED;
	/* The sector size and the protection information stay as they are. */
	cmd.cdw10 = (uint32_t)(ns[26] & 0x1f) | (uint32_t)(ns[29] & 0xf) << 5 |
		    (uint32_t)(by_key ? ERASE_CRYPTO : ERASE_USER_DATA) << 9;
	erasure->method = by_key ? "nvme_format_crypto" : "nvme_format";
	disk_tell_progress(0, 1, "the drive formats itself");
	status = command(disk, &cmd, NULL, 0);
	if (status == 0)
		return ERASE_DONE;
	snprintf(erasure->why, sizeof(erasure->why), "the drive refused to format (%s %d)",
		 status < 0 ? "error" : "status", status < 0 ? errno : status);
	return ERASE_UNSUPPORTED;
}

enum disk_erase nvme_erase(const struct disk *disk, struct disk_erasure *erasure)
{
	uint8_t *controller = disk_allocate(4096);
	int nsid = ioctl(disk->fd, NVME_IOCTL_ID);
	bool is_alone, formats_all;

	if (nsid <= 0 || !identify(disk, 0, controller)) {
		snprintf(erasure->why, sizeof(erasure->why),
			 "the drive does not say what it can");
		return ERASE_UNSUPPORTED;
	}
	/* What else the drive holds under other names is nobody's to erase by this job. */
	is_alone = little(controller + 516, 4) == 1;
	formats_all = (controller[524] & 2) != 0;
	if (is_alone) {
		enum disk_erase done =
			sanitize(disk, (uint32_t)little(controller + 328, 4), erasure);

		if (done != ERASE_UNSUPPORTED)
			return done;
	}
	if ((controller[256] & 2) != 0 && (is_alone || !formats_all))
		return format(disk, (uint32_t)nsid, (controller[524] & 4) != 0, erasure);
	snprintf(erasure->why, sizeof(erasure->why), "%s",
		 is_alone ? "the drive knows neither sanitize nor format"
			  : "the drive has other namespaces, which its erasure would reach");
	return ERASE_UNSUPPORTED;
}
