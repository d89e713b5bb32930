/*
 * URLs and form fields, as far as FOS needs them: "http://HOST[:PORT]/PATH" taken apart, and
 * values percent-encoded for application/x-www-form-urlencoded. Pure: no input or output.
 *
 *	struct url url;
 *	if (!url_parse("http://10.77.0.1:8080/fos/checkin", &url))
 *		... not a URL that we speak
 */
#ifndef FOS_URL_H
#define FOS_URL_H

#include <stdbool.h>
#include <stddef.h>

struct url {
	char host[256]; /* a name or an address, an IPv6 address without its brackets */
	char port[6];
	char path[1024]; /* with the leading slash and the query */
	bool is_ipv6;	 /* the Host header needs the brackets back */
};

/* False when text is no http URL, has a user part, or is too long for struct url. */
__attribute__((warn_unused_result)) bool url_parse(const char *text, struct url *url);

/*
 * Appends "name=" and the percent-encoded value (RFC 3986, unreserved characters stay) of field
 * ("name=value", length bytes) to out, behind "&" when *used is not 0. *used counts the bytes
 * of out. False when the field has no name or out (size bytes) is too small.
 */
__attribute__((warn_unused_result)) bool url_append_field(const char *field, size_t length,
							  char *out, size_t size, size_t *used);

#endif
