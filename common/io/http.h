/*
 * http - an HTTP/1.1 server on the loop, on libmicrohttpd: what all three daemons' HTTP has in
 * common. libmicrohttpd is known to http*.c only.
 *
 * A handler is called once a request is whole (method, path, query, headers, form body up to
 * `body_max`; a body that is no form is refused with 415). It either answers at once with one
 * of http_answer_*(), or calls http_park() and answers later from another callback; a parked
 * request whose client has gone may still be answered. Every request must be answered exactly
 * once; a parked one is answered with 503 by the server itself after its deadline or when the
 * server closes: on_abandon is called first, after which the handler must forget it.
 *
 *	static void on_request(void *data, struct http_request *request)
 *	{
 *		if (strcmp(http_path(request), "/healthz") == 0)
 *			http_answer_text(request, 200, "text/plain", "ok\n", 3, NULL);
 *	}
 */
#ifndef ROUSE_IO_HTTP_H
#define ROUSE_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "io/loop.h"

struct http;
struct http_request;

struct http_options {
	struct ip address; /* to listen on; none: all of IPv4's */
	bool both;	   /* with no address: all of IPv6's and of IPv4's */
	/* PEM texts for TLS, which are no longer needed once it is open; NULL: plain HTTP. */
	const char *certificate, *key;
	uint16_t port;		  /* 0: any free one */
	bool reuse_port;	  /* several processes on one port */
	int activated;		  /* a listening descriptor, which stays the caller's, or 0 */
	unsigned connections_max; /* 0: 1024 */
	unsigned idle_seconds;	  /* without a whole request; 0: 60; 5 when places are scarce */
	size_t body_max;	  /* larger bodies get 413; 0: 64 KiB */
	void (*on_request)(void *data, struct http_request *request);
	/*
	 * Uploads: the body of a PUT comes piece by piece and is never in memory as a whole.
	 * on_head is called when its headers are known (path, query fields and headers are, the
	 * body is not); false, or no on_head: the PUT is like any other request. It may answer
	 * at once: the rest of the body is then read and forgotten. on_body takes up to
	 * `length` octets and says how many; fewer: the client rests until http_resume().
	 * on_request comes at the end of the body, on_done in every case, also when the client
	 * has gone in mid-body.
	 */
	bool (*on_head)(void *data, struct http_request *request);
	size_t (*on_body)(void *data, struct http_request *request, const char *octets,
			  size_t length);
	size_t upload_max; /* larger uploads get 413; 0: 64 MiB */
	/* The answer has been sent (status and body octets) or its client went away (status 0).
	 */
	void (*on_done)(void *data, struct http_request *request, unsigned status,
			uint64_t sent);
	void *data;
};

struct http_header {
	const char *name;
	const char *value;
};

/* ERR_SYSTEM: errno says why. ERR_REFUSED: TLS cannot be had so, with a message. */
MUST_CHECK enum err http_open(struct loop *loop, const struct http_options *options,
			      struct http **ret_server);
/*
 * Another certificate for connections from now on, and another server for them; those that are
 * open go on until they end, or until what is left of their server is closed with *server. When
 * it fails nothing has changed, with the errors of http_open().
 */
MUST_CHECK enum err http_renew(struct http **server, const char *certificate, const char *key);
uint16_t http_port(const struct http *server);
/* Answers what is parked with 503, then closes. Accepts NULL. */
void http_close(struct http *server);

/* Views into the request; they live until it is answered (parked ones included) and on_done
 * returned. */
const char *http_method(const struct http_request *request); /* "GET", "HEAD", "POST", ... */
const char *
http_path(const struct http_request *request); /* percent-decoded, begins with "/" */
struct ip http_peer(const struct http_request *request);
bool http_is_tls(const struct http_request *request);
/* The local address the client reached: what a script must name to come back here. */
struct ip http_local(const struct http_request *request, uint16_t *ret_port);
const char *http_get_header(const struct http_request *request, const char *name); /* or NULL */
/* Decoded fields of the query and, behind them, of a form body, in order; NULL ends. */
size_t http_field_count(const struct http_request *request);
const char *http_field_name(const struct http_request *request, size_t position);
const char *http_field_value(const struct http_request *request, size_t position);
/* The first field of that name, or NULL. */
const char *http_field(const struct http_request *request, const char *name);
/* Has an earlier field the same name? For those who would take the last where others take the
 * first. */
bool http_field_is_repeated(const struct http_request *request, size_t position);
/* A slot for the handler's own use. */
void http_set_data(struct http_request *request, void *data);
void *http_get_data(const struct http_request *request);

/* on_body shall be called again, with what it did not take. Does nothing to one that does not
 * rest. */
void http_resume(struct http_request *request);
/* The connection of an upload that has not been answered is closed without an answer. */
void http_drop(struct http_request *request);

/* Wait for something else; 503 with Retry-After after deadline_ms. */
void http_park(struct http_request *request, uint64_t deadline_ms,
	       void (*on_abandon)(void *data, struct http_request *request));
/* Copies the body; `headers` ends with a NULL name, or is NULL. HEAD gets the headers only. */
void http_answer_text(struct http_request *request, unsigned status, const char *type,
		      const char *body, size_t length, const struct http_header *headers);
/*
 * Sends `length` octets of an open regular file from `offset` by sendfile and closes it in the
 * end; the caller has decided status (200, 206, or 304, of which nothing is sent) and headers
 * (Content-Range, ETag).
 */
void http_answer_file(struct http_request *request, unsigned status, const char *type, int file,
		      uint64_t offset, uint64_t length, const struct http_header *headers);

/*
 * One application/x-www-form-urlencoded text into fields, each calling on_field with
 * NUL-terminated decoded views into `text`, which is overwritten and has room for one octet
 * more than `length`. Pure; fuzzed. ERR_FORMAT for a broken escape, a NUL byte, an empty name
 * or a control byte in a name; ERR_RANGE for more than `most` fields. Fields before the mistake
 * have been reported.
 */
MUST_CHECK enum err
http_parse_form(char *text, size_t length, size_t most,
		void (*on_field)(void *data, const char *name, const char *value), void *data);

#endif
