// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the process that looks at a stranger's disk.  The order is the security design: files,
 * user, jail, and only then a byte of the disk.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bootfind.h"
#include "find.h"
#include "jail.h"

#define MAX_FILES (2 + BOOTFIND_PARENTS)

static int receive(struct bootfind_ask *ask, int *fd, struct failure *why)
{
	char control[CMSG_SPACE(MAX_FILES * sizeof(int))];
	struct iovec iov = { ask, sizeof(*ask) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			     .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;
	size_t len = 0;

	if (recvmsg(BOOTFIND_CHANNEL, &mh, MSG_CMSG_CLOEXEC) == (ssize_t)sizeof(*ask) && ask->size == sizeof(*ask)) {
		cm = CMSG_FIRSTHDR(&mh);
		len = cm && cm->cmsg_type == SCM_RIGHTS ? cm->cmsg_len - CMSG_LEN(0) : 0;
	}
	if (!len || len != (1 + ask->nr_images) * sizeof(int) || ask->path[BOOTFIND_PATH - 1])
		return fail(why, OVID_X_USAGE, "ovid-bootfind is started by `ovid run`, not by hand");
	memcpy(fd, CMSG_DATA(cm), len);
	return 0;
}

static int look(const struct bootfind_ask *ask, const int *fd, struct boot_found *found, struct failure *why)
{
	struct view view = { .fd = fd[0], .path = ask->path, .no_sandbox = ask->no_sandbox };
	struct failure ignored = { "" };
	int ret = 0;

	if (!ask->no_sandbox)
		ret = jail_enter(ask->uid, ask->gid, ask->path, why);
	/* a change of user has made it forget */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = ret ? ret : vdisk_adopt(&view.disk, fd + 1, ask->nr_images, ask->format, why);
	ret = ret ? ret : view_open(&view, why);
	ret = ret ? ret : boot_find(&view, found, why);
	/* nothing was written */
	vdisk_close(view.disk, &ignored);
	return ret;
}

static int answer(const struct bootfind_answer *a, const struct boot_found *found)
{
	char control[CMSG_SPACE((1 + BOOT_INITRDS) * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)a, sizeof(*a) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t len = (1 + found->nr_initrds) * sizeof(int);
	struct cmsghdr *cm;

	if (!a->status) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(len);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(cm), &found->kernel, sizeof(int));
		memcpy(CMSG_DATA(cm) + sizeof(int), found->initrd, len - sizeof(int));
	}
	return sendmsg(BOOTFIND_CHANNEL, &mh, MSG_NOSIGNAL) < 0 ? OVID_X_HOST : a->status;
}

int bootfind_main(void)
{
	struct bootfind_answer *a = calloc(1, sizeof(*a));
	struct boot_found *found = calloc(1, sizeof(*found));
	struct bootfind_ask ask;
	struct failure why = { "" };
	int fd[MAX_FILES], ret;

	prctl(PR_SET_NAME, BOOTFIND_NAME);
	if (!a || !found) {
		free(found);
		free(a);
		return OVID_X_HOST;
	}
	ret = receive(&ask, fd, &why);
	ret = ret ? ret : look(&ask, fd, found, &why);
	a->status = -ret;
	a->nr_initrds = found->nr_initrds;
	snprintf(a->text, sizeof(a->text), "%s", why.text);
	memcpy(a->what, found->what, sizeof(a->what));
	memcpy(a->args, found->args, sizeof(a->args));
	ret = answer(a, found);
	free(found);
	free(a);
	return ret;
}
