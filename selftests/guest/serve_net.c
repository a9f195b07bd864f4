// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve_net.c - the far side of a test guest's network card: a thread reads frames from the
 * channel's file, swaps their addresses and writes them back, with the same heads.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../uapi/ovid_net.h"
#include "../api/lib/ov.h"
#include "../api/lib/tap.h"
#include "proto.h"
#include "serve_net.h"

#define ROOM	(256u << 10)	/* what is read at a time */

/* @at: what waits to be written back, up to @end; the thread's own */
struct far {
	pthread_t thread;
	int h, kick;
	atomic_bool over, hold;
	atomic_uint refused;
	size_t at, end;
	uint8_t buf[ROOM];
};

static size_t frame_room(const struct ovid_frame *head)
{
	return sizeof(*head) + ((size_t)head->bytes + 7) / 8 * 8;
}

static void swap(struct far *far)
{
	uint8_t mac[6], *eth;
	size_t at;

	for (at = 0; at < far->end; at += frame_room((void *)(far->buf + at))) {
		eth = far->buf + at + sizeof(struct ovid_frame);
		memcpy(mac, eth, 6);
		memcpy(eth, eth + 6, 6);
		memcpy(eth + 6, mac, 6);
	}
}

static void take(struct far *far)
{
	ssize_t n = read(far->h, far->buf, sizeof(far->buf));

	far->at = 0;
	far->end = n > 0 ? n : 0;
	swap(far);
}

/* one that is not taken is left out */
static void give(struct far *far)
{
	ssize_t n = write(far->h, far->buf + far->at, far->end - far->at);

	if (n > 0) {
		far->at += n;
	} else if (errno != EAGAIN) {
		far->at += frame_room((void *)(far->buf + far->at));
		far->refused++;
	}
}

static void *far_main(void *arg)
{
	struct far *far = arg;
	struct pollfd p[2] = { { .fd = far->kick, .events = POLLIN }, { .fd = far->h } };
	uint64_t n;

	while (!far->over) {
		bool gives = far->at < far->end;

		p[1].events = gives ? POLLOUT : far->hold ? 0 : POLLIN;
		poll(p, 2, -1);
		if (p[0].revents && read(far->kick, &n, sizeof(n)) != sizeof(n))
			return NULL;
		if (p[1].revents & POLLERR)	/* another kind of end */
			poll(p, 1, 10);
		else if (p[1].revents & POLLOUT)
			give(far);
		else if (p[1].revents & POLLIN && !far->hold)
			take(far);
	}
	return NULL;
}

static void kick(struct far *far)
{
	uint64_t one = 1;

	if (write(far->kick, &one, sizeof(one)) != sizeof(one))
		tap_bail("cannot kick the far side of a card");
}

static int set_end(struct far *far, uint32_t kind, uint32_t flags)
{
	struct ovid_net_end arg = { .size = sizeof(arg), .flags = flags, .kind = kind, .fd = -1 };

	return ov_ioctl(far->h, OVID_NET_END, &arg);
}

static int set_up(struct far *far)
{
	struct ovid_net arg = {
		.size = sizeof(arg), .mac = { G_NET_MAC }, .queues = G_NET_QUEUES, .mtu = G_NET_MTU,
		.name = "test",
	};
	int ret = ov_ioctl(far->h, OVID_NET_SETUP, &arg);

	return ret ?: set_end(far, OVID_NET_FRAMES, OVID_NET_OFFLOADS);
}

int far_start(int h, struct far **result)
{
	struct far *far = calloc(1, sizeof(*far));
	int ret;

	*result = NULL;
	far->h = h;
	fcntl(h, F_SETFL, O_NONBLOCK);
	ret = set_up(far);
	if (ret) {
		free(far);
		return ret;
	}
	far->kick = eventfd(0, EFD_CLOEXEC);
	*result = far;
	return -pthread_create(&far->thread, NULL, far_main, far);
}

void far_stop(struct far *far)
{
	if (!far)
		return;
	far->over = true;
	kick(far);
	pthread_join(far->thread, NULL);
	close(far->kick);
	free(far);
}

static int64_t get_info(struct far *far, struct ovid_net_info *info)
{
	struct ovid_net_info arg = { .size = sizeof(arg) };
	int ret = ov_ioctl(far->h, OVID_NET_INFO, &arg);

	memcpy(info, &arg, sizeof(arg));
	return ret;
}

int64_t far_command(struct far *far, const uint64_t *arg, void *ram, uint64_t bytes)
{
	struct ovid_net_link link = { .size = sizeof(link), .flags = arg[1] };
	uint64_t len = arg[0] == G_NET_INFO ? sizeof(struct ovid_net_info) : arg[2];
	ssize_t n;

	if (arg[0] == G_NET_HOLD) {
		far->hold = arg[1];
		kick(far);
		return 0;
	}
	if (arg[0] == G_NET_LINK)
		return ov_ioctl(far->h, OVID_NET_LINK, &link);
	if (arg[0] == G_NET_END)
		return set_end(far, arg[1], arg[2]);
	if (arg[0] == G_NET_REFUSED)
		return far->refused;
	if (arg[1] > bytes || len > bytes - arg[1])
		return -EFAULT;
	if (arg[0] == G_NET_INFO)
		return get_info(far, ram + arg[1]);
	n = arg[0] == G_NET_WRITE ? write(far->h, ram + arg[1], len) : read(far->h, ram + arg[1], len);
	return n < 0 ? -errno : n;
}
