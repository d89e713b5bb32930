/* The half of jail_confine() that bounds files: Landlock, by its three calls, for which Debian
 * 12's libc has no functions. */
#include "io/jail_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/log.h"

/* since ABI 3 (Linux 6.2); the headers of Debian 12 are older */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define CHANGES                                                                                \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                         \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |                           \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                         \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                        \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR)

static uint64_t access_of(long abi)
{
	uint64_t access = CHANGES | LANDLOCK_ACCESS_FS_EXECUTE;

	if (abi >= 2) /* to rename and link from one folder to another */
		access |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		access |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return access;
}

static enum err allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	long status;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) /* whoever needs it says so, with a remedy */
		return ERR_OK;
	status = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	(void)close(rule.parent_fd);
	return status == 0 ? ERR_OK : ERR_SYSTEM;
}

static enum err allow_all(int ruleset, const char *const *writable, size_t count,
			  uint64_t access)
{
	for (size_t i = 0; i < count; i++)
		if (writable[i][0] != '\0' && allow(ruleset, writable[i], access) != ERR_OK)
			return ERR_SYSTEM;
	return allow(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
}

static enum err enforce(int ruleset)
{
	/* without it only root may */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return ERR_SYSTEM;
	return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err jail_bound_files(const char *const *writable, size_t writable_count)
{
	long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attributes = {.handled_access_fs = access_of(abi)};
	enum err err = ERR_SYSTEM;
	int ruleset;

	if (abi < 1) {
		log_info(
			"files_not_confined", "reason=%s remedy=%s", log_text(strerror(errno)),
			log_text(errno == EPERM
					 ? "let the unit or the container engine permit "
					   "Landlock's system calls (landlock_*)"
					 : "none is needed; a kernel with Landlock would bound "
					   "what can be written"));
		return ERR_OK;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (ruleset >= 0) {
		err = allow_all(ruleset, writable, writable_count,
				attributes.handled_access_fs & ~LANDLOCK_ACCESS_FS_EXECUTE);
		if (err == ERR_OK)
			err = enforce(ruleset);
	}
	if (err != ERR_OK)
		log_error("cannot_confine", "what=files reason=%s", log_text(strerror(errno)));
	if (ruleset >= 0)
		(void)close(ruleset);
	return err;
}
