/* Any datagram at port 69 or at a transfer's port: parsed, resolved, agreed upon, answered. */
#include <stdlib.h>
#include <string.h>

#include "tftpd/packet.h"
#include "tftpd/resolve.h"
#include "tftpd/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* No segment is "..", none is empty; "a.." is an honest name. */
static void check_path(const char *path)
{
	check(!strchr(path, '\\') && !strstr(path, "//"));
	for (const char *segment = path; segment; segment = strchr(segment, '/')) {
		segment += *segment == '/';
		check(strcmp(segment, "..") != 0 && strncmp(segment, "../", 3) != 0);
	}
}

static void check_terms(const struct packet_options *asked, uint64_t file_size)
{
	static const struct session_limits limits = {.blksize = 1468, .windowsize = 64};
	struct session_terms terms = session_agree(asked, &limits, file_size);
	uint8_t buffer[PACKET_ANSWER_SIZE];
	struct bytes_writer out = bytes_writer(buffer, sizeof(buffer));

	check(terms.blksize >= PACKET_BLKSIZE_MIN && terms.blksize <= limits.blksize);
	check(terms.windowsize >= 1 && terms.windowsize <= limits.windowsize);
	if (asked->option[PACKET_BLKSIZE].is_asked)
		check(terms.blksize <= asked->option[PACKET_BLKSIZE].value);
	session_write_oack(&out, asked, &terms);
	check(!out.failed && terms.has_oack == (out.length > 2));
}

static void check_request(const struct packet_request *request)
{
	struct site empty = {0};
	struct resolved resolved = resolve_name(request->name, request->name_length);

	if (resolved.kind == RESOLVE_REFUSED) {
		check(resolved.reason[0] != '\0');
	} else {
		check(resolved.path.name[0] != '/' && resolved.path.name[0] != '\0');
		check_path(resolved.path.name);
		(void)resolve_stage(&empty, resolved.path.name);
	}
	check_terms(&request->options, request->name_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_request request;
	struct packet_reply reply;

	if (packet_parse_request(data, size, &request) == ERR_OK)
		check_request(&request);
	if (packet_parse_reply(data, size, &reply) == ERR_OK)
		check(reply.message_length <= size);
	return 0;
}
