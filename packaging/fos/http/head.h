/*
 * The head of an HTTP answer (RFC 9112): status line and the few header fields that FOS needs.
 * Pure: the caller gives the bytes, up to and with the empty line.
 */
#ifndef FOS_HEAD_H
#define FOS_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct head {
	int status;
	int64_t content_length;	 /* -1: not given, the body ends with the connection */
	int64_t range_start;	 /* of Content-Range; -1: not given */
	int64_t upload_offset;	 /* octets that are stored; -1: not given */
	int64_t date_seconds;	 /* since 1970; -1: not given, or no date */
	int retry_after_seconds; /* -1: not given, or given as a date */
	bool is_encoded;	 /* a Transfer-Encoding, which HTTP/1.0 does not know */
	char etag[128];		 /* as sent, with its quotes; "" when absent or too long */
};

/* Length of the head that bytes begin with, its empty line included; 0 when it is not complete.
 */
size_t head_length(const char *bytes, size_t length);

/* False when the bytes are no HTTP answer or a field that counts is malformed. */
__attribute__((warn_unused_result)) bool head_parse(const char *bytes, size_t length,
						    struct head *head);

#endif
