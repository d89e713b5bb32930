#include "tftpd/window.h"

#include <string.h>

#include "io/udp.h"
#include "tftpd/packet.h"

unsigned window_most(uint16_t blksize)
{
	unsigned fitting = UDP_PAYLOAD_MAX / (PACKET_DATA_HEADER + (unsigned)blksize);

	if (fitting == 0)
		return 1;
	return fitting < UDP_SEGMENTS ? fitting : UDP_SEGMENTS;
}

size_t window_length(const struct session *session, struct window window)
{
	size_t whole = PACKET_DATA_HEADER + (size_t)session->terms.blksize;

	return (window.count - 1) * whole + PACKET_DATA_HEADER +
	       session_block_length(session, window.first + window.count - 1);
}

/*
 * From the octets of all blocks at the end of the room to headers and blocks, one after the
 * other. Moving them in the cache costs less than a read that scatters them: the kernel copies
 * whole pages faster than pieces of them.
 */
static void lay_out(const struct session *session, struct window window, const uint8_t *octets,
		    uint8_t *room)
{
	for (unsigned i = 0; i < window.count; i++) {
		struct bytes_writer out = bytes_writer(room, PACKET_DATA_HEADER);
		size_t length = session_block_length(session, window.first + i);

		/* never over what is still to be moved: the headers before it are fewer */
		packet_write_data_header(&out, session_block_number(session, window.first + i));
		memmove(room + PACKET_DATA_HEADER, octets, length);
		room += PACKET_DATA_HEADER + length;
		octets += length;
	}
}

enum err window_read(const struct source *source, const struct session *session,
		     struct window window, bool may_wait, uint8_t *room)
{
	uint64_t offset = session_block_offset(session, window.first);
	size_t headers = window.count * (size_t)PACKET_DATA_HEADER;
	size_t length = window_length(session, window) - headers;
	enum err err = ERR_OK;

	if (length > 0)
		err = may_wait ? source_read(source, offset, room + headers, length)
			       : source_read_at_once(source, offset, room + headers, length);
	if (err == ERR_OK)
		lay_out(session, window, room + headers, room);
	return err;
}
