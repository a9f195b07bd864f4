// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - `ovid run`: starts a worker and stays as its keeper: holds the
 * terminal, passes Ctrl-C on, and ends with the guest's status.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "run.h"

struct keeper {
	const struct run_options *o;
	struct run_worker worker;
	int console, signals;
	struct tty_escape escape;
	bool input_open;
	unsigned int stops;	/* how often it was asked to stop */
	bool started, ended;
	bool left;		/* the VM goes on without us */
	bool no_interface;	/* it is being stopped for what @refused says */
	struct failure refused;
	struct worker_message last;
};

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Asks once; a second time it insists. */
static void stop(struct keeper *k)
{
	if (k->stops++ || send(k->worker.channel, "", 1, MSG_NOSIGNAL) < 0)
		kill(k->worker.pid, SIGKILL);
}

/* files that came with the message: the channels of cards that want an interface */
static unsigned int files_of(struct msghdr *mh, int *fd)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(mh);
	unsigned int nr;

	if (!cm || cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
		return 0;
	nr = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fd, CMSG_DATA(cm), nr * sizeof(int));
	return nr;
}

/* a VM whose card has no interface is none that was asked for */
static void make_interfaces(struct keeper *k, struct msghdr *mh)
{
	int fd[NETS_MAX];
	unsigned int nr = files_of(mh, fd);

	if (nr && nets_make_interfaces(k->o, fd, nr, &k->refused)) {
		k->no_interface = true;
		stop(k);
	}
	while (nr)
		close(fd[--nr]);
}

static void from_worker(struct keeper *k)
{
	char control[CMSG_SPACE(NETS_MAX * sizeof(int))];
	struct worker_message msg;
	struct iovec iov = { &msg, sizeof(msg) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(k->worker.channel, &mh, MSG_CMSG_CLOEXEC);

	make_interfaces(k, &mh);
	if (len != sizeof(msg)) {
		close(k->worker.channel);
		k->worker.channel = -1;
		return;
	}
	msg.text[sizeof(msg.text) - 1] = 0;
	if (msg.says == WORKER_STARTED)
		k->started = true;
	if (msg.says == WORKER_NOTE)
		fprintf(stderr, "ovid: %s\n", msg.text);
	if (msg.says == WORKER_ENDED) {
		k->ended = true;
		k->last = msg;
	}
}

static void from_terminal(struct keeper *k)
{
	u8 buf[1024];
	ssize_t len = read(STDIN_FILENO, buf, sizeof(buf));

	if (len <= 0) {
		k->input_open = false;
		return;
	}
	write_all(k->console, buf, tty_filter(&k->escape, buf, len));
	if (k->escape.left) {
		k->escape.left = false;
		stop(k);
	}
}

static void from_console(struct keeper *k)
{
	u8 buf[4096];
	ssize_t len = read(k->console, buf, sizeof(buf));

	if (len > 0 && !write_all(STDOUT_FILENO, buf, len))
		return;
	close(k->console);
	k->console = -1;
	tty_restore();	/* nobody reads its keys any more: Ctrl-C is a signal again */
}

static void turn(struct keeper *k)
{
	struct pollfd pfd[4] = {
		{ .fd = k->worker.channel, .events = POLLIN },
		{ .fd = k->console, .events = POLLIN },
		{ .fd = k->signals, .events = POLLIN },
		{ .fd = k->console >= 0 && k->input_open ? STDIN_FILENO : -1,
		  .events = POLLIN },
	};

	if (poll(pfd, ARRAY_SIZE(pfd), -1) < 0)
		return;
	if (pfd[1].revents)
		from_console(k);
	if (pfd[0].revents)
		from_worker(k);
	if (pfd[2].revents) {
		struct signalfd_siginfo si;

		if (read(k->signals, &si, sizeof(si)) == sizeof(si))
			stop(k);
	}
	if (pfd[3].revents && k->console >= 0)
		from_terminal(k);
}

/* The worker's own account, or what its death tells. */
static int verdict(struct keeper *k, struct failure *why)
{
	int status;

	while (waitpid(k->worker.pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(why, OVID_X_HOST, "lost the worker: %s", strerror(errno));
	if (k->no_interface) {
		*why = k->refused;
		return fail_status(OVID_X_HOST);
	}
	if (k->ended) {
		snprintf(why->text, sizeof(why->text), "%s", k->last.text);
		return -k->last.status;
	}
	if (k->stops)
		return fail(why, OVID_X_STOPPED, "the worker did not stop by itself and was killed");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return fail(why, OVID_X_HOST,
			    "the worker was killed; if the host ran out of memory its kernel log says so: give less --memory");
	if (WIFSIGNALED(status))
		return fail(why, OVID_X_HOST, "the worker was killed by signal %d (%s)%s",
			    WTERMSIG(status), strsignal(WTERMSIG(status)),
			    WTERMSIG(status) == SIGSYS ?
			    ": it left its sandbox, which is a bug in ovid" : "");
	return fail(why, OVID_X_HOST, "the worker ended with status %d and without a word",
		    WEXITSTATUS(status));
}

static int keep(struct keeper *k, struct failure *why)
{
	if (k->console >= 0)
		tty_raw(STDIN_FILENO);
	while (k->worker.channel >= 0 || k->console >= 0) {
		turn(k);
		k->left = k->started && k->o->detach && !k->ended && !k->no_interface;
		if (k->left)
			return 0;
	}
	tty_restore();
	return verdict(k, why);
}

/* The worker is gone, or there was none: so go its names. */
static void tidy(struct run_options *o, struct run_files *f)
{
	bool named = f->fd[FILE_CONTROL] >= 0 || (o->config.files & BIT(FILE_CONTROL));

	run_close(o, f);
	if (named)
		ctl_unlink(o->config.name);
	if (f->listening)
		unlink(f->listening);
	if (f->vsock[0])
		unlink(f->vsock);
}

int cli_run(int argc, char **argv)
{
	struct failure why = { "" };
	struct run_options o;
	struct run_files f;
	struct keeper k = { .o = &o, .input_open = true, .escape.ctrl_c_leaves = true };
	int ret = run_parse(argc, argv, &o, &why);

	if (!ret && o.help) {
		cli_help("run");
		return 0;
	}
	if (ret)
		return cli_fail(ret, &why);
	ret = run_open(&o, &f, &why);
	k.signals = watch_signals();
	if (!ret)
		ret = run_spawn(&o, &f, &k.worker, &why);
	k.console = f.console;
	if (!ret)
		ret = keep(&k, &why);
	if (!k.left)
		tidy(&o, &f);
	return cli_fail(ret, &why);
}
