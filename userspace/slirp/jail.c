// SPDX-License-Identifier: GPL-2.0-only
/* jail.c - see jail.h */
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

#define RESOLV_CONF	"/etc/resolv.conf"
#define MAX_SOCKETS	1024	/* a guest's connections cost no more than so many */

static int limit(int what, u64 most)
{
	return setrlimit(what, &(struct rlimit){ most, most });
}

/* more would be better, but never is an error */
static void limit_sockets(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l))
		limit(RLIMIT_NOFILE, min_u64(MAX_SOCKETS, l.rlim_max));
}

static void allow_reads_below(int rules, const char *path)
{
	struct landlock_path_beneath_attr below = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};

	if (below.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	close(below.parent_fd);
}

/*
 * Who changes the nameservers puts another file in its place, so folders are named: that of the
 * file, and that of what it is a link to.  A kernel without Landlock has the user's rights to
 * files, and the filter, left.
 */
static void limit_files(void)
{
	struct landlock_ruleset_attr all = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1,
	};
	int rules = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	char *real = realpath(RESOLV_CONF, NULL), *slash;

	if (rules >= 0) {
		allow_reads_below(rules, "/etc");
		slash = real ? strrchr(real, '/') : NULL;
		if (slash && slash != real) {
			*slash = 0;
			allow_reads_below(rules, real);
		}
		syscall(SYS_landlock_restrict_self, rules, 0);
		close(rules);
	}
	free(real);
}

static int become(const struct slirp_config *c, struct failure *why)
{
	if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(c->gid, c->gid, c->gid) ||
			       setresuid(c->uid, c->uid, c->uid)))
		return fail(why, OVID_X_HOST, "cannot become user %u: %s", c->uid, strerror(errno));
	if (limit(RLIMIT_CORE, 0) || prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(why, OVID_X_HOST, "cannot give up privileges: %s", strerror(errno));
	return 0;
}

/* the C library's and GLib's, and those of sockets; nothing that executes or signals */
static const int allowed_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(connect),
	SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction),
	SCMP_SYS(restart_syscall), SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mremap),
	SCMP_SYS(getrandom), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static const unsigned int allowed_ioctls[] = { FIONREAD, FIONBIO };
static const unsigned int allowed_fcntls[] = { F_GETFL, F_SETFL, F_GETFD, F_SETFD };
static const unsigned int allowed_families[] = { AF_INET, AF_INET6 };

static int fill(scmp_filter_ctx ctx)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed_calls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(allowed_ioctls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1_32(SCMP_CMP_EQ, allowed_ioctls[i]));
	for (size_t i = 0; i < ARRAY_SIZE(allowed_fcntls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				       SCMP_A1_32(SCMP_CMP_EQ, allowed_fcntls[i]));
	for (size_t i = 0; i < ARRAY_SIZE(allowed_families) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0_32(SCMP_CMP_EQ, allowed_families[i]));
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				       SCMP_A2_32(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return ret;
}

/* What is not allowed fails, since the library's next version may try more than this one. */
static int filter(struct failure *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret;

	if (!ctx)
		return fail(why, OVID_X_HOST, "cannot make a seccomp filter: out of memory");
	ret = fill(ctx);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	if (ret)
		return fail(why, OVID_X_HOST,
			    "cannot install the seccomp filter: %s; the host kernel needs CONFIG_SECCOMP_FILTER",
			    strerror(-ret));
	return 0;
}

int slirp_jail(const struct slirp_config *c, struct failure *why)
{
	int ret = become(c, why);

	if (ret)
		return ret;
	limit_sockets();
	if (c->no_sandbox)
		return 0;
	limit_files();
	return filter(why);
}
