// SPDX-License-Identifier: GPL-2.0-only
/*
 * libovid.c - see libovid.h.  The rings are read and written by the very code of the
 * host's own providers, vmbus/ring.c, which bounds whatever the guest has written there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../uapi/ovid.h"
#include "libovid_priv.h"

#define MAX_VEC	8

_Static_assert(OVID_PACKET_DATA == VMBUS_PKT_DATA, "");
_Static_assert(OVID_PACKET_COMPLETION == VMBUS_PKT_COMPLETION, "");
_Static_assert(OVID_PACKET_WANTS_COMPLETION == VMBUS_PACKET_COMPLETION, "");

static int call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* ---- life ---- */

static int watch(struct ovid_channel *ch, int signals)
{
	struct ovid_channel_eventfd arg = { .size = sizeof(arg) };
	int flags = fcntl(ch->file, F_GETFL);

	if (flags < 0 || fcntl(ch->file, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	ch->own_signals = signals < 0;
	ch->signals = ch->own_signals ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : signals;
	if (ch->signals < 0)
		return -errno;
	arg.fd = ch->signals;
	return call(ch->file, OVID_CHANNEL_EVENTFD, &arg);
}

int ovid_channel_adopt(int file, int signals, struct ovid_channel **channel)
{
	struct ovid_channel *ch = calloc(1, sizeof(*ch));
	int ret;

	if (!ch)
		return -ENOMEM;
	ch->file = file;
	ret = watch(ch, signals);
	if (ret) {
		if (ch->own_signals && ch->signals >= 0)
			close(ch->signals);
		free(ch);
		return ret;
	}
	*channel = ch;
	return 0;
}

int ovid_channel_offer(int part, const struct ovid_vmbus_offer *offer, int signals,
		       struct ovid_channel **channel)
{
	struct ovid_vmbus_offer arg = *offer;
	int file = call(part, OVID_VMBUS_OFFER, &arg), ret;

	if (file < 0)
		return file;
	ret = ovid_channel_adopt(file, signals, channel);
	if (ret)
		close(file);
	return ret;
}

static void forget_rings(struct ovid_channel *ch)
{
	if (ch->map)
		munmap(ch->map, ch->map_bytes);
	ch->map = NULL;
	ch->open = ch->broken = false;
	ch->want = 0;
}

void ovid_channel_close(struct ovid_channel *ch)
{
	if (!ch)
		return;
	forget_rings(ch);
	close(ch->file);
	if (ch->own_signals)
		close(ch->signals);
	free(ch);
}

int ovid_channel_file(const struct ovid_channel *ch)
{
	return ch->file;
}

int ovid_channel_signals(const struct ovid_channel *ch)
{
	return ch->signals;
}

/* ---- open and close ---- */

int ovid_lib_use_rings(struct ovid_channel *ch, void *in, uint32_t in_bytes, void *out,
			   uint32_t out_bytes)
{
	int ret = ovid_ring_init_in(&ch->in, in, (u8 *)in + 4096, in_bytes);

	ret = ret ?: ovid_ring_init_out(&ch->out, out, (u8 *)out + 4096, out_bytes);
	ch->open = !ret;
	return ret;
}

static int map_rings(struct ovid_channel *ch, const struct ovid_channel_event *event)
{
	size_t in = 4096 + 2ul * event->in_bytes, out = 4096 + 2ul * event->out_bytes;
	void *map;

	forget_rings(ch);
	map = mmap(NULL, in + out, PROT_READ | PROT_WRITE, MAP_SHARED, ch->file, 0);
	if (map == MAP_FAILED)
		return -errno;
	ch->map = map;
	ch->map_bytes = in + out;
	return ovid_lib_use_rings(ch, map, event->in_bytes, (u8 *)map + in, event->out_bytes);
}

/*
 * Whoever served it before may have been signalled, or have had the guest to signal: both are
 * done once more.  Rings that make no sense are the guest's own fault.
 */
static void go_on(struct ovid_channel *ch, const struct ovid_channel_event *event)
{
	if (map_rings(ch, event))
		return;
	call(ch->file, OVID_CHANNEL_SIGNAL, NULL);
	eventfd_write(ch->signals, 1);
}

int ovid_channel_event(struct ovid_channel *ch, struct ovid_channel_event *event)
{
	ssize_t ret = read(ch->file, event, sizeof(*event));

	if (ret < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (ret != sizeof(*event))
		return -EPROTO;
	if (event->kind == OVID_CHANNEL_GONE)
		forget_rings(ch);
	if (event->kind == OVID_CHANNEL_RESTORED)
		go_on(ch, event);
	return 1;
}

int ovid_channel_answer(struct ovid_channel *ch, const struct ovid_channel_event *event, int refuse)
{
	struct ovid_channel_reply reply = { .size = sizeof(reply), .serial = event->serial };
	int err = refuse ? 0 : map_rings(ch, event), ret;

	reply.refuse = refuse ?: -err;
	ret = call(ch->file, OVID_CHANNEL_REPLY, &reply);
	if (reply.refuse || ret)
		forget_rings(ch);
	return err ?: ret;
}

bool ovid_channel_works(const struct ovid_channel *ch)
{
	return ch->open && !ch->broken;
}

/* ---- a turn ---- */

void ovid_channel_begin(struct ovid_channel *ch)
{
	uint64_t count;

	/* before the look at the rings: what comes behind it is there the next time */
	if (ch->own_signals && read(ch->signals, &count, sizeof(count)) < 0)
		count = 0;
	ch->want = 0;
	if (ovid_channel_works(ch))
		ovid_ring_mask(&ch->in);
}

/* of what a ring's code says */
static int result(struct ovid_channel *ch, int ret)
{
	ch->broken |= ret == -EPROTO;
	return ret;
}

static int usable(const struct ovid_channel *ch)
{
	return !ch->open ? -ENOTCONN : ch->broken ? -EPROTO : 0;
}

int ovid_channel_peek(struct ovid_channel *ch, struct ovid_channel_packet *packet)
{
	struct ovid_packet *p = &ch->peeked;
	int ret = usable(ch) ?: result(ch, ovid_ring_peek(&ch->in, p));

	if (ret == 1)
		*packet = (struct ovid_channel_packet){
			.type = p->type, .flags = p->flags, .header = p->header,
			.payload = p->payload, .trans_id = p->trans_id,
		};
	return ret;
}

bool ovid_channel_copy(const struct ovid_channel *ch, uint32_t from, void *buf, uint32_t len)
{
	return ovid_channel_works(ch) && ovid_ring_copy(&ch->in, &ch->peeked, from, buf, len);
}

void ovid_channel_pop(struct ovid_channel *ch)
{
	if (ovid_channel_works(ch))
		ovid_ring_pop(&ch->in, &ch->peeked);
}

int ovid_channel_recv(struct ovid_channel *ch, struct ovid_channel_packet *packet, void *buf,
		      uint32_t max)
{
	int ret = ovid_channel_peek(ch, packet);

	if (ret != 1)
		return ret ?: -EAGAIN;
	ret = packet->payload > max ? -EMSGSIZE : (int)packet->payload;
	if (ret >= 0)
		ovid_channel_copy(ch, packet->header, buf, packet->payload);
	ovid_channel_pop(ch);
	return ret;
}

uint32_t ovid_channel_room(const struct ovid_channel *ch)
{
	return usable(ch) ? 0 : ovid_ring_room(&ch->out);
}

void ovid_channel_want_room(struct ovid_channel *ch, uint32_t payload)
{
	uint32_t bytes = ovid_ring_packet_bytes(0, payload);

	ch->want = bytes > ch->want ? bytes : ch->want;
}

int ovid_channel_send(struct ovid_channel *ch, uint16_t type, uint16_t flags, uint64_t trans_id,
		      const struct iovec *vec, unsigned int nr)
{
	const struct vmbus_w_packet desc = { .type = type, .flags = flags, .trans_id = trans_id };
	struct ovid_ring_vec parts[MAX_VEC];
	unsigned int n = 0;
	size_t bytes = 0;
	int ret = usable(ch);

	if (nr > MAX_VEC)
		return -EINVAL;
	for (unsigned int i = 0; i < nr; i++) {
		if (vec[i].iov_len > OVID_RING_MAX_PACKET)
			return -EMSGSIZE;
		/* an empty one may point nowhere */
		if (vec[i].iov_len)
			parts[n++] = (struct ovid_ring_vec){ vec[i].iov_base, vec[i].iov_len };
		bytes += vec[i].iov_len;
	}
	ret = ret ?: result(ch, ovid_ring_write(&ch->out, desc, 0, parts, n));
	if (ret == -EAGAIN)
		ovid_channel_want_room(ch, bytes);
	return ret;
}

bool ovid_channel_end(struct ovid_channel *ch, bool receive)
{
	bool tell, more = false;

	if (!ch->open)
		return false;
	tell = ovid_ring_commit_read(&ch->in);
	tell |= ovid_ring_commit_write(&ch->out);
	/* fails where the guest has closed the channel: an event says so */
	if (tell)
		call(ch->file, OVID_CHANNEL_SIGNAL, NULL);
	if (ch->broken)
		return false;
	if (ch->want)
		more = ovid_ring_want_space(&ch->out, ch->want);
	/* unmasked where we go on at once, it would cost the guest a signal */
	if (receive && !more)
		more = ovid_ring_unmask(&ch->in);
	return more;
}
