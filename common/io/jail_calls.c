/*
 * The half of jail_confine() that bounds system calls: a list of those that a daemon and its
 * libraries (libc, libuv, libpq, libmicrohttpd, libsystemd) are made of. What is not on it
 * fails as if it were forbidden, and is named: a newer libc that needs another call degrades,
 * it does not kill.
 */
#include "io/jail_internal.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "io/log.h"

#define CALL_MAX 512 /* above every number of a call that the kernel has today */
#define NAME_SIZE 32

/* The leak checker looks into its own process by a process that traces it. */
#ifdef __SANITIZE_ADDRESS__
#define TRACER "ptrace wait4 process_vm_readv personality sched_setaffinity fork vfork msync"
#else
#define TRACER ""
#endif

/* By what they are for; names that a processor does not have are passed over. */
static const char allowed[] =
	/* memory and threads */
	"brk mmap mmap2 munmap mremap mprotect madvise membarrier mlock munlock clone "
	"clone3 set_robust_list rseq futex futex_time64 sched_yield sched_getaffinity "
	"sched_getparam sched_getscheduler set_tid_address exit exit_group arch_prctl prctl "
	/* who and what this is */
	"getpid gettid getppid getuid geteuid getgid getegid getgroups getresuid getresgid "
	"uname sysinfo getrusage prlimit64 getrlimit ugetrlimit getcpu getrandom times "
	"umask "
	/* time and signals */
	"clock_gettime clock_gettime64 clock_getres clock_getres_time64 gettimeofday time "
	"nanosleep clock_nanosleep clock_nanosleep_time64 restart_syscall rt_sigaction "
	"rt_sigprocmask rt_sigreturn rt_sigtimedwait sigreturn sigaltstack kill tgkill "
	"timer_create timer_settime timer_delete "
	/* files */
	"open openat openat2 close close_range read pread64 readv preadv preadv2 write "
	"pwrite64 writev pwritev pwritev2 lseek _llseek sendfile sendfile64 splice tee "
	"copy_file_range readahead fadvise64 fadvise64_64 fallocate ftruncate ftruncate64 "
	"truncate fsync fdatasync sync_file_range syncfs flock fcntl fcntl64 dup dup2 dup3 "
	"stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx statfs statfs64 "
	"fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat getcwd getdents "
	"getdents64 mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link "
	"linkat chmod fchmod fchmodat utimensat memfd_create ioctl inotify_init1 "
	"inotify_add_watch inotify_rm_watch mincore cachestat "
	/* sockets and waiting */
	"socket socketpair socketcall bind listen accept accept4 connect shutdown "
	"getsockname getpeername setsockopt getsockopt send recv sendto recvfrom sendmsg "
	"recvmsg sendmmsg recvmmsg recvmmsg_time64 pipe pipe2 eventfd2 timerfd_create "
	"timerfd_settime poll ppoll ppoll_time64 select pselect6 _newselect epoll_create "
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
	/* what a tracer of this build needs */
	TRACER;

/* Filled before the filter stands: in a signal handler no name can be looked up. */
static char names[CALL_MAX][NAME_SIZE];
static volatile sig_atomic_t was_named[CALL_MAX];

static void fill_names(void)
{
	for (int i = 0; i < CALL_MAX; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		if (name)
			strncpy(names[i], name, NAME_SIZE - 1);
		free(name);
	}
}

/* Makes the call that was caught return -EPERM. */
static void refuse(ucontext_t *context)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#else
#error "say here where this processor returns the result of a system call"
#endif
}

static void on_forbidden_call(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	int call = info->si_syscall;

	(void)number;
	if (call < 0 || call >= CALL_MAX)
		log_error("forbidden_call", "number=%d", call);
	else if (!was_named[call])
		log_error(
			"forbidden_call",
			"call=%s number=%d remedy=\"confine = false, if a library has begun to "
			"need it\"",
			names[call], call);
	if (call >= 0 && call < CALL_MAX)
		was_named[call] = 1;
	refuse(context);
	errno = saved;
}

static int allow(scmp_filter_ctx filter, const char *name)
{
	int call = seccomp_syscall_resolve_name(name);

	return call < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
}

static int allow_all(scmp_filter_ctx filter)
{
	char list[sizeof(allowed)];
	char *rest = NULL;
	int status = 0;

	memcpy(list, allowed, sizeof(list));
	for (char *name = strtok_r(list, " ", &rest); name && status == 0;
	     name = strtok_r(NULL, " ", &rest))
		status = allow(filter, name);
	return status;
}

static int load(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int status;

	if (!filter)
		return -ENOMEM;
	status = allow_all(filter);
	if (status == 0)
		/* the busiest calls are found first, whatever their number */
		status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (status == 0)
		status = seccomp_load(filter);
	seccomp_release(filter);
	return status;
}

enum err jail_bound_calls(void)
{
	struct sigaction action = {.sa_sigaction = on_forbidden_call,
				   .sa_flags = SA_SIGINFO | SA_NODEFER};
	int status;

	fill_names();
	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) != 0) {
		log_error("cannot_confine", "what=calls reason=%s", log_text(strerror(errno)));
		return ERR_SYSTEM;
	}
	status = load();
	if (status != 0) {
		log_error("cannot_confine", "what=calls reason=%s remedy=%s",
			  log_text(strerror(-status)),
			  log_text("a kernel with seccomp filters, or confine = false"));
		return ERR_SYSTEM;
	}
	return ERR_OK;
}
