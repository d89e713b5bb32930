#include "tftpd/parked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "tftpd/server.h"

static void append(struct parked *parked, struct parked_request *request)
{
	DL_APPEND(parked->requests, request);
	parked->count++;
}

static enum err park(struct parked *parked, struct server *server,
		     const struct udp_datagram *datagram, const char *name,
		     struct parked_request **ret_request)
{
	struct parked_request *request;

	if (parked->count == PARKED_MAX)
		return ERR_SPACE;
	request = calloc(1, sizeof(*request) + datagram->length);
	if (!request)
		return ERR_MEMORY;
	request->server = server;
	request->datagram = *datagram;
	request->datagram.data = request->octets;
	memcpy(request->octets, datagram->data, datagram->length);
	(void)snprintf(request->name, sizeof(request->name), "%s", name);
	append(parked, request);
	*ret_request = request;
	return ERR_OK;
}

enum err parked_ask(struct parked *parked, struct server *server,
		    const struct udp_datagram *datagram, const struct parked_question *question)
{
	struct parked_request *request;
	enum err err = park(parked, server, datagram, question->name, &request);

	if (err != ERR_OK)
		return err;
	request->is_asking = true;
	request->asker = question->asker;
	err = backend_query(server->backend, question->sql, question->params,
			    question->param_count, PARKED_MS, question->on_answer, request);
	if (err != ERR_OK) {
		parked_remove(parked, request);
		free(request);
	}
	return err;
}

enum err parked_join(struct parked *parked, struct server *server,
		     const struct udp_datagram *datagram, const char *name)
{
	struct parked_request *request;

	return park(parked, server, datagram, name, &request);
}

bool parked_has(const struct parked *parked, const struct udp_peer *peer, const char *name)
{
	const struct parked_request *request;

	DL_FOREACH(parked->requests, request)
	{
		if ((!peer || udp_peer_equal(&request->datagram.peer, peer)) &&
		    strcmp(request->name, name) == 0)
			return true;
	}
	return false;
}

void parked_remove(struct parked *parked, struct parked_request *request)
{
	DL_DELETE(parked->requests, request);
	parked->count--;
}

void parked_resume(struct parked *parked, struct server *server, const char *name, bool is_read)
{
	struct parked taken = {0};
	struct parked_request *request, *next;

	DL_FOREACH_SAFE(parked->requests, request, next)
	{
		if (strcmp(request->name, name) != 0)
			continue;
		parked_remove(parked, request);
		append(&taken, request);
	}
	/* apart from the list, for one may park itself anew */
	while ((request = taken.requests)) {
		parked_remove(&taken, request);
		server_take_again(server, &request->datagram, is_read);
		free(request);
	}
}

void parked_close(struct parked *parked)
{
	while (parked->requests) {
		struct parked_request *request = parked->requests;

		parked_remove(parked, request);
		request->server = NULL;
		if (!request->is_asking)
			free(request);
	}
}
