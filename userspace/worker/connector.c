// SPDX-License-Identifier: GPL-2.0-only
/* connector.c - see connector.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "connector.h"
#include "sandbox.h"

/* ---- the helper ---- */

static int connect_to(u32 port)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "vsock_%u", port);
	/* at once, or not: EAGAIN says that too many wait there already */
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void answer(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	int err = fd < 0 ? fd : 0;
	struct iovec iov = { &err, sizeof(err) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (fd >= 0) {
		mh.msg_control = control;
		mh.msg_controllen = sizeof(control);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	/* who is gone needs no answer: the next read says so */
	if (sendmsg(to, &mh, MSG_NOSIGNAL) < 0 && fd < 0)
		return;
	if (fd >= 0)
		close(fd);
}

#define OUR_END	3

static void helper(int dir, int socket, bool sandbox)
{
	struct failure why;
	u32 port;

	prctl(PR_SET_NAME, CONNECTOR_NAME);
	if (fchdir(dir) || dup2(socket, OUR_END) < 0 || close_range(OUR_END + 1, ~0u, 0) ||
	    (sandbox && sandbox_connector(&why)))
		_exit(1);
	while (recv(OUR_END, &port, sizeof(port), 0) == sizeof(port))
		answer(OUR_END, connect_to(port));
	_exit(0);
}

/* ---- the worker ---- */

int connector_start(int dir, bool sandbox, struct failure *why)
{
	int pair[2], pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(why, OVID_X_HOST, "cannot make a socket: %s", strerror(errno));
	pid = fork();
	if (!pid)
		helper(dir, pair[1], sandbox);
	close(pair[1]);
	if (pid > 0)
		return pair[0];
	close(pair[0]);
	return fail(why, OVID_X_HOST, "cannot start a process: %s", strerror(errno));
}

int connector_connect(int connector, u32 port)
{
	char control[CMSG_SPACE(sizeof(int))];
	int err = -EPIPE, fd = -1;
	struct iovec iov = { &err, sizeof(err) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm;

	if (send(connector, &port, sizeof(port), MSG_NOSIGNAL) != sizeof(port) ||
	    recvmsg(connector, &mh, MSG_CMSG_CLOEXEC) != sizeof(err))
		return -EPIPE;
	cm = CMSG_FIRSTHDR(&mh);
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cm), sizeof(int));
	if (fd < 0)
		return err ?: -EMFILE;	/* no number was free for it here */
	return fd;
}
