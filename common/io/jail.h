/*
 * jail - gives up what a daemon needs only at its start.
 *
 * Sockets opened before keep working: a raw socket needs its capability to be opened, not to be
 * used.
 */
#ifndef ROUSE_IO_JAIL_H
#define ROUSE_IO_JAIL_H

#include "core/err.h"

/*
 * Becomes `user` with its groups, for good. "" does nothing; so does any name when the process
 * is not root (it is that user, or systemd has seen to it). ERR_ABSENT: no such user;
 * ERR_SYSTEM. A message is written.
 */
MUST_CHECK enum err jail_drop_user(const char *user);

#endif
