#include "tftpd/wrq.h"

#include <string.h>

#include "io/log.h"
#include "tftpd/deliver.h"

#define BLKSIZE_MOST ((uint16_t)(UDP_DATAGRAM_SIZE - PACKET_DATA_HEADER))
#define MIB ((uint64_t)1024 * 1024)

struct session_limits wrq_limits(const struct packet_options *asked, uint16_t blksize_max)
{
	struct session_limits limits = {.blksize = blksize_max,
					.windowsize = SESSION_WINDOW_MAX};
	struct session_terms terms;

	if (limits.blksize > BLKSIZE_MOST)
		limits.blksize = BLKSIZE_MOST;
	terms = session_agree(asked, &limits, 0);
	if (terms.windowsize * (size_t)terms.blksize > UPLOAD_WINDOW_BYTES)
		limits.windowsize = (uint16_t)(UPLOAD_WINDOW_BYTES / terms.blksize);
	return limits;
}

uint64_t wrq_octets_max(const struct settings *settings)
{
	return (uint64_t)settings->upload_max_mib * MIB;
}

/* What is clear before anything is looked at; false when it was refused. */
static bool is_acceptable(const struct asked *asked)
{
	const struct settings *settings = asked->server->settings;
	const struct packet_options *options = &asked->request.options;

	if (settings->upload_root[0] == '\0') {
		asked_refuse(asked, PACKET_ACCESS,
			     "this server takes no files, it only gives them");
		return false;
	}
	if (options->option[PACKET_TSIZE].is_asked &&
	    options->option[PACKET_TSIZE].value > wrq_octets_max(settings)) {
		asked_refuse(asked, PACKET_DISK_FULL, "it is larger than uploads may be");
		return false;
	}
	return true;
}

enum err wrq_open(const struct asked *asked, const struct session_terms *terms,
		  struct upload **ret_upload)
{
	const struct settings *settings = asked->server->settings;
	struct upload_options options = {
		.loop = asked->server->loop,
		.root = settings->upload_root,
		.may_replace = settings->upload_replace,
		.is_netascii = asked->request.mode == PACKET_NETASCII,
		.window_bytes = terms->windowsize * (size_t)terms->blksize,
		.on_stored = deliver_stored,
		.data = asked->server,
	};
	struct upload_problem problem = {PACKET_UNDEFINED, "the server is out of memory", 0};
	enum err err;

	if (!is_acceptable(asked))
		return ERR_REFUSED;
	err = upload_open(&options, asked->resolved.path.name, ret_upload, &problem);
	if (err == ERR_OK)
		return ERR_OK;
	if (problem.error != 0)
		log_error("upload_failed", "file=%s reason=%s remedy=%s",
			  log_text(asked->resolved.path.name),
			  log_text(strerror(problem.error)),
			  log_text("tftpd's user must be able to write below upload_root"));
	asked_refuse(asked, problem.code, problem.reason);
	return err;
}
