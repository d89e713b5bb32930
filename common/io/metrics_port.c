#include "io/metrics_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"

#define ANSWER_SIZE 16384
#define CONNECTIONS_MAX 8

struct metrics_port {
	struct http *http;
	metrics_write *write;
	void *data;
};

void metrics_answer(struct http_request *request, metrics_write *write, void *data)
{
	static char answer[ANSWER_SIZE]; /* one loop, one answer at a time */
	struct text out = text_into(answer, sizeof(answer));

	write(data, &out);
	if (out.failed) {
		log_error("metrics_too_long", "size=%d", ANSWER_SIZE);
		http_answer_text(request, 500, "text/plain", "too many figures\n", 17, NULL);
		return;
	}
	http_answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", out.start,
			 out.length, NULL);
}

static void on_request(void *data, struct http_request *request)
{
	static const char absent[] = "there is /metrics here, and nothing else\n";
	struct metrics_port *port = data;
	const char *method = http_method(request);

	if (strcmp(http_path(request), "/metrics") == 0 &&
	    (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
		metrics_answer(request, port->write, port->data);
	else
		http_answer_text(request, 404, "text/plain", absent, sizeof(absent) - 1, NULL);
}

enum err metrics_port_open(struct loop *loop, uint16_t number, metrics_write *write, void *data,
			   struct metrics_port **ret_port)
{
	struct http_options options = {.address = ip_from_v4(INADDR_LOOPBACK),
				       .port = number,
				       .connections_max = CONNECTIONS_MAX,
				       .on_request = on_request};
	struct metrics_port *port;
	enum err err;

	*ret_port = NULL;
	if (number == 0)
		return ERR_OK;
	port = calloc(1, sizeof(*port));
	if (!port)
		return ERR_MEMORY;
	port->write = write;
	port->data = data;
	options.data = port;
	err = http_open(loop, &options, &port->http);
	if (err != ERR_OK) {
		log_error("cannot_listen", "address=127.0.0.1 port=%u reason=%s remedy=%s",
			  number, log_text(strerror(errno)),
			  log_text("set metrics_port to a free port, or to 0"));
		free(port);
		return err;
	}
	*ret_port = port;
	return ERR_OK;
}

void metrics_port_close(struct metrics_port *port)
{
	if (!port)
		return;
	http_close(port->http);
	free(port);
}
