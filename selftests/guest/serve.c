// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve.c - the bus of a test guest, and a channel by file H: the example of libovid, in a
 * thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../../userspace/examples/echo.h"
#include "../api/lib/ov.h"
#include "../api/lib/tap.h"
#include "proto.h"
#include "serve.h"
#include "serve_net.h"

/* a channel that is served here; @quit: eventfd, the thread has to end */
struct echo {
	pthread_t thread;
	int quit;
	struct ovid_channel *channel;
};

struct serve {
	int part;
	bool there[G_CHANNELS];
	int h[G_CHANNELS];	/* of those that the kernel serves */
	struct echo echo[G_CHANNELS];
	struct far *far;	/* of G_CHANNEL_NET */
	/* the guest's connects: a thread that takes them */
	pthread_t thread;
	int connects, quit;
	pthread_mutex_t lock;	/* all of the above; that thread, and who calls us */
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

/* ---- channels ---- */

static bool served_here(unsigned int channel)
{
	return channel == G_CHANNEL_USER || channel == G_CHANNEL_SOCKET;
}

static void fill_offer(struct ovid_vmbus_offer *arg, unsigned int channel)
{
	static const char *const providers[] = {
		[G_CHANNEL_ECHO] = "echo", [G_CHANNEL_USER] = "",
		[G_CHANNEL_HEARTBEAT] = "heartbeat", [G_CHANNEL_SHUTDOWN] = "shutdown",
		[G_CHANNEL_TIMESYNC] = "timesync", [G_CHANNEL_KVP] = "kvp",
		[G_CHANNEL_VSS] = "vss", [G_CHANNEL_FCOPY] = "fcopy", [G_CHANNEL_SOCKET] = "",
		[G_CHANNEL_SCSI] = "scsi", [G_CHANNEL_NET] = "net",
	};

	strcpy((char *)arg->provider, providers[channel]);
	if (channel == G_CHANNEL_USER) {
		memset(arg->type, G_USER_TYPE, sizeof(arg->type));
		memset(arg->instance, G_USER_INSTANCE, sizeof(arg->instance));
	}
	if (channel == G_CHANNEL_SOCKET) {
		memset(arg->type, G_SOCKET_TYPE, sizeof(arg->type));
		memset(arg->instance, G_SOCKET_TYPE + 1, sizeof(arg->instance));
		arg->offer_flags = OVID_OFFER_PIPE | OVID_OFFER_SOCKET;
		arg->user[4] = 1;
	}
}

/* a disk of 1 MiB whose blocks begin with their numbers: 0 or -errno */
static int attach_disk(int scsi, unsigned int lun, uint32_t flags)
{
	struct ovid_disk arg = { .size = sizeof(arg), .flags = flags, .lun = lun, .serial = "test" };
	int ret;

	arg.fd = memfd_create("disk", MFD_CLOEXEC);
	if (arg.fd < 0 || ftruncate(arg.fd, 1 << 20))
		return -errno;
	for (uint64_t block = 0; block < 2048; block++)
		if (pwrite(arg.fd, &block, sizeof(block), block * 512) != sizeof(block))
			return -EIO;
	ret = ov_ioctl(scsi, OVID_DISK_ATTACH, &arg);
	close(arg.fd);
	return ret;
}

/* one that does a byte in a second: whatever comes behind the first of its requests waits */
static int attach_slow(int scsi, unsigned int lun)
{
	struct ovid_disk_limit limit = {
		.size = sizeof(limit), .flags = OVID_DISK_LIMIT_SET, .lun = lun, .bytes = 1,
	};

	return attach_disk(scsi, lun, 0) ?: ov_ioctl(scsi, OVID_DISK_LIMIT, &limit);
}

/* s->lock held */
static int offer(struct serve *s, unsigned int channel, const struct ovid_vmbus_offer *arg)
{
	struct ovid_vmbus_offer copy = *arg;
	int ret;

	if (served_here(channel))
		ret = echo_start(&s->echo[channel], s->part, arg);
	else
		ret = ov_ioctl(s->part, OVID_VMBUS_OFFER, &copy);
	if (ret < 0)
		return ret;
	s->h[channel] = ret;
	s->there[channel] = true;
	if (channel == G_CHANNEL_SCSI)
		return attach_disk(ret, 0, 0) ?: attach_disk(ret, 1, OVID_DISK_READ_ONLY) ?:
		       attach_slow(ret, 2);
	if (channel == G_CHANNEL_NET)
		return far_start(ret, &s->far);
	return 0;
}

static int take_back(struct serve *s, unsigned int channel)
{
	if (channel >= G_CHANNELS || !s->there[channel])
		return -ENOENT;
	if (channel == G_CHANNEL_NET)
		far_stop(s->far);
	if (served_here(channel))
		echo_stop(&s->echo[channel]);
	else
		close(s->h[channel]);
	s->there[channel] = false;
	return 0;
}

int serve_offer(struct serve *s, unsigned int channel, unsigned int latency)
{
	struct ovid_vmbus_offer arg = { .size = sizeof(arg), .latency = latency };
	int ret;

	if (channel >= G_CHANNELS)
		return -EINVAL;
	fill_offer(&arg, channel);
	pthread_mutex_lock(&s->lock);
	/* the guest may have connected since */
	ret = channel == G_CHANNEL_SOCKET && s->there[channel] ? -EEXIST : offer(s, channel, &arg);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

int serve_revoke(struct serve *s, unsigned int channel)
{
	int ret;

	pthread_mutex_lock(&s->lock);
	ret = take_back(s, channel);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

/* ---- the guest connects ---- */

/* 0 or -errno; the one that there was goes */
static int accept_guest(struct serve *s, const struct ovid_socket_connect *c)
{
	struct ovid_vmbus_offer arg = {
		.size = sizeof(arg), .offer_flags = OVID_OFFER_PIPE | OVID_OFFER_SOCKET,
	};
	int ret;

	if (c->service[0] == G_SOCKET_REFUSE)
		return -ECONNREFUSED;
	memcpy(arg.type, c->service, sizeof(arg.type));
	memcpy(arg.instance, c->endpoint, sizeof(arg.instance));
	pthread_mutex_lock(&s->lock);
	take_back(s, G_CHANNEL_SOCKET);
	ret = offer(s, G_CHANNEL_SOCKET, &arg);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

static void *connects_main(void *arg)
{
	struct serve *s = arg;
	struct pollfd p[] = {
		{ .fd = s->quit, .events = POLLIN }, { .fd = s->connects, .events = POLLIN },
	};
	struct ovid_socket_connect c;
	struct ovid_socket_reply reply = { .size = sizeof(reply) };

	for (;;) {
		poll(p, 2, -1);
		if (p[0].revents)
			return NULL;
		if (read(s->connects, &c, sizeof(c)) != sizeof(c))
			continue;
		reply.id = c.id;
		reply.refuse = -accept_guest(s, &c);
		/* fails where the guest has begun anew since */
		ov_ioctl(s->connects, OVID_SOCKET_REPLY, &reply);
	}
}

static int take_connects(struct serve *s)
{
	struct ovid_vmbus_sockets arg = { .size = sizeof(arg) };

	s->quit = eventfd(0, EFD_CLOEXEC);
	s->connects = ov_ioctl(s->part, OVID_VMBUS_SOCKETS, &arg);
	if (s->connects < 0)
		return s->connects;
	fcntl(s->connects, F_SETFL, O_NONBLOCK);
	return -pthread_create(&s->thread, NULL, connects_main, s);
}

/* ---- the bus ---- */

int serve_start(int part, struct serve **serve)
{
	struct ovid_vmbus_create arg = { .size = sizeof(arg) };
	struct serve *s = calloc(1, sizeof(*s));
	int ret;

	s->part = part;
	pthread_mutex_init(&s->lock, NULL);
	*serve = s;
	ret = ov_ioctl(part, OVID_VMBUS_CREATE, &arg);
	if (!ret)
		ret = take_connects(s);
	if (!ret)
		ret = serve_offer(s, G_CHANNEL_ECHO, 0);
	return ret ?: serve_offer(s, G_CHANNEL_USER, 0);
}

int64_t serve_counter(struct serve *s, const char *name)
{
	int fd = ov_ioctl(s->part, OVID_GET_STATS_FD, NULL);
	int64_t value = ov_stat(fd, name);

	close(fd);
	return value;
}

int64_t serve_net(struct serve *s, const uint64_t *arg, void *ram, uint64_t bytes)
{
	int64_t ret = -ENOENT;

	pthread_mutex_lock(&s->lock);
	if (s->there[G_CHANNEL_NET])
		ret = far_command(s->far, arg, ram, bytes);
	pthread_mutex_unlock(&s->lock);
	return ret;
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
	uint64_t one = 1;

	if (write(s->quit, &one, sizeof(one)) != sizeof(one))
		tap_bail("cannot end the thread of sockets");
	pthread_join(s->thread, NULL);
	close(s->connects);
	close(s->quit);
	for (unsigned int i = 0; i < G_CHANNELS; i++)
		serve_revoke(s, i);
	free(s);
}
