#include "tftpd/warm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)128 * 1024)

struct warm {
	uv_work_t work;
	int file; /* our own: the transfer may end first */
	uint64_t offset;
	bool is_done, is_released;
};

/* In another thread: touches nothing that the loop's thread writes. An error is met by who
 * reads next. */
static void read_part(uv_work_t *work)
{
	struct warm *warm = work->data;
	char piece[PIECE_BYTES]; /* what is read is thrown away */

	for (size_t done = 0; done < WARM_BYTES;) {
		ssize_t got =
			pread(warm->file, piece, PIECE_BYTES, (off_t)(warm->offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		done += (size_t)got;
	}
}

static void on_read(uv_work_t *work, int status)
{
	struct warm *warm = work->data;

	(void)status;
	(void)close(warm->file);
	warm->is_done = true;
	if (warm->is_released)
		free(warm);
}

enum err warm_start(struct loop *loop, int file, uint64_t offset, struct warm **ret_warm)
{
	struct warm *warm = malloc(sizeof(*warm));

	if (!warm)
		return ERR_MEMORY;
	warm->work.data = warm;
	warm->offset = offset;
	warm->is_done = false;
	warm->is_released = false;
	warm->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (warm->file < 0 || uv_queue_work(&loop->uv, &warm->work, read_part, on_read) != 0) {
		if (warm->file >= 0)
			(void)close(warm->file);
		free(warm);
		return ERR_SYSTEM;
	}
	*ret_warm = warm;
	return ERR_OK;
}

bool warm_is_done(const struct warm *warm)
{
	return warm->is_done;
}

bool warm_holds(const struct warm *warm, uint64_t offset)
{
	return offset >= warm->offset && offset - warm->offset < WARM_BYTES;
}

void warm_release(struct warm *warm)
{
	if (!warm)
		return;
	if (warm->is_done)
		free(warm);
	else
		warm->is_released = true;
}
