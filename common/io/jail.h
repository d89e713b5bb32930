/*
 * jail - gives up what a daemon needs only at its start.
 *
 * Sockets opened before keep working: a raw socket needs its capability to be opened, not to be
 * used.
 */
#ifndef ROUSE_IO_JAIL_H
#define ROUSE_IO_JAIL_H

#include <stddef.h>

#include "core/err.h"

/*
 * Becomes `user` with its groups, for good. "" does nothing; so does any name when the process
 * is not root (it is that user, or systemd has seen to it). ERR_ABSENT: no such user;
 * ERR_SYSTEM. A message is written.
 */
MUST_CHECK enum err jail_drop_user(const char *user);

/*
 * From now on, for good and for every thread made later: files are written, made, renamed and
 * removed beneath the `writable` folders only ("" and those that are absent are left out), no
 * program is run, and system calls other than those a daemon is made of fail with EPERM, each
 * named once in the log (`forbidden_call`). Reading is not bounded: libpq's keys and
 * certificates lie where the site has put them.
 *
 * Must be called before the first thread. A kernel without Landlock (older than 5.13, or with
 * it switched off) is told in the log and costs that half only. ERR_SYSTEM: with a message.
 * landlock(7), seccomp(2).
 */
MUST_CHECK enum err jail_confine(const char *const *writable, size_t writable_count);

#endif
