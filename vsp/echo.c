// SPDX-License-Identifier: GPL-2.0-only
/*
 * Echo: each packet of the guest comes back as it is, as a completion where it asks for
 * one.  A guest whose words with the open begin with 1 has a sink: packets are taken, none
 * comes back.  For tests, measurements, and whoever writes a guest's driver; offered only by name.
 */
#include <linux/slab.h>
#include "echo.h"

#define BUDGET		64		/* packets in a row, then it is another channel's turn */
#define MAX_PAYLOAD	16384
#define SINK		1

/**
 * struct echo - chan's thread
 * @pkt: the packet in @buf, of @bytes, waits for space; @bytes < 0: there is none
 * @bytes: its payload
 * @sink: nothing is sent
 * @buf: its payload
 */
struct echo {
	struct ovid_packet pkt;
	int bytes;
	bool sink;
	u8 buf[MAX_PAYLOAD];
};

static int echo_attach(struct ovid_chan *chan)
{
	struct echo *echo = kvzalloc(sizeof(*echo), GFP_KERNEL_ACCOUNT);

	if (!echo)
		return -ENOMEM;
	echo->bytes = -1;
	ovid_chan_set_priv(chan, echo);
	return 0;
}

static void echo_detach(struct ovid_chan *chan)
{
	kvfree(ovid_chan_priv(chan));
}

/* what the guest has opened, now or before it was moved */
static void begin(struct ovid_chan *chan, struct echo *echo)
{
	echo->bytes = -1;
	echo->sink = ovid_chan_open_words(chan)[0] == SINK;
}

static int echo_open(struct ovid_chan *chan)
{
	begin(chan, ovid_chan_priv(chan));
	return 0;
}

static int answer(struct ovid_chan *chan, struct echo *echo)
{
	bool wanted = echo->pkt.flags & VMBUS_PACKET_COMPLETION;

	return ovid_chan_send(chan, wanted ? VMBUS_PKT_COMPLETION : VMBUS_PKT_DATA, 0,
			      echo->pkt.trans_id, echo->buf, echo->bytes);
}

/* a packet longer than the buffer is dropped, as one is that no space can be enough for */
static bool echo_work(struct ovid_chan *chan)
{
	struct echo *echo = ovid_chan_priv(chan);
	int i;

	for (i = 0; i < BUDGET; i++) {
		if (echo->bytes < 0)
			echo->bytes = ovid_chan_recv(chan, &echo->pkt, echo->buf, MAX_PAYLOAD);
		if (echo->bytes == -EMSGSIZE)
			continue;
		if (echo->bytes < 0 || (!echo->sink && answer(chan, echo) == -EAGAIN))
			return false;
		echo->bytes = -1;
	}
	return true;
}

/* the packet that waits for space, its payload follows; or nothing */
struct echo_saved {
	u64 trans_id;
	u32 flags;
	u32 pad;
};

static u32 echo_save(struct ovid_chan *chan, void *buf, u32 room)
{
	struct echo *echo = ovid_chan_priv(chan);
	struct echo_saved *saved = buf;
	u32 bytes = sizeof(*saved) + max(echo->bytes, 0);

	if (echo->bytes < 0)
		return 0;
	if (bytes > room)
		return bytes;
	saved->trans_id = echo->pkt.trans_id;
	saved->flags = echo->pkt.flags;
	memcpy(saved + 1, echo->buf, echo->bytes);
	return bytes;
}

static int echo_restore(struct ovid_chan *chan, bool open, const void *buf, u32 bytes)
{
	struct echo *echo = ovid_chan_priv(chan);
	const struct echo_saved *saved = buf;

	begin(chan, echo);
	if (!bytes)
		return 0;
	if (!open || bytes < sizeof(*saved) || bytes - sizeof(*saved) > MAX_PAYLOAD)
		return -EINVAL;
	echo->pkt.trans_id = saved->trans_id;
	echo->pkt.flags = saved->flags;
	echo->bytes = bytes - sizeof(*saved);
	memcpy(echo->buf, saved + 1, echo->bytes);
	return 0;
}

const struct ovid_chan_ops ovid_echo = {
	.name = "echo",
	/* 642b4c37-7c92-4c82-b6b0-7fbf775ff93b, 4b1d9114-1aad-4c3a-8f34-6da6df1c29f7 */
	.type = { { 0x37, 0x4c, 0x2b, 0x64, 0x92, 0x7c, 0x82, 0x4c,
		    0xb6, 0xb0, 0x7f, 0xbf, 0x77, 0x5f, 0xf9, 0x3b } },
	.instance = { { 0x14, 0x91, 0x1d, 0x4b, 0xad, 0x1a, 0x3a, 0x4c,
			0x8f, 0x34, 0x6d, 0xa6, 0xdf, 0x1c, 0x29, 0xf7 } },
	.quick = true,
	.attach = echo_attach,
	.detach = echo_detach,
	.open = echo_open,
	.work = echo_work,
	.save = echo_save,
	.restore = echo_restore,
};
