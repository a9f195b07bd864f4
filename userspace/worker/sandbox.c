// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/vid.h"
#include "sandbox.h"

int sandbox_drop_user(const struct worker_config *config, struct failure *why)
{
	const struct rlimit none = { 0, 0 };

	if (geteuid() == 0 &&
	    (setgroups(0, NULL) ||
	     setresgid(config->run_gid, config->run_gid, config->run_gid) ||
	     setresuid(config->run_uid, config->run_uid, config->run_uid)))
		return fail(why, OVID_X_HOST, "cannot become user %u: %s", config->run_uid,
			    strerror(errno));
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(why, OVID_X_HOST, "cannot give up privileges: %s", strerror(errno));
	return 0;
}

/* Nothing that opens, creates, connects or executes. */
static const int allowed_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(close),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(accept4), SCMP_SYS(getsockopt),
	SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	SCMP_SYS(timerfd_settime), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(gettid), SCMP_SYS(getpid),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction),
	SCMP_SYS(restart_syscall), SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(mremap), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(getrandom),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(shutdown),
};

/*
 * Of ioctls only these; partition and memory were made before.  The second group is for
 * a partition that somebody hands us (pulse.c): it is filled, but none is made.
 */
static const unsigned long allowed_ioctls[] = {
	OVID_RUN_VP, OVID_GET_REGS, OVID_SET_REGS, OVID_INJECT, OVID_PARTITION_CTRL,
	OVID_DISCARD_MEMORY, MSHV_GET_VP_STATE, MSHV_SET_VP_STATE,

	OVID_MAP_MEMORY, OVID_GET_CPUID, OVID_SET_CPUID, OVID_GET_PROPERTY, OVID_SET_PROPERTY,
	OVID_GET_STATS_FD, MSHV_CREATE_VP, OVID_VMBUS_CREATE, OVID_VMBUS_STATE,

	/* the channels of a bus that moves (pulse.c), and of sockets (vsock.c) */
	OVID_VMBUS_OFFER, OVID_CHANNEL_EVENTFD, OVID_CHANNEL_REPLY, OVID_CHANNEL_SIGNAL,
	OVID_VMBUS_SOCKETS, OVID_SOCKET_REPLY,

	/* disks, of a bus that moves as well (control_disk.c) */
	OVID_DISK_ATTACH, OVID_DISK_DETACH, OVID_DISK_RESIZE, OVID_DISK_INFO, OVID_DISK_LIMIT,
	OVID_DISK_MEDIUM,

	/* and network cards (control_net.c) */
	OVID_NET_SETUP, OVID_NET_END, OVID_NET_LINK, OVID_NET_INFO,
};

/* of the helper that connects (connector.c) */
static const int connector_calls[] = {
	SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(connect), SCMP_SYS(close),
	SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
};

static const unsigned int allowed_fcntls[] = { F_GETFL, F_SETFL };

static int fill_filter(scmp_filter_ctx ctx)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed_calls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(allowed_ioctls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1_32(SCMP_CMP_EQ, allowed_ioctls[i]));
	/* a file that does not block */
	for (size_t i = 0; i < ARRAY_SIZE(allowed_fcntls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				       SCMP_A1_32(SCMP_CMP_EQ, allowed_fcntls[i]));
	/* memory for the heap, never for code */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* the C library may look for files of its own; it is told that it may not */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	/* signals to its own threads only */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				       SCMP_A0_32(SCMP_CMP_EQ, (unsigned int)getpid()));
	return ret;
}

static int fill_connector(scmp_filter_ctx ctx)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(connector_calls) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, connector_calls[i], 0);
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
	return ret;
}

/* Holds for all threads (TSYNC).  What is not allowed ends the process. */
static int install(int (*fill)(scmp_filter_ctx ctx), struct failure *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret;

	if (!ctx)
		return fail(why, OVID_X_HOST, "cannot make a seccomp filter: out of memory");
	ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
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

int sandbox_filter(struct failure *why)
{
	return install(fill_filter, why);
}

int sandbox_connector(struct failure *why)
{
	return install(fill_connector, why);
}
