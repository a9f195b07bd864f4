// SPDX-License-Identifier: GPL-2.0-only
/* view.c - see view.h */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jail.h"
#include "view.h"

#define CHUNK		(256u << 10)
#define MAX_READ	(8ull << 30)	/* bytes of the disk, all in all */
#define MAX_WORDS	8
#define PATIENCE	120		/* seconds for one file */

static const char *const programs[] = {
	"/usr/bin/grub-fstest", "/bin/grub-fstest", "/usr/bin/grub2-fstest", "/usr/sbin/grub2-fstest",
};

int view_open(struct view *view, struct failure *why)
{
	struct ovid_vdisk_info info;

	ovid_vdisk_info(view->disk->image, &info);
	view->bytes = info.size;
	if (ftruncate(view->fd, view->bytes))
		return fail(why, OVID_X_HOST, "cannot show the disk as a file: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!access(programs[i], X_OK))
			return 0;
	return fail(why, OVID_X_HOST, "--boot-from-disk reads disks by grub-fstest, which is not there; try `apt-get install grub-common`");
}

/* ---- the program ---- */

static int send_file(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			     .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	return sendmsg(to, &mh, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static int receive_file(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			     .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;
	int fd;

	if (recvmsg(from, &mh, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	cm = CMSG_FIRSTHDR(&mh);
	if (!cm || cm->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cm), sizeof(int));
	return fd;
}

static void become_program(const struct view *v, const char *const *words, int out, int channel)
{
	static char *const envp[] = { "LC_ALL=C", NULL };
	char *argv[MAX_WORDS + 3] = { "grub-fstest", (char *)v->path };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), told;

	for (unsigned int i = 0; i < MAX_WORDS && words[i]; i++)
		argv[2 + i] = (char *)words[i];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	told = jail_reader(v->no_sandbox);
	if (told < 0 || send_file(channel, told))
		_exit(126);
	/* without /dev/null, which Landlock may forbid, it has nothing there */
	if (null < 0)
		close(STDIN_FILENO);
	else
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		execve(programs[i], argv, envp);
	_exit(127);
}

/* ---- its reads ---- */

static bool is_zero(const u8 *p, size_t len)
{
	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

static int fill(struct view *v, u64 at, u64 len)
{
	u8 *buf = malloc(CHUNK);
	int ret = buf ? 0 : -ENOMEM;

	if (at > v->bytes || !len)
		len = 0;
	else
		len = min_u64(len, v->bytes - at);
	v->read += len;
	if (v->read > MAX_READ)
		ret = -EFBIG;
	while (len && !ret) {
		size_t part = min_u64(len, CHUNK);

		ret = ovid_vdisk_read(v->disk->image, at, buf, part);
		/* there are zeros already */
		if (!ret && !is_zero(buf, part) && pwrite(v->fd, buf, part, at) != (ssize_t)part)
			ret = -ENOSPC;
		at += part;
		len -= part;
	}
	free(buf);
	return ret;
}

/* Is it of our file that it wants to read, then that is put there. */
static int before_read(struct view *v, int process, int fd, u64 len)
{
	int copy = syscall(SYS_pidfd_getfd, process, fd, 0);
	struct stat theirs, ours;
	int ret = 0;
	off_t at;

	if (copy < 0)
		return errno == EBADF ? 0 : -errno;
	if (!fstat(copy, &theirs) && !fstat(v->fd, &ours) && theirs.st_dev == ours.st_dev &&
	    theirs.st_ino == ours.st_ino) {
		at = lseek(copy, 0, SEEK_CUR);
		ret = at < 0 ? -errno : fill(v, at, len);
	}
	close(copy);
	return ret;
}

static int serve(struct view *v, int told, int process)
{
	struct seccomp_notif *ask;
	struct seccomp_notif_resp *answer;
	int ret = seccomp_notify_alloc(&ask, &answer);

	if (ret)
		return ret;
	if (!seccomp_notify_receive(told, ask)) {
		ret = before_read(v, process, ask->data.args[0], ask->data.args[2]);
		*answer = (struct seccomp_notif_resp){ .id = ask->id, .error = ret ? -EIO : 0,
						       .flags = ret ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE };
		/* who is gone by now needs none */
		seccomp_notify_respond(told, answer);
	}
	seccomp_notify_free(ask, answer);
	return ret;
}

static int watch(struct view *v, int told, int process)
{
	struct pollfd p[2] = { { .fd = told, .events = POLLIN }, { .fd = process, .events = POLLIN } };
	time_t end = time(NULL) + PATIENCE;
	int ret = 0, err;

	while (!p[1].revents) {
		if (time(NULL) >= end)
			return -ETIMEDOUT;
		if (poll(p, 2, 1000) < 0 && errno != EINTR)
			return -errno;
		if (!(p[0].revents & POLLIN))
			continue;
		err = serve(v, told, process);
		ret = ret ? ret : err;
	}
	return ret;
}

static int conduct(struct view *v, pid_t pid, int channel, struct failure *why)
{
	int told = receive_file(channel), process = syscall(SYS_pidfd_open, pid, 0), ret = 0, status;

	if (told >= 0 && process >= 0)
		ret = watch(v, told, process);
	if (ret)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (told >= 0)
		close(told);
	if (process >= 0)
		close(process);
	if (told < 0 || process < 0)
		return fail(why, OVID_X_HOST, "grub-fstest cannot be watched: the host's kernel has no seccomp_unotify or pidfd");
	if (ret)
		return fail(why, OVID_X_HOST, "the disk cannot be read: %s", strerror(-ret));
	if (WIFEXITED(status) && WEXITSTATUS(status) > 125)
		return fail(why, OVID_X_HOST, "grub-fstest does not start");
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -OVID_X_USAGE;
}

int view_run(struct view *view, const char *const *words, int out, struct failure *why)
{
	int pair[2], ret;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	/* what another user's process may be asked (before_read()) ends with setuid() */
	prctl(PR_SET_DUMPABLE, 1);
	pid = fork();
	if (!pid)
		become_program(view, words, out, pair[1]);
	close(pair[1]);
	ret = pid < 0 ? fail(why, OVID_X_HOST, "cannot start grub-fstest: %s", strerror(errno)) :
			conduct(view, pid, pair[0], why);
	close(pair[0]);
	return ret;
}
