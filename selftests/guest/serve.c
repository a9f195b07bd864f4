// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve.c - the bus of a test guest, and a channel by file H: a thread that takes what
 * the guest sends and sends it back, with the rings' code of the host (vmbus/ring.c).
 *
 * The guest may be hostile: a ring that makes no sense is left alone until it is opened anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../vmbus/ring.h"
#include "../api/lib/ov.h"
#include "../api/lib/tap.h"
#include "proto.h"
#include "serve.h"

/**
 * struct echo - the channel that is served here
 * @h: its file
 * @signals: eventfd of the guest's signals
 * @quit: eventfd: the thread has to end
 * @map: the rings while it is open, else NULL
 * @broken: they made no sense
 * @waiting: @pkt and @buf hold a packet for which there was no space
 */
struct echo {
	pthread_t thread;
	int h, signals, quit;
	uint8_t *map;
	size_t map_bytes;
	struct ovid_ring in, out;
	bool broken, waiting;
	struct ovid_packet pkt;
	uint8_t buf[OVID_RING_MAX_PACKET];
};

struct serve {
	int part;
	int h[G_CHANNELS];	/* -1: not offered */
	struct echo echo;
};

/* ---- the rings ---- */

/* the next packet is in @buf */
static bool take(struct echo *e)
{
	int ret = ovid_ring_peek(&e->in, &e->pkt);

	e->broken = ret < 0;
	if (ret != 1)
		return false;
	ovid_ring_copy(&e->in, &e->pkt, e->pkt.header, e->buf, e->pkt.payload);
	ovid_ring_pop(&e->in, &e->pkt);
	return true;
}

/* false: it has to wait.  One that no space is enough for is dropped */
static bool give(struct echo *e)
{
	bool wanted = e->pkt.flags & VMBUS_PACKET_COMPLETION;
	struct vmbus_w_packet desc = {
		.type = wanted ? VMBUS_PKT_COMPLETION : VMBUS_PKT_DATA,
		.trans_id = e->pkt.trans_id,
	};
	struct ovid_ring_vec vec = { e->buf, e->pkt.payload };
	int ret = ovid_ring_write(&e->out, desc, 0, &vec, 1);

	e->waiting = ret == -EAGAIN;
	e->broken = ret == -EPROTO;
	return !ret || ret == -EMSGSIZE;
}

/* true: there may be more to do */
static bool turn(struct echo *e)
{
	bool tell;

	ovid_ring_mask(&e->in);
	while (!e->broken && (e->waiting || take(e)) && give(e))
		;
	tell = ovid_ring_commit_read(&e->in);
	tell |= ovid_ring_commit_write(&e->out);
	if (tell)
		ioctl(e->h, OVID_CHANNEL_SIGNAL);
	if (e->broken)
		return false;
	if (e->waiting)
		return ovid_ring_want_space(&e->out, ovid_ring_packet_bytes(0, e->pkt.payload));
	return ovid_ring_unmask(&e->in);
}

/* ---- what the guest wants of the channel ---- */

static void gone(struct echo *e)
{
	if (e->map)
		munmap(e->map, e->map_bytes);
	e->map = NULL;
}

static int map_rings(struct echo *e, const struct ovid_channel_event *event)
{
	uint8_t *out;

	gone(e);
	e->broken = e->waiting = false;
	e->map_bytes = 2 * 4096ul + 2ul * event->in_bytes + 2ul * event->out_bytes;
	e->map = mmap(NULL, e->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, e->h, 0);
	if (e->map == MAP_FAILED) {
		e->map = NULL;
		return -errno;
	}
	out = e->map + 4096 + 2ul * event->in_bytes;
	return ovid_ring_init_in(&e->in, (void *)e->map, e->map + 4096, event->in_bytes) ?:
	       ovid_ring_init_out(&e->out, (void *)out, out + 4096, event->out_bytes);
}

static void answer(struct echo *e, const struct ovid_channel_event *event)
{
	struct ovid_channel_reply reply = { sizeof(reply), 0, event->serial };

	reply.refuse = event->user[0] == G_USER_REFUSE ? EPERM : -map_rings(e, event);
	if (reply.refuse)
		gone(e);
	/* the guest may have closed it since: then GONE comes */
	ioctl(e->h, OVID_CHANNEL_REPLY, &reply);
}

static void look(struct echo *e)
{
	struct ovid_channel_event event;

	if (read(e->h, &event, sizeof(event)) != sizeof(event))
		return;
	if (event.kind == OVID_CHANNEL_GONE)
		gone(e);
	else
		answer(e, &event);
}

static void *echo_main(void *arg)
{
	struct echo *e = arg;
	struct pollfd p[] = {
		{ .fd = e->quit, .events = POLLIN }, { .fd = e->h, .events = POLLIN },
		{ .fd = e->signals, .events = POLLIN },
	};
	uint64_t n;

	for (;;) {
		poll(p, 3, -1);
		if (p[0].revents)
			break;
		if (p[1].revents)
			look(e);
		if (p[2].revents && read(e->signals, &n, sizeof(n)) == sizeof(n) && e->map &&
		    !e->broken && turn(e)) {
			n = 1;
			if (write(e->signals, &n, sizeof(n)) != sizeof(n))
				break;
		}
	}
	gone(e);
	return NULL;
}

static int echo_start(struct echo *e, int h)
{
	struct ovid_channel_eventfd arg = { .size = sizeof(arg) };
	int ret;

	memset(e, 0, offsetof(struct echo, buf));
	e->h = h;
	e->signals = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->quit = eventfd(0, EFD_CLOEXEC);
	fcntl(h, F_SETFL, O_NONBLOCK);
	arg.fd = e->signals;
	ret = ov_ioctl(h, OVID_CHANNEL_EVENTFD, &arg);
	return ret ?: -pthread_create(&e->thread, NULL, echo_main, e);
}

static void echo_stop(struct echo *e)
{
	uint64_t one = 1;

	if (write(e->quit, &one, sizeof(one)) != sizeof(one))
		tap_bail("cannot end the thread of a channel");
	pthread_join(e->thread, NULL);
	close(e->quit);
	close(e->signals);
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
	}
	ret = ov_ioctl(s->part, OVID_VMBUS_OFFER, &arg);
	if (ret < 0)
		return ret;
	s->h[channel] = ret;
	return channel == G_CHANNEL_USER ? echo_start(&s->echo, ret) : 0;
}

int serve_revoke(struct serve *s, unsigned int channel)
{
	if (channel >= G_CHANNELS || s->h[channel] < 0)
		return -ENOENT;
	if (channel == G_CHANNEL_USER)
		echo_stop(&s->echo);
	close(s->h[channel]);
	s->h[channel] = -1;
	return 0;
}

int serve_start(int part, struct serve **serve)
{
	struct ovid_vmbus_create arg = { .size = sizeof(arg) };
	struct serve *s = calloc(1, sizeof(*s));
	int ret;

	s->part = part;
	for (unsigned int i = 0; i < G_CHANNELS; i++)
		s->h[i] = -1;
	*serve = s;
	ret = ov_ioctl(part, OVID_VMBUS_CREATE, &arg);
	if (!ret)
		ret = serve_offer(s, G_CHANNEL_ECHO);
	return ret ?: serve_offer(s, G_CHANNEL_USER);
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
