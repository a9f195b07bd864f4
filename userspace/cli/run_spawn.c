// SPDX-License-Identifier: GPL-2.0-only
/* run_spawn.c - starts the worker (this program under its other name). */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

static void become_worker(int channel, bool detach)
{
	static char *const argv[] = { (char *)WORKER_NAME, NULL };
	static char *const envp[] = { NULL };
	int null = open("/dev/null", O_RDWR);

	setsid();	/* the terminal's signals are the launcher's business */
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (detach)
			dup2(null, STDERR_FILENO);
	}
	/* dup2() onto itself would keep close-on-exec */
	if (channel == WORKER_CHANNEL)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, WORKER_CHANNEL);
	if (null > STDERR_FILENO && null != WORKER_CHANNEL)
		close(null);
	execve("/proc/self/exe", argv, envp);
	_exit(OVID_X_HOST);
}

static int send_files(int channel, void *data, size_t bytes, const int *fds, unsigned int nr)
{
	char control[CMSG_SPACE(WORKER_FILES_AT_ONCE * sizeof(int))] = { 0 };
	struct iovec iov = { data, bytes };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, nr * sizeof(int));
	return sendmsg(channel, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* the kernel takes 253 with one message */
static int send_many(int channel, const int *fds, unsigned int all)
{
	unsigned int sent = 0, nr;
	char byte = 0;
	int ret = 0;

	for (; !ret && sent < all; sent += nr) {
		nr = all - sent;
		if (nr > WORKER_FILES_AT_ONCE)
			nr = WORKER_FILES_AT_ONCE;
		ret = send_files(channel, &byte, 1, &fds[sent], nr);
	}
	return ret;
}

static int send_disks(const struct disks *disks, int channel)
{
	return send_many(channel, disks->fd, disks->nr) ?:
	       send_many(channel, disks->parent, disks->nr_parents);
}

static int send_nets(const struct nets *nets, int channel)
{
	int fd[NETS_MAX];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NETS_MAX; i++)
		if (net_has_file(&nets->config[i]))
			fd[nr++] = nets->fd[i];
	return send_many(channel, fd, nr);
}

static int send_config(struct run_options *o, const struct run_files *f, int channel)
{
	int fds[WORKER_MAX_FILES];
	unsigned int nr = 0;

	_Static_assert(WORKER_MAX_FILES <= WORKER_FILES_AT_ONCE, "in one message");
	for (unsigned int i = 0; i < WORKER_MAX_FILES; i++) {
		if (f->fd[i] < 0)
			continue;
		fds[nr++] = f->fd[i];
		if (i < FILE_MODULES)
			o->config.files |= BIT(i);
	}
	return send_files(channel, &o->config, sizeof(o->config), fds, nr) ?:
	       send_disks(&o->config.disks, channel) ?: send_nets(&o->config.nets, channel);
}

int run_spawn(struct run_options *o, struct run_files *f, struct run_worker *w,
	      struct failure *why)
{
	int pair[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	w->pid = fork();
	if (w->pid < 0)
		return fail(why, OVID_X_HOST, "cannot start a worker: %s", strerror(errno));
	if (!w->pid)
		become_worker(pair[1], o->detach);
	close(pair[1]);
	w->channel = pair[0];
	ret = send_config(o, f, w->channel);
	run_close(o, f);	/* from here on the files are the worker's alone */
	if (ret)
		return fail(why, OVID_X_HOST, "cannot start a worker: %s", strerror(-ret));
	return 0;
}
