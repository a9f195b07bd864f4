// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the process of a card's network.  The order is the security design: configuration, ports
 * of the host's, user, jail, and only then a frame of the guest's.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail.h"
#include "stack.h"

/* one message, and the file that came with it, or -1 */
static ssize_t receive(int channel, void *data, size_t len, int *file)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { data, len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(channel, &mh, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cm = n >= 0 ? CMSG_FIRSTHDR(&mh) : NULL;

	*file = -1;
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS)
		memcpy(file, CMSG_DATA(cm), sizeof(int));
	return n;
}

static void answer(int to, int ret, const struct failure *why)
{
	struct slirp_answer a = { .status = -ret };

	if (ret)
		snprintf(a.text, sizeof(a.text), "%.*s", (int)sizeof(a.text) - 1, why->text);
	/* who is gone needs none */
	if (send(to, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static void obey(struct stack *s, const struct slirp_order *order, int file)
{
	struct failure why = { "" };
	int ret;

	if (order->what == SLIRP_FILE) {
		stack_file(s, file);
		return;
	}
	if (order->what == SLIRP_FORWARD)
		ret = stack_forward(s, &order->forward, &why);
	else if (order->what == SLIRP_UNFORWARD)
		ret = stack_unforward(s, &order->forward, &why);
	else
		ret = fail(&why, OVID_X_HOST, "the card's process does not know that");
	if (file < 0)
		return;
	answer(file, ret, &why);
	close(file);
}

/* false: there is nobody any more */
static bool take_order(struct stack *s, int channel)
{
	struct slirp_order order;
	int file;
	ssize_t n = receive(channel, &order, sizeof(order), &file);

	if (n == sizeof(order))
		obey(s, &order, file);
	else if (file >= 0)
		close(file);
	return n > 0 || (n < 0 && errno == EINTR);
}

static bool config_ok(const struct slirp_config *c)
{
	return c->size == sizeof(*c) && c->nr_forwards <= SLIRP_FORWARDS &&
	       !c->host_name[SLIRP_HOST_NAME - 1];
}

static int prepare(int channel, struct slirp_config *c, struct stack **s, struct failure *why)
{
	int file, ret;

	if (receive(channel, c, sizeof(*c), &file) != sizeof(*c) || !config_ok(c))
		return fail(why, OVID_X_USAGE, "ovid-slirp is started by `ovid run`, not by hand");
	ret = stack_create(s, c, why);
	if (!ret)
		ret = slirp_jail(c, why);
	return ret;
}

int slirp_serve(int channel)
{
	struct failure why = { "" };
	struct slirp_config config;
	struct stack *s = NULL;
	int ret = prepare(channel, &config, &s, &why);

	answer(channel, ret, &why);
	while (!ret && (!stack_turn(s, channel) || take_order(s, channel)))
		;
	if (s)
		stack_destroy(s);
	return -ret;
}

int slirp_main(void)
{
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, SLIRP_NAME);	/* else it would be called "exe" */
	return slirp_serve(SLIRP_CHANNEL);
}
