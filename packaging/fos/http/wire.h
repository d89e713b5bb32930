/*
 * One connection to an HTTP server: opened, written, read, with the time-outs of a machine that
 * is being imaged. Blocking calls; secrets never stand in `error`.
 *
 *	struct wire wire = {.socket = -1};
 *	if (url_parse(text, &wire.url) && (code = wire_open(&wire)) == 0 &&
 *	    (code = wire_send(&wire, request, length)) == 0 &&
 *	    (code = wire_receive_head(&wire, buffer, sizeof(buffer), &head, &extra)) == 0)
 *		... the first `extra` octets of the body stand at the start of buffer
 */
#ifndef FOS_WIRE_H
#define FOS_WIRE_H

#include <sys/types.h>

#include "head.h"
#include "url.h"

/* Exit codes of the programs that use it; 0 is success. */
enum { EXIT_USAGE = 1, EXIT_NETWORK = 2, EXIT_STATUS = 3, EXIT_OUTPUT = 4, EXIT_INPUT = 5 };

struct wire {
	struct url url;
	int socket;	 /* -1: none */
	char error[512]; /* what failed, in words: "HOST port PORT: ..." */
};

/* Keeps the words and returns the code. */
__attribute__((format(printf, 3, 4))) int wire_fail(struct wire *wire, int code,
						    const char *format, ...);
/* 0, or EXIT_NETWORK with `error`. */
__attribute__((warn_unused_result)) int wire_open(struct wire *wire);
__attribute__((warn_unused_result)) int wire_send(struct wire *wire, const char *bytes,
						  size_t length);
/* Some octets of the answer; 0 at its end, -1 with errno. */
__attribute__((warn_unused_result)) ssize_t wire_receive(const struct wire *wire, char *buffer,
							 size_t size);
/* The head; *extra octets of the body then stand at the buffer's start. 0 or EXIT_NETWORK. */
__attribute__((warn_unused_result)) int wire_receive_head(struct wire *wire, char *buffer,
							  size_t size, struct head *head,
							  size_t *extra);

#endif
