// SPDX-License-Identifier: GPL-2.0-only
/* net_slirp.c - starts the process of a card's network, and tells it of ports. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"

#define PATIENCE_MS	5000	/* it answers at once, or is stuck */

static void become_slirp(int channel)
{
	static char *const argv[] = { (char *)SLIRP_NAME, NULL };
	static char *const envp[] = { NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	/* a child of nobody: it ends with the VM, not with us */
	if (fork())
		_exit(0);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0)
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			dup2(null, fd);
	/* dup2() onto itself would keep close-on-exec */
	if (channel == SLIRP_CHANNEL)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, SLIRP_CHANNEL);
	close_range(SLIRP_CHANNEL + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	execve("/proc/self/exe", argv, envp);
	_exit(OVID_X_HOST);
}

static int receive_answer(int from, struct failure *why)
{
	struct pollfd pfd = { .fd = from, .events = POLLIN };
	struct slirp_answer a;

	if (poll(&pfd, 1, PATIENCE_MS) != 1 || recv(from, &a, sizeof(a), 0) != sizeof(a))
		return fail(why, OVID_X_HOST, "the process of the card's network does not answer");
	a.text[sizeof(a.text) - 1] = 0;
	if (a.status)
		fail_text(why, "%s", a.text);
	return -a.status;
}

int slirp_start(const char *option, const struct slirp_config *config, struct failure *why)
{
	struct failure said = { "" };
	int pair[2], ret, pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	pid = fork();
	if (!pid)
		become_slirp(pair[1]);
	close(pair[1]);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (pid < 0)
		ret = fail(&said, OVID_X_HOST, "cannot start a process: %s", strerror(errno));
	else if (send(pair[0], config, sizeof(*config), MSG_NOSIGNAL) < 0)
		ret = fail(&said, OVID_X_HOST, "its process ended at once");
	else
		ret = receive_answer(pair[0], &said);
	if (!ret)
		return pair[0];
	close(pair[0]);
	fail_text(why, "%s user: %.200s", option, said.text);
	return ret;
}

int slirp_order(int process, const struct slirp_order *order, struct failure *why)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { (void *)order, sizeof(*order) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	int pair[2], ret = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &pair[1], sizeof(int));
	if (sendmsg(process, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		ret = fail(why, OVID_X_HOST, "the process of the card's network has ended; `ovid net-move` starts another one");
	close(pair[1]);
	if (!ret)
		ret = receive_answer(pair[0], why);
	close(pair[0]);
	return ret;
}
