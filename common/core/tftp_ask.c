#include "core/tftp_ask.h"

#include <string.h>

#include "core/bytes.h"

enum { OPCODE_RRQ = 1, OPCODE_DATA = 3, OPCODE_ERROR = 5, OPCODE_OACK = 6 };
enum { ERROR_OTHER = 0, ERROR_NOT_FOUND = 1 };

size_t tftp_ask_encode(const char *file, uint8_t buffer[TFTP_ASK_SIZE])
{
	/* with tsize a server answers by its options (RFC 2347): some octets, not a block */
	static const char tail[] = "octet\0tsize\0"
				   "0";
	struct bytes_writer out = bytes_writer(buffer, TFTP_ASK_SIZE);
	size_t length = strlen(file);

	if (length == 0 || length > TFTP_ASK_FILE_MAX)
		return 0;
	bytes_put_u16(&out, OPCODE_RRQ);
	bytes_put(&out, file, length + 1);
	bytes_put(&out, tail, sizeof(tail));
	return out.failed ? 0 : out.length;
}

enum tftp_ask_answer tftp_ask_read(const uint8_t *octets, size_t length)
{
	struct bytes_reader in = bytes_reader(octets, length);
	uint16_t opcode = bytes_get_u16(&in);
	uint16_t number = bytes_get_u16(&in); /* of the block, or the error */

	if (opcode == OPCODE_OACK && length > 2)
		return TFTP_ASK_SERVED;
	if (in.failed)
		return TFTP_ASK_NONE;
	if (opcode == OPCODE_DATA && number == 1)
		return TFTP_ASK_SERVED;
	if (opcode == OPCODE_ERROR)
		return number == ERROR_NOT_FOUND ? TFTP_ASK_MISSING : TFTP_ASK_REFUSED;
	return TFTP_ASK_NONE;
}

size_t tftp_ask_end(uint8_t buffer[TFTP_ASK_SIZE])
{
	struct bytes_writer out = bytes_writer(buffer, TFTP_ASK_SIZE);

	bytes_put_u16(&out, OPCODE_ERROR);
	bytes_put_u16(&out, ERROR_OTHER);
	bytes_put(&out, TFTP_ASK_END, sizeof(TFTP_ASK_END));
	return out.length;
}
