#include "io/jail.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "io/jail_internal.h"
#include "io/log.h"

enum err jail_drop_user(const char *user)
{
	struct passwd *entry;

	if (user[0] == '\0' || geteuid() != 0)
		return ERR_OK;
	errno = 0;
	entry = getpwnam(user);
	if (!entry) {
		log_error("no_such_user", "user=%s remedy=%s", log_text(user),
			  log_text("make the user (the packages do), or mend the key user"));
		return ERR_ABSENT;
	}
	if (initgroups(user, entry->pw_gid) != 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0) {
		log_error("cannot_become_user", "user=%s reason=%s", log_text(user),
			  log_text(strerror(errno)));
		return ERR_SYSTEM;
	}
	/* root that can be had back was not given up */
	if (entry->pw_uid != 0 && setuid(0) == 0) {
		log_error("root_kept", "user=%s", log_text(user));
		return ERR_SYSTEM;
	}
	return ERR_OK;
}

enum err jail_confine(const char *const *writable, size_t writable_count)
{
	enum err err = jail_bound_files(writable, writable_count);

	return err == ERR_OK ? jail_bound_calls() : err;
}
