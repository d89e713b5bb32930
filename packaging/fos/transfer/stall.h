/*
 * What a transfer that may last for hours keeps of its troubles: since when nothing has moved,
 * what a person should know of it, and when to give up. It lives in the folder of a part that
 * is on its way, which is the working directory: `continued` has the second of menud's last
 * answer to a progress report, `note` what the transfer waits for.
 */
#ifndef FOS_STALL_H
#define FOS_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct stall {
	time_t since; /* seconds since the machine's start; 0: it goes on */
	int pause;    /* seconds: what was waited the last time, longer each time up to 5 */
};

/* Something has moved. */
void stall_end(struct stall *stall);
/*
 * One more try has failed, `words` says how: waits before the next one, so long as the server
 * says (retry_after_seconds, below 1: it does not). False when there is no hope: for 120 s
 * nothing has moved although menud has answered progress reports meanwhile. As long as it is
 * silent there too, the network or menud may come back.
 */
__attribute__((warn_unused_result)) bool stall_wait(struct stall *stall, const char *words,
						    int retry_after_seconds);

/* The first line of a small file, or "". */
void stall_read_line(const char *path, char *line, size_t size);

#endif
