/*
 * ATA drives, by SCSI's ATA PASS-THROUGH (16). To be erased, a drive must have a password: it
 * gets "rouse", which goes with the erasure. Should the power fail in between, the drive stays
 * locked with it, and the next wipe unlocks it by erasing: docs/reference/fos.md says so.
 */
#include "disk.h"

#include <errno.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

enum { SECTOR = 512, QUICK_MS = 30000 };
enum { PROTOCOL_NONE = 3, PROTOCOL_IN = 4, PROTOCOL_OUT = 5 };
enum {
	IDENTIFY_DEVICE = 0xec,
	SMART = 0xb0,
	SECURITY_SET_PASSWORD = 0xf1,
	SECURITY_ERASE_PREPARE = 0xf3,
	SECURITY_ERASE_UNIT = 0xf4,
	SECURITY_DISABLE_PASSWORD = 0xf6,
};
enum { SMART_READ_DATA = 0xd0, SMART_RETURN_STATUS = 0xda };
/* bits of IDENTIFY's word 128 */
enum {
	IS_SUPPORTED = 1,
	IS_ENABLED = 2,
	IS_LOCKED = 4,
	IS_FROZEN = 8,
	IS_EXPIRED = 16,
	IS_ENHANCED = 32
};

static const char password[] = "rouse";

struct request {
	uint8_t command, features, lba_mid, lba_high;
	uint8_t protocol;
	uint8_t *data;
	unsigned timeout_ms;
	uint8_t mid, high; /* given back, when wants_registers */
	bool wants_registers;
};

static bool send_request(const struct disk *disk, struct request *request)
{
	bool has_data = request->protocol != PROTOCOL_NONE;
	uint8_t sense[32] = {0};
	uint8_t cdb[16] = {[0] = 0x85,
			   [1] = (uint8_t)(request->protocol << 1),
			   [4] = request->features,
			   [6] = has_data,
			   [10] = request->lba_mid,
			   [12] = request->lba_high,
			   [14] = request->command};
	struct sg_io_hdr io = {.interface_id = 'S',
			       .cmd_len = sizeof(cdb),
			       .cmdp = cdb,
			       .mx_sb_len = sizeof(sense),
			       .sbp = sense,
			       .dxfer_direction = SG_DXFER_NONE,
			       .timeout = request->timeout_ms};

	if (has_data) {
		cdb[2] = 0x06; /* the length is in the count, in blocks */
		io.dxfer_direction = SG_DXFER_TO_DEV;
		io.dxferp = request->data;
		io.dxfer_len = SECTOR;
	}
	if (request->protocol == PROTOCOL_IN) {
		cdb[2] |= 0x08;
		io.dxfer_direction = SG_DXFER_FROM_DEV;
	}
	if (request->wants_registers)
		cdb[2] |= 0x20;
	if (ioctl(disk->fd, SG_IO, &io) != 0 || io.host_status != 0)
		return false;
	/* descriptor 9 holds the drive's registers: 0x50 is a command that went well */
	if (sense[0] == 0x72 && sense[8] == 0x09) {
		request->mid = sense[8 + 9];
		request->high = sense[8 + 11];
		return (sense[8 + 13] & 0x21) == 0;
	}
	return io.status == 0 && (io.driver_status & 0x0f) == 0;
}

static bool identify(const struct disk *disk, uint8_t data[SECTOR])
{
	struct request request = {.command = IDENTIFY_DEVICE,
				  .protocol = PROTOCOL_IN,
				  .data = data,
				  .timeout_ms = QUICK_MS};

	return send_request(disk, &request);
}

static unsigned word(const uint8_t *data, int number)
{
	return (unsigned)data[number * 2] | (unsigned)data[number * 2 + 1] << 8;
}

/* Each word of a text in IDENTIFY has its second letter first. */
static void copy_text(const uint8_t *data, int first, int words, char *text)
{
	for (int i = 0; i < words; i++) {
		*text++ = (char)data[(first + i) * 2 + 1];
		*text++ = (char)data[(first + i) * 2];
	}
	*text = '\0';
}

static void take_attribute(const uint8_t *entry, struct disk_health *health)
{
	int64_t raw = 0;

	for (int i = 3; i >= 0; i--)
		raw = raw << 8 | entry[5 + i];
	switch (entry[0]) {
	case 5:
		health->reallocated = raw;
		break;
	case 9:
		health->hours = raw;
		break;
	case 12:
		health->cycles = raw;
		break;
	case 194:
		health->temperature_celsius = raw & 0xff;
		break;
	case 197:
		health->pending = raw;
		break;
	default:
		break;
	}
}

bool ata_read_health(const struct disk *disk, struct disk_health *health)
{
	uint8_t *data = disk_allocate(4096);
	struct request smart = {.command = SMART,
				.features = SMART_RETURN_STATUS,
				.lba_mid = 0x4f,
				.lba_high = 0xc2,
				.protocol = PROTOCOL_NONE,
				.timeout_ms = QUICK_MS,
				.wants_registers = true};

	if (!identify(disk, data))
		return false;
	copy_text(data, 23, 4, health->firmware);
	if ((word(data, 82) & 1) == 0 || (word(data, 85) & 1) == 0)
		return false; /* no SMART, or switched off */
	/* the drive turns 4f c2 into f4 2c when it expects to fail */
	if (send_request(disk, &smart) && smart.high != 0)
		health->passed = smart.high == 0xc2;
	smart = (struct request){.command = SMART,
				 .features = SMART_READ_DATA,
				 .lba_mid = 0x4f,
				 .lba_high = 0xc2,
				 .protocol = PROTOCOL_IN,
				 .data = data,
				 .timeout_ms = QUICK_MS};
	if (send_request(disk, &smart)) {
		for (int i = 0; i < 30; i++)
			take_attribute(data + 2 + i * 12, health);
	}
	return true;
}

static bool send_password(const struct disk *disk, uint8_t command, bool enhanced,
			  unsigned timeout_ms)
{
	uint8_t *data = disk_allocate(4096);
	struct request request = {.command = command,
				  .protocol = PROTOCOL_OUT,
				  .data = data,
				  .timeout_ms = timeout_ms};

	data[0] = enhanced ? 2 : 0;
	memcpy(data + 2, password, sizeof(password) - 1);
	return send_request(disk, &request);
}

/* Words 89 and 90: how long it takes, in units of two minutes; half as long again is waited. */
static unsigned erase_timeout_ms(unsigned minutes_word)
{
	unsigned units = minutes_word & 0x8000 ? minutes_word & 0x7fff : minutes_word & 0xff;

	if (units == 0 || units > 2000)
		units = 360;
	return units * 2 * 60 * 1500;
}

static const char *refusal(unsigned security)
{
	if ((security & IS_SUPPORTED) == 0)
		return "the drive has no security erase";
	if ((security & IS_FROZEN) != 0)
		return "the firmware has frozen the drive's security: a sleep, or replugging "
		       "it, thaws it";
	if ((security & IS_EXPIRED) != 0)
		return "the drive takes no more passwords until its power is switched off";
	return NULL;
}

enum disk_erase ata_erase(const struct disk *disk, struct disk_erasure *erasure)
{
	uint8_t *data = disk_allocate(4096);
	struct request prepare = {.command = SECURITY_ERASE_PREPARE,
				  .protocol = PROTOCOL_NONE,
				  .timeout_ms = QUICK_MS};
	unsigned security, timeout_ms;
	bool enhanced;

	if (!identify(disk, data)) {
		snprintf(erasure->why, sizeof(erasure->why),
			 "the drive does not say what it can");
		return ERASE_UNSUPPORTED;
	}
	security = word(data, 128);
	if (refusal(security)) {
		snprintf(erasure->why, sizeof(erasure->why), "%s", refusal(security));
		return ERASE_UNSUPPORTED;
	}
	enhanced = (security & IS_ENHANCED) != 0;
	timeout_ms = erase_timeout_ms(word(data, enhanced ? 90 : 89));
	erasure->method = enhanced ? "ata_security_erase_enhanced" : "ata_security_erase";
	/* One that has a password already may have ours, from a wipe that was broken off. */
	if ((security & IS_ENABLED) == 0 &&
	    !send_password(disk, SECURITY_SET_PASSWORD, false, QUICK_MS)) {
		snprintf(erasure->why, sizeof(erasure->why), "the drive took no password");
		return ERASE_UNSUPPORTED;
	}
	disk_tell_progress(0, 1, "the drive erases itself");
	if (send_request(disk, &prepare) &&
	    send_password(disk, SECURITY_ERASE_UNIT, enhanced, timeout_ms))
		return ERASE_DONE;
	snprintf(erasure->why, sizeof(erasure->why), "the drive did not erase itself%s",
		 (security & IS_ENABLED) != 0 ? ": it has a password that is not ours" : "");
	if ((security & IS_ENABLED) == 0)
		(void)send_password(disk, SECURITY_DISABLE_PASSWORD, false, QUICK_MS);
	return (security & IS_LOCKED) != 0 ? ERASE_FAILED : ERASE_UNSUPPORTED;
}
