/* http_internal - what the files of http.h share. */
#ifndef ROUSE_IO_HTTP_INTERNAL_H
#define ROUSE_IO_HTTP_INTERNAL_H

#include <stdbool.h>
#include <time.h>

#include "core/http_date.h"
#include "io/http.h"

#define HTTP_FIELDS_MAX 128

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;
struct sockaddr;

/* One connection, as long as it lives. */
struct http_line {
	struct http *server;
	struct MHD_Connection *connection;
	uint64_t since_ms; /* it waits for a whole request */
	bool is_waiting;
	struct http_line *prev, *next; /* of those that wait, the longest first */
};

struct http {
	struct loop *loop;
	struct http_options options;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;		   /* libmicrohttpd's own epoll descriptor */
	uv_timer_t timer;	   /* its next time-out, or at once when there is work */
	uv_timer_t deadline;	   /* the earliest of the parked requests */
	uv_timer_t patience;	   /* for the connection that waits longest */
	int open_handles;	   /* of these four; the last one frees the server */
	bool is_running;	   /* inside MHD_run() */
	time_t dated;		   /* the second that `date` tells */
	char date[HTTP_DATE_SIZE]; /* the Date header, made once a second for all answers */
	bool is_closing, is_tls;
	char said[256]; /* by libmicrohttpd, at last */
	/* of one listening socket: an older one takes no more connections, and ends with its
	 * last */
	struct http *older, *newer;
	struct http_line *waiting; /* for a whole request */
	unsigned line_count;
	struct http_request *parked;
	struct http_request *resting; /* uploads whose handler has enough for now */
};

/* Only forward, except that a parked one may be answered at once. */
enum http_state {
	HTTP_READING,  /* headers or body are still coming */
	HTTP_ASKED,    /* on_request is being called */
	HTTP_PARKED,   /* suspended until an answer or the deadline */
	HTTP_ANSWERED, /* `response` waits to be queued, or is */
};

struct http_field {
	const char *name;
	const char *value;
};

struct http_request {
	struct http *server;
	struct MHD_Connection *connection;
	struct http_line *line; /* NULL: there was no memory for it */
	enum http_state state;
	bool is_known;	   /* libmicrohttpd has shown its headers */
	bool is_delivered; /* the handler has seen it, so it gets on_done */
	bool is_judged;	   /* its target is split and found good */
	bool is_upload;	   /* on_body takes its body */
	bool is_resting;   /* suspended, and in `resting` */
	bool is_dropped;   /* to be closed without an answer */
	bool is_suspended; /* libmicrohttpd leaves its connection alone */
	bool is_queued;
	char method[16];
	const char *path;
	char *query; /* into `target`, both */
	char *body;
	size_t body_length, body_size, body_seen;
	struct http_field *fields;
	size_t field_count, field_size;
	bool is_out_of_memory;
	struct MHD_Response *response;
	unsigned status;
	uint64_t response_length;
	uint64_t deadline_ms; /* on the loop's clock */
	void (*on_abandon)(void *data, struct http_request *request);
	void *data;
	struct http_request *prev, *next; /* of those parked, or resting */
	char target[];			  /* path, query and their decoded fields lie in here */
};

/* A listening socket, or -1 with errno (http_socket.c). */
int http_listen(const struct http_options *options);
/* No address when it is none of IPv4's or IPv6's. */
struct ip http_read_address(const struct sockaddr *address, uint16_t *ret_port);
struct ip http_socket_address(int opened, uint16_t *ret_port);

/* Pure. Splits a request target in place into its decoded path and its raw query ("" if none).
 * ERR_FORMAT for a broken escape, an escaped NUL, or a target that has no path. */
MUST_CHECK enum err http_split_target(char *target, const char **ret_path, char **ret_query);

/* The life of a request, as libmicrohttpd tells it. */
struct http_request *http_request_new(struct http *server, struct MHD_Connection *connection,
				      const char *target);
/* One call of libmicrohttpd's access handler; false closes the connection. */
bool http_request_advance(struct http_request *request, const char *method, const char *version,
			  const char *upload, size_t *upload_size);
void http_request_free(struct http_request *request);

/* Splits the target and takes the fields of its query: what is wrong with them, or 0. Once
 * only. */
unsigned http_judge_target(struct http_request *request, const char **ret_reason);
/* An answer of the server itself, to a request that no handler sees; false closes the
 * connection. */
bool http_refuse(struct http_request *request, unsigned status, const char *reason);
/* The headers of a PUT are known: asks the handler whether it is an upload. */
bool http_begin_upload(struct http_request *request);
/* A piece of an upload's body; false closes the connection. */
bool http_take_piece(struct http_request *request, const char *octets, size_t *length);
/* Wakes all uploads that rest, to be closed. */
void http_drop_resting(struct http *server);

/* Hands the stored answer to libmicrohttpd; false closes the connection. */
bool http_queue_answer(struct http_request *request);
/* Answers parked requests with 503 whose deadline is not after `now_ms`. */
void http_abandon_parked(struct http *server, uint64_t now_ms);

/* The life of a connection (http_crowd.c): it waits for a whole request, and is busy with it.
 */
void http_line_open(struct http *server, struct MHD_Connection *connection, void **context);
void http_line_close(void **context);
struct http_line *http_line_of(struct MHD_Connection *connection);
/* Both accept NULL, and one that is so already. */
void http_line_wait(struct http_line *line);
void http_line_busy(struct http_line *line);

/* libmicrohttpd has work that no descriptor tells of: run it in the loop's next turn. */
void http_run_soon(struct http *server);
/* Sets the deadline timer for the earliest parked request. */
void http_arm_deadline(struct http *server);

#endif
