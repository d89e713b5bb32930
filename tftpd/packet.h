/*
 * packet - TFTP's datagrams: requests and replies are parsed, answers are written.
 *
 * RFC 1350 section 5 (packets), RFC 2347 (options), RFC 2348 (blksize), RFC 2349 (timeout,
 * tsize), RFC 7440 (windowsize). An option that is unknown, given twice or out of its range is
 * treated as not asked for, as RFC 2347 wants; it never spoils the request.
 *
 *	struct packet_request request;
 *	if (packet_parse_request(data, length, &request) != ERR_OK)
 *		answer with PACKET_ILLEGAL
 */
#ifndef ROUSE_TFTPD_PACKET_H
#define ROUSE_TFTPD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

#define PACKET_DATA_HEADER 4   /* opcode and block number before the data */
#define PACKET_ANSWER_SIZE 512 /* room for any OACK or ERROR of ours */
#define PACKET_BLKSIZE_MIN 8   /* RFC 2348 */
#define PACKET_BLKSIZE_MAX 65464
#define PACKET_BLKSIZE_DEFAULT 512

enum packet_opcode {
	PACKET_RRQ = 1,
	PACKET_WRQ = 2,
	PACKET_DATA = 3,
	PACKET_ACK = 4,
	PACKET_ERROR = 5,
	PACKET_OACK = 6,
};

enum packet_code {
	PACKET_UNDEFINED = 0, /* the text says what */
	PACKET_NOT_FOUND = 1,
	PACKET_ACCESS = 2,
	PACKET_DISK_FULL = 3,
	PACKET_ILLEGAL = 4,
	PACKET_UNKNOWN_TID = 5,
	PACKET_EXISTS = 6,
	PACKET_BAD_OPTIONS = 8, /* RFC 2347; EDK2 also ends its size probe with it */
};

enum packet_mode {
	PACKET_OCTET,
	PACKET_NETASCII,
	PACKET_MODE_OTHER,
};

enum packet_option {
	PACKET_BLKSIZE,
	PACKET_TSIZE,
	PACKET_TIMEOUT,
	PACKET_WINDOWSIZE,
	PACKET_UTIMEOUT, /* as tftp-hpa has it: microseconds */
	PACKET_ROLLOVER, /* likewise: the block number behind 65535, 0 or 1 */
	PACKET_OPTIONS,
};

struct packet_options {
	struct {
		bool is_asked;
		uint64_t value;
		char spelling[12]; /* the name in the client's letter case: clients compare it
				    */
	} option[PACKET_OPTIONS];
	unsigned left_out; /* options of any name that were not understood */
};

struct packet_request {
	enum packet_opcode opcode; /* RRQ or WRQ */
	const char *name;	   /* a view into the datagram, NUL-terminated, maybe empty */
	size_t name_length;
	enum packet_mode mode;
	struct packet_options options;
};

/* What a client says during a transfer. */
struct packet_reply {
	enum packet_opcode opcode; /* ACK, DATA or ERROR */
	uint16_t number;	   /* the block, or the error's code */
	const char *message;	   /* a view, not terminated: text, or DATA's octets */
	size_t message_length;
};

/* The opcode of a datagram, 0 when it is too short to have one. */
uint16_t packet_opcode(const uint8_t *data, size_t length);
/* ERR_SHORT: name or mode has no end. ERR_FORMAT: neither RRQ nor WRQ. */
MUST_CHECK enum err packet_parse_request(const uint8_t *data, size_t length,
					 struct packet_request *ret_request);
/* ERR_SHORT: cut off. ERR_FORMAT: none of the three. */
MUST_CHECK enum err packet_parse_reply(const uint8_t *data, size_t length,
				       struct packet_reply *ret_reply);

/*
 * Who asks, by the options that it asks with: "ipxe", "edk2", "shim", "grub", "uboot",
 * "pxelinux", "plain" (none), else "other". A hint for people, and for what is harmless to get
 * wrong.
 */
const char *packet_client_name(const struct packet_options *options);

void packet_write_ack(struct bytes_writer *out, uint16_t block);
void packet_write_data_header(struct bytes_writer *out, uint16_t block);
/* Begins an OACK; packet_write_option() adds one granted option under the client's spelling. */
void packet_write_oack(struct bytes_writer *out);
void packet_write_option(struct bytes_writer *out, const char *spelling, uint64_t value);
/* The text is cut to what fits. */
void packet_write_error(struct bytes_writer *out, enum packet_code code, const char *text);

#endif
