#include "tftpd/packet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What an option is called, and which values its RFC allows. */
static const struct {
	const char *name;
	uint64_t least, most;
} known_options[PACKET_OPTIONS] = {
	[PACKET_BLKSIZE] = {"blksize", PACKET_BLKSIZE_MIN, PACKET_BLKSIZE_MAX},
	[PACKET_TSIZE] = {"tsize", 0, UINT64_MAX}, /* U-Boot sends its last file's size */
	[PACKET_TIMEOUT] = {"timeout", 1, 255},
	[PACKET_WINDOWSIZE] = {"windowsize", 1, 65535},
	[PACKET_UTIMEOUT] = {"utimeout", 10000, 255000000},
	[PACKET_ROLLOVER] = {"rollover", 0, 1},
};

/* Digits only: no sign, no blank, no base but ten. */
static enum err parse_number(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0')
		return ERR_FORMAT;
	for (; *text; text++) {
		unsigned digit = (unsigned)(uint8_t)*text - '0';

		if (digit > 9)
			return ERR_FORMAT;
		if (value > (UINT64_MAX - digit) / 10)
			return ERR_RANGE;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return ERR_OK;
}

static enum packet_option option_named(const char *name)
{
	for (int i = 0; i < PACKET_OPTIONS; i++) {
		if (strcasecmp(name, known_options[i].name) == 0)
			return (enum packet_option)i;
	}
	return PACKET_OPTIONS;
}

static void take_option(const char *name, const char *text, struct packet_options *options)
{
	enum packet_option which = option_named(name);
	uint64_t value;

	if (which == PACKET_OPTIONS || options->option[which].is_asked ||
	    parse_number(text, &value) != ERR_OK || value < known_options[which].least ||
	    value > known_options[which].most) {
		options->left_out++;
		return;
	}
	options->option[which].is_asked = true;
	options->option[which].value = value;
	(void)snprintf(options->option[which].spelling, sizeof(options->option[which].spelling),
		       "%s", name);
}

/* Pairs of strings up to the end; some ROMs pad with NULs, or forget the last one. */
static void parse_options(struct bytes_reader *in, struct packet_options *options)
{
	while (in->left > 0) {
		size_t length;
		const char *name = bytes_take_string(in, &length);
		const char *value = bytes_take_string(in, &length);

		if (in->failed)
			return;
		if (*name != '\0')
			take_option(name, value, options);
	}
}

static enum packet_mode mode_named(const char *name)
{
	if (strcasecmp(name, "octet") == 0)
		return PACKET_OCTET;
	return strcasecmp(name, "netascii") == 0 ? PACKET_NETASCII : PACKET_MODE_OTHER;
}

uint16_t packet_opcode(const uint8_t *data, size_t length)
{
	struct bytes_reader in = bytes_reader(data, length);

	return bytes_get_u16(&in);
}

enum err packet_parse_request(const uint8_t *data, size_t length,
			      struct packet_request *ret_request)
{
	struct bytes_reader in = bytes_reader(data, length);
	struct packet_request request = {.opcode = (enum packet_opcode)bytes_get_u16(&in)};
	const char *mode;
	size_t mode_length;

	if (in.failed)
		return ERR_SHORT;
	if (request.opcode != PACKET_RRQ && request.opcode != PACKET_WRQ)
		return ERR_FORMAT;
	request.name = bytes_take_string(&in, &request.name_length);
	mode = bytes_take_string(&in, &mode_length);
	if (in.failed)
		return ERR_SHORT;
	request.mode = mode_named(mode);
	parse_options(&in, &request.options);
	*ret_request = request;
	return ERR_OK;
}

/* What each client asks for, in full; 0 leaves an option out, ANY allows every value. */
#define ANY UINT64_MAX

static bool matches(const struct packet_options *options, enum packet_option which,
		    uint64_t wanted)
{
	if (wanted == 0)
		return !options->option[which].is_asked;
	return options->option[which].is_asked &&
	       (wanted == ANY || options->option[which].value == wanted);
}

const char *packet_client_name(const struct packet_options *options)
{
	static const struct {
		const char *name;
		uint64_t blksize, tsize, timeout, windowsize;
	} clients[] = {
		{"plain", 0, 0, 0, 0},	    {"ipxe", 1432, ANY, 0, 0},
		{"edk2", 1468, ANY, 0, 4},  {"edk2", 1468, 0, 0, 4},
		{"edk2", 1228, ANY, 0, 4},  {"edk2", 1228, 0, 0, 4},
		{"shim", 512, 0, 0, 4},	    {"shim", 512, ANY, 0, 4},
		{"grub", 1024, ANY, 0, 0},  {"uboot", 1468, 0, 5, 0},
		{"uboot", 1468, ANY, 5, 0}, {"pxelinux", 1408, ANY, 0, 0},
	};

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		if (matches(options, PACKET_BLKSIZE, clients[i].blksize) &&
		    matches(options, PACKET_TSIZE, clients[i].tsize) &&
		    matches(options, PACKET_TIMEOUT, clients[i].timeout) &&
		    matches(options, PACKET_WINDOWSIZE, clients[i].windowsize))
			return clients[i].name;
	}
	return "other";
}

enum err packet_parse_reply(const uint8_t *data, size_t length, struct packet_reply *ret_reply)
{
	struct bytes_reader in = bytes_reader(data, length);
	struct packet_reply reply = {.opcode = (enum packet_opcode)bytes_get_u16(&in)};

	reply.number = bytes_get_u16(&in);
	reply.message = "";
	if (in.failed)
		return ERR_SHORT;
	if (reply.opcode != PACKET_ACK && reply.opcode != PACKET_ERROR &&
	    reply.opcode != PACKET_DATA)
		return ERR_FORMAT;
	if (reply.opcode == PACKET_DATA && in.left > 0) {
		reply.message_length = in.left;
		reply.message = (const char *)bytes_take(&in, reply.message_length);
	}
	if (reply.opcode == PACKET_ERROR && in.left > 0) {
		/* the text's NUL is often missing: an error is an error all the same */
		reply.message_length = strnlen((const char *)in.at, in.left);
		reply.message = (const char *)bytes_take(&in, reply.message_length);
	}
	*ret_reply = reply;
	return ERR_OK;
}

void packet_write_ack(struct bytes_writer *out, uint16_t block)
{
	bytes_put_u16(out, PACKET_ACK);
	bytes_put_u16(out, block);
}

void packet_write_data_header(struct bytes_writer *out, uint16_t block)
{
	bytes_put_u16(out, PACKET_DATA);
	bytes_put_u16(out, block);
}

void packet_write_oack(struct bytes_writer *out)
{
	bytes_put_u16(out, PACKET_OACK);
}

void packet_write_option(struct bytes_writer *out, const char *spelling, uint64_t value)
{
	char digits[24];

	/* no leading zeros: GRUB would read them as octal */
	(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	bytes_put(out, spelling, strlen(spelling) + 1);
	bytes_put(out, digits, strlen(digits) + 1);
}

void packet_write_error(struct bytes_writer *out, enum packet_code code, const char *text)
{
	size_t length = strlen(text);

	bytes_put_u16(out, PACKET_ERROR);
	bytes_put_u16(out, (uint16_t)code);
	if (length + 1 > bytes_room(out))
		length = bytes_room(out) > 0 ? bytes_room(out) - 1 : 0;
	bytes_put(out, text, length);
	bytes_put_u8(out, 0);
}
