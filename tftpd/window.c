#include "tftpd/window.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/uio.h>
#include <sys/vfs.h>

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

/* Where each block's data comes to lie; the last one may be empty. The octets of all. */
static size_t lay_out(const struct session *session, struct window window, uint8_t *room,
		      struct iovec *parts)
{
	size_t total = 0;

	for (unsigned i = 0; i < window.count; i++) {
		struct bytes_writer out = bytes_writer(room, PACKET_DATA_HEADER);
		size_t length = session_block_length(session, window.first + i);

		packet_write_data_header(&out, session_block_number(session, window.first + i));
		parts[i] = (struct iovec){room + PACKET_DATA_HEADER, length};
		room += PACKET_DATA_HEADER + length;
		total += length;
	}
	return total;
}

/* A filesystem that has no disk is never waited for. */
static bool is_in_memory(int file)
{
	struct statfs status;

	return fstatfs(file, &status) == 0 &&
	       (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

/*
 * Some filesystems (NFS, FUSE, overlays) cannot say whether they would have to wait: their
 * files count as not in memory until they were read ahead.
 */
static ssize_t read_parts(int file, const struct iovec *parts, unsigned count, uint64_t offset,
			  bool may_wait)
{
	ssize_t got;

	do {
		got = may_wait ? preadv(file, parts, (int)count, (off_t)offset)
			       : preadv2(file, parts, (int)count, (off_t)offset, RWF_NOWAIT);
	} while (got < 0 && errno == EINTR);
	if (got >= 0 || may_wait || (errno != EOPNOTSUPP && errno != ENOSYS))
		return got;
	if (is_in_memory(file))
		return read_parts(file, parts, count, offset, true);
	errno = EAGAIN;
	return -1;
}

/* Slowly, a block after the other: what one call did not give whole. */
static enum err read_singly(const struct source *source, const struct iovec *parts,
			    unsigned count, uint64_t offset)
{
	for (unsigned i = 0; i < count; i++) {
		enum err err = source_read(source, offset, parts[i].iov_base, parts[i].iov_len);

		if (err != ERR_OK)
			return err;
		offset += parts[i].iov_len;
	}
	return ERR_OK;
}

enum err window_read(const struct source *source, const struct session *session,
		     struct window window, bool may_wait, uint8_t *room)
{
	uint64_t offset = session_block_offset(session, window.first);
	struct iovec parts[UDP_SEGMENTS];
	size_t total = lay_out(session, window, room, parts);
	ssize_t got;

	if (total == 0)
		return ERR_OK;
	if (source->text)
		return read_singly(source, parts, window.count, offset);
	got = read_parts(source->file, parts, window.count, offset, may_wait);
	if (got == (ssize_t)total)
		return ERR_OK;
	if (got < 0 && errno != EAGAIN)
		return ERR_SYSTEM;
	/* only a part of it, or nothing, lies in memory; or the file has become shorter */
	return may_wait ? read_singly(source, parts, window.count, offset) : ERR_AWAY;
}
