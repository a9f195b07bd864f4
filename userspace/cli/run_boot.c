// SPDX-License-Identifier: GPL-2.0-only
/* run_boot.c - `ovid run --boot-from-disk`: what to boot, as a process says that looks at the disk. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bootfind/bootfind.h"
#include "../lib/vdisk.h"
#include "run.h"

static void become_bootfind(int channel)
{
	static char *const argv[] = { (char *)BOOTFIND_NAME, NULL };
	static char *const envp[] = { NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* dup2() onto itself would keep close-on-exec */
	if (channel == BOOTFIND_CHANNEL)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, BOOTFIND_CHANNEL);
	execve("/proc/self/exe", argv, envp);
	_exit(OVID_X_HOST);
}

static int send_ask(int channel, const struct bootfind_ask *ask, const int *fd)
{
	char control[CMSG_SPACE((2 + BOOTFIND_PARENTS) * sizeof(int))] = { 0 };
	size_t len = (1 + ask->nr_images) * sizeof(int);
	struct iovec iov = { (void *)ask, sizeof(*ask) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			     .msg_controllen = CMSG_SPACE(len) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cm), fd, len);
	return sendmsg(channel, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* the files to where a worker's are */
static int receive_answer(int channel, struct bootfind_answer *a, struct run_files *f)
{
	char control[CMSG_SPACE((1 + BOOT_INITRDS) * sizeof(int))];
	struct iovec iov = { a, sizeof(*a) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			     .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;

	if (recvmsg(channel, &mh, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*a))
		return -1;
	a->text[sizeof(a->text) - 1] = a->what[sizeof(a->what) - 1] = a->args[sizeof(a->args) - 1] = 0;
	cm = CMSG_FIRSTHDR(&mh);
	if (a->status)
		return 0;
	if (!cm || a->nr_initrds > BOOT_INITRDS || cm->cmsg_len != CMSG_LEN((1 + a->nr_initrds) * sizeof(int)))
		return -1;
	memcpy(&f->fd[FILE_KERNEL], CMSG_DATA(cm), sizeof(int));
	memcpy(&f->fd[FILE_MODULES], CMSG_DATA(cm) + sizeof(int), a->nr_initrds * sizeof(int));
	return 0;
}

static int converse(const struct bootfind_ask *ask, const int *fd, struct bootfind_answer *a, struct run_files *f,
		    struct failure *why)
{
	int pair[2], ret, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	pid = fork();
	if (!pid)
		become_bootfind(pair[1]);
	close(pair[1]);
	ret = pid < 0 ? -1 : send_ask(pair[0], ask, fd);
	ret = ret ? ret : receive_answer(pair[0], a, f);
	close(pair[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ret)
		return fail(why, OVID_X_HOST, "--boot-from-disk: the process that looks at the disk ended without a word");
	snprintf(why->text, sizeof(why->text), "%s", a->text);
	return -a->status;
}

/* ---- the command line ---- */

static bool has_word(const char *cmdline, const char *begin)
{
	const char *at = cmdline;

	while ((at = strstr(at, begin))) {
		if (at == cmdline || at[-1] == ' ')
			return true;
		at++;
	}
	return false;
}

/* the disk's, then ours; a guest without a console would say nothing at all */
static int make_cmdline(struct run_options *o, const char *args, struct failure *why)
{
	char own[sizeof(o->config.cmdline)];
	bool console = has_word(args, "console=") || has_word(o->config.cmdline, "console=") ||
		       !strcmp(o->serial, "none");

	memcpy(own, o->config.cmdline, sizeof(own));
	if ((size_t)snprintf(o->config.cmdline, sizeof(own), "%s%s%s%s", args, console ? "" : " console=ttyS0",
			     *own ? " " : "", own) >= sizeof(own))
		return fail(why, OVID_X_USAGE, "--boot-from-disk: the disk's command line and --append have more than %zu characters",
			    sizeof(own) - 1);
	return 0;
}

static int take_answer(struct run_options *o, const struct bootfind_answer *a, struct failure *why)
{
	o->config.nr_modules = a->nr_initrds;
	snprintf(o->config.kernel_name, LOAD_MAX_NAME, "the disk's %.100s", a->what);
	for (unsigned int i = 0; i < a->nr_initrds; i++)
		snprintf(o->config.module_name[i], LOAD_MAX_NAME, "the disk's initrd");
	return make_cmdline(o, a->args, why);
}

/* The file by which the disk is shown needs a name, since GRUB opens it by that. */
static int make_view(struct bootfind_ask *ask, struct failure *why)
{
	int fd;

	snprintf(ask->path, sizeof(ask->path), "/dev/shm/ovid-boot.XXXXXX");
	fd = mkostemp(ask->path, O_CLOEXEC);
	if (fd < 0)
		return fail(why, OVID_X_HOST, "--boot-from-disk: cannot make a file in /dev/shm: %s", strerror(errno));
	if (geteuid() == 0 && !ask->no_sandbox && fchown(fd, ask->uid, ask->gid)) {
		unlink(ask->path);
		close(fd);
		return fail(why, OVID_X_HOST, "--boot-from-disk: %s: %s", ask->path, strerror(errno));
	}
	return fd;
}

static int ask_bootfind(struct run_options *o, struct run_files *f, struct bootfind_ask *ask, struct failure *why)
{
	struct bootfind_answer *a = calloc(1, sizeof(*a));
	int fd[1 + 1 + BOOTFIND_PARENTS] = { a ? make_view(ask, why) : -1 }, ret;

	if (fd[0] < 0) {
		free(a);
		return a ? fd[0] : fail(why, OVID_X_HOST, "out of memory");
	}
	fd[1] = o->config.disks.fd[0];
	memcpy(fd + 2, &o->config.disks.parent[o->config.disks.config[0].parents],
	       (ask->nr_images - 1) * sizeof(int));
	ret = converse(ask, fd, a, f, why);
	unlink(ask->path);
	close(fd[0]);
	ret = ret ? ret : take_answer(o, a, why);
	free(a);
	return ret;
}

int run_boot(struct run_options *o, struct run_files *f, struct failure *why)
{
	struct bootfind_ask ask = {
		.size = sizeof(ask), .nr_images = 1 + o->config.disks.config[0].nr_parents,
		.format = o->config.disks.config[0].format,
		.uid = o->config.run_uid, .gid = o->config.run_gid,
		.no_sandbox = o->config.flags & WORKER_NO_SANDBOX,
	};
	sigset_t set, old;
	int ret;

	_Static_assert(BOOTFIND_PARENTS >= OVID_DISK_MAX_PARENTS, "room for all of a chain");
	/* Ctrl-C ends the other process, and then us: the file's name must go */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	ret = ask_bootfind(o, f, &ask, why);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}
