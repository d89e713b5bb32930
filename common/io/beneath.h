/*
 * beneath - opens names that strangers have sent, so that no "..", no link and no race leads
 * out of the folder: openat2(2), Linux 5.6. Links within the folder are followed, magic ones
 * never.
 */
#ifndef ROUSE_IO_BENEATH_H
#define ROUSE_IO_BENEATH_H

/* `flags` as for open(2), of what exists; closed on exec. A descriptor, or -1 with errno. */
int beneath_open(int folder, const char *path, unsigned flags);
/*
 * Says in the log if it cannot work here at all, for then no file can be served: a system call
 * filter of a unit or of a container's engine forbids the call.
 */
void beneath_check(void);

#endif
