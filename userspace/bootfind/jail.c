// SPDX-License-Identifier: GPL-2.0-only
/* jail.c - see jail.h */
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

#define MAX_MEMORY	(4ull << 30)	/* bytes of addresses; GRUB reads whole files into some */
#define MAX_SECONDS	300		/* of the processor */
#define MAX_FILE	(1ull << 30)	/* bytes of a kernel or an initrd, which it prints */

static int limit(int what, u64 most)
{
	return setrlimit(what, &(struct rlimit){ most, most });
}

static void allow_path(int rules, const char *path, u64 access)
{
	struct landlock_path_beneath_attr below = {
		.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};

	if (below.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	close(below.parent_fd);
}

/* a kernel without Landlock has the user's rights to files, and the filter, left */
static void limit_files(const char *file)
{
	static const char *const programs[] = { "/usr", "/bin", "/lib", "/lib64" };
	struct landlock_ruleset_attr all = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1,
	};
	int rules = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (rules < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		allow_path(rules, programs[i], LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
	allow_path(rules, "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE);
	allow_path(rules, file, LANDLOCK_ACCESS_FS_READ_FILE);
	/* GRUB looks at names in / to see whether it is a filesystem */
	allow_path(rules, "/", LANDLOCK_ACCESS_FS_READ_DIR);
	syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
}

int jail_enter(u32 uid, u32 gid, const char *file, struct failure *why)
{
	if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		return fail(why, OVID_X_HOST, "cannot become user %u: %s", uid, strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || limit(RLIMIT_CORE, 0) || limit(RLIMIT_CPU, MAX_SECONDS))
		return fail(why, OVID_X_HOST, "cannot give up privileges: %s", strerror(errno));
	limit_files(file);
	return 0;
}

/* a loader's, the C library's, and those that read a file and print it */
static const int allowed_calls[] = {
	SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(statfs), SCMP_SYS(getcwd), SCMP_SYS(fadvise64), SCMP_SYS(mmap), SCMP_SYS(mprotect),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(arch_prctl),
	SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(uname), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall), SCMP_SYS(execve), SCMP_SYS(dup2), SCMP_SYS(sendmsg),
};

/* it has no socket, and gets none: sendmsg() is for the file that this makes, on its way out */
static int fill(scmp_filter_ctx ctx)
{
	int ret = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(read), 0);

	for (size_t i = 0; i < ARRAY_SIZE(allowed_calls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				       SCMP_A2_32(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	/* to know a limit, not to set one */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2_64(SCMP_CMP_EQ, 0));
	return ret;
}

int jail_reader(bool open)
{
	scmp_filter_ctx ctx = seccomp_init(open ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	int ret = -ENOMEM;

	if (!ctx)
		return ret;
	if (!open && (limit(RLIMIT_AS, MAX_MEMORY) || limit(RLIMIT_FSIZE, MAX_FILE)))
		ret = -errno;
	else if (open)
		ret = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(read), 0);
	else
		ret = fill(ctx);
	if (!ret)
		ret = seccomp_load(ctx);
	if (!ret)
		ret = seccomp_notify_fd(ctx);
	/* the file stays open */
	return ret;
}
