#include "io/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/log.h"

#define OPEN_TRIES 16

int beneath_open(int folder, const char *path, unsigned flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	for (int i = 0; i < OPEN_TRIES; i++) {
		int file = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));

		/* a rename elsewhere can make the kernel unsure: it asks to try again */
		if (file >= 0 || errno != EAGAIN)
			return file;
	}
	return -1;
}

void beneath_check(void)
{
	int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int same = folder < 0 ? -1 : beneath_open(folder, ".", O_PATH | O_DIRECTORY);

	if (same < 0)
		log_error("files_forbidden", "call=openat2 reason=%s effect=%s remedy=%s",
			  log_text(strerror(errno)), log_text("no file can be served"),
			  log_text("a unit without RestrictSUIDSGID=, a newer container engine "
				   "or a newer kernel"));
	if (same >= 0)
		(void)close(same);
	if (folder >= 0)
		(void)close(folder);
}
