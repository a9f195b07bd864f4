// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve.c - the bus of a test guest, and a channel by file H: the example of libovid, in a
 * thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../../userspace/examples/echo.h"
#include "../api/lib/ov.h"
#include "../api/lib/tap.h"
#include "proto.h"
#include "serve.h"

/* the channel that is served here; @quit: eventfd, the thread has to end */
struct echo {
	pthread_t thread;
	int quit;
	struct ovid_channel *channel;
};

struct serve {
	int part;
	bool there[G_CHANNELS];
	int h[G_CHANNELS];	/* of those that the kernel serves */
	struct echo echo;
};

static int refuse(const struct ovid_channel_event *open)
{
	return open->user[0] == G_USER_REFUSE ? EPERM : 0;
}

static void *echo_main(void *arg)
{
	struct echo *e = arg;

	if (echo_serve(e->channel, e->quit, refuse))
		tap_bail("a channel's file does not work");
	return NULL;
}

static int echo_start(struct echo *e, int part, const struct ovid_vmbus_offer *offer)
{
	struct ovid_channel *channel;
	int ret = ovid_channel_offer(part, offer, -1, &channel);

	if (ret)
		return ret;
	e->channel = channel;
	e->quit = eventfd(0, EFD_CLOEXEC);
	return -pthread_create(&e->thread, NULL, echo_main, e);
}

static void echo_stop(struct echo *e)
{
	uint64_t one = 1;

	if (write(e->quit, &one, sizeof(one)) != sizeof(one))
		tap_bail("cannot end the thread of a channel");
	pthread_join(e->thread, NULL);
	close(e->quit);
	ovid_channel_close(e->channel);
}

/* ---- the bus ---- */

int serve_offer(struct serve *s, unsigned int channel)
{
	static const char *const providers[] = {
		[G_CHANNEL_ECHO] = "echo", [G_CHANNEL_USER] = "",
		[G_CHANNEL_HEARTBEAT] = "heartbeat", [G_CHANNEL_SHUTDOWN] = "shutdown",
		[G_CHANNEL_TIMESYNC] = "timesync", [G_CHANNEL_KVP] = "kvp",
		[G_CHANNEL_VSS] = "vss", [G_CHANNEL_FCOPY] = "fcopy",
	};
	struct ovid_vmbus_offer arg = { .size = sizeof(arg) };
	int ret;

	if (channel >= G_CHANNELS)
		return -EINVAL;
	strcpy((char *)arg.provider, providers[channel]);
	if (channel == G_CHANNEL_USER) {
		memset(arg.type, G_USER_TYPE, sizeof(arg.type));
		memset(arg.instance, G_USER_INSTANCE, sizeof(arg.instance));
		ret = echo_start(&s->echo, s->part, &arg);
	} else {
		ret = ov_ioctl(s->part, OVID_VMBUS_OFFER, &arg);
	}
	if (ret < 0)
		return ret;
	s->h[channel] = ret;
	s->there[channel] = true;
	return 0;
}

int serve_revoke(struct serve *s, unsigned int channel)
{
	if (channel >= G_CHANNELS || !s->there[channel])
		return -ENOENT;
	if (channel == G_CHANNEL_USER)
		echo_stop(&s->echo);
	else
		close(s->h[channel]);
	s->there[channel] = false;
	return 0;
}

int serve_start(int part, struct serve **serve)
{
	struct ovid_vmbus_create arg = { .size = sizeof(arg) };
	struct serve *s = calloc(1, sizeof(*s));
	int ret;

	s->part = part;
	*serve = s;
	ret = ov_ioctl(part, OVID_VMBUS_CREATE, &arg);
	if (!ret)
		ret = serve_offer(s, G_CHANNEL_ECHO);
	return ret ?: serve_offer(s, G_CHANNEL_USER);
}

int64_t serve_counter(struct serve *s, const char *name)
{
	int fd = ov_ioctl(s->part, OVID_GET_STATS_FD, NULL);
	int64_t value = ov_stat(fd, name);

	close(fd);
	return value;
}

bool serve_can_fail(void)
{
	/* fails where it is mounted already */
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return !access("/sys/module/ovid/parameters/faults", W_OK);
}

/* the only partition of this name */
int serve_fault(const char *rules)
{
	int fd, ret = -ENOENT;
	glob_t found;

	if (glob("/sys/kernel/debug/ovid/*-guest-run/faults", 0, NULL, &found))
		return -ENOENT;
	fd = found.gl_pathc == 1 ? open(found.gl_pathv[0], O_WRONLY) : -1;
	if (fd >= 0)
		ret = write(fd, rules, strlen(rules)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	globfree(&found);
	return ret;
}

int serve_reset(struct serve *s)
{
	int ret = ov_ctrl(s->part, OVID_CTRL_PAUSE);

	ret = ret ?: ov_ctrl(s->part, OVID_CTRL_RESET);
	return ret ?: ov_ctrl(s->part, OVID_CTRL_RESUME);
}

void serve_stop(struct serve *s)
{
	for (unsigned int i = 0; i < G_CHANNELS; i++)
		serve_revoke(s, i);
	free(s);
}
