/*
 * tftp_ask - does a TFTP server serve this file? Asked for, and broken off at the first answer
 * (RFC 1350; options RFC 2347, tsize RFC 2349).
 *
 *	length = tftp_ask_encode("ipxe.efi", buffer);		to port 69
 *	answer = tftp_ask_read(octets, length);		from any port of the server
 *	if (answer == TFTP_ASK_SERVED)
 *		length = tftp_ask_end(buffer);		back to that port
 *
 * The error that ends it carries a text by which tftpd knows that nobody boots here.
 */
#ifndef ROUSE_CORE_TFTP_ASK_H
#define ROUSE_CORE_TFTP_ASK_H

#include <stddef.h>
#include <stdint.h>

#define TFTP_ASK_FILE_MAX 255
#define TFTP_ASK_SIZE (2 + TFTP_ASK_FILE_MAX + 1 + 16) /* octets of the longest message */
#define TFTP_ASK_END "asked only whether it is served"

enum tftp_ask_answer {
	TFTP_ASK_NONE,	  /* no TFTP */
	TFTP_ASK_SERVED,  /* the first block, or the options accepted */
	TFTP_ASK_MISSING, /* error 1: file not found */
	TFTP_ASK_REFUSED, /* any other error */
};

/* The octets of the request; 0 when there is no such name: empty, or longer than it may be. */
size_t tftp_ask_encode(const char *file, uint8_t buffer[TFTP_ASK_SIZE]);
enum tftp_ask_answer tftp_ask_read(const uint8_t *octets, size_t length);
/* The octets of the error that ends the transfer. */
size_t tftp_ask_end(uint8_t buffer[TFTP_ASK_SIZE]);

#endif
