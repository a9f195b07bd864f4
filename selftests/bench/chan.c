// SPDX-License-Identifier: GPL-2.0-only
/*
 * chan.c - the channel of the channel rows: what both drivers have in common, and the
 * program's side of its rings, by the host's own code for them (vmbus/ring.c).
 */
#include <stdlib.h>
#include <string.h>

#include "../../vmbus/ring.h"
#include "bench.h"

/**
 * struct b_rings - rings that the program serves
 * @sink: packets are taken and not sent back
 */
struct b_rings {
	struct ovid_ring in, out;
	bool sink;
	uint8_t buf[4096];
};

static struct b_chan *chan_of(struct b_vm *vm)
{
	return (struct b_chan *)(vm->low + B_CHAN);
}

static void give(struct b_rings *r, const struct ovid_packet *pkt)
{
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA, .trans_id = pkt->trans_id };
	struct ovid_ring_vec vec = { r->buf, pkt->payload };

	if (ovid_ring_write(&r->out, desc, 0, &vec, 1))
		b_die("no space in a ring");
}

/* true: once more */
static bool turn(struct b_vm *vm)
{
	struct b_rings *r = vm->rings;
	struct ovid_packet pkt;
	bool tell;

	ovid_ring_mask(&r->in);
	while (ovid_ring_peek(&r->in, &pkt) == 1) {
		if (!ovid_ring_copy(&r->in, &pkt, pkt.header, r->buf, pkt.payload))
			b_die("a packet of %u bytes", pkt.payload);
		ovid_ring_pop(&r->in, &pkt);
		if (!r->sink)
			give(r, &pkt);
	}
	tell = ovid_ring_commit_read(&r->in);
	tell |= ovid_ring_commit_write(&r->out);
	if (tell && vm->driver->signal(vm) < 0)
		b_die("signal");
	return ovid_ring_unmask(&r->in);
}

static bool answer_channel(struct b_vm *vm)
{
	if (!b_bell(vm))
		return false;
	while (turn(vm))
		;
	return true;
}

static void serve(struct b_vm *vm, uint8_t *map, bool sink)
{
	struct b_rings *r = calloc(1, sizeof(*r));
	uint8_t *out = map + 4096 + 2 * B_RING_BYTES;

	r->sink = sink;
	if (ovid_ring_init_in(&r->in, (void *)map, map + 4096, B_RING_BYTES) ||
	    ovid_ring_init_out(&r->out, (void *)out, out + 4096, B_RING_BYTES))
		b_die("rings");
	vm->rings = r;
	vm->answer = answer_channel;
	vm->end = b_bell_end;
}

void b_chan_new(struct b_vm *vm, enum b_server server, uint32_t bytes, bool sink)
{
	struct b_chan *c = chan_of(vm);
	void *map;

	memset(vm->low + B_OUT, 0, 2 * B_RING_PAGES * 4096);
	*c = (struct b_chan){
		.bytes = bytes, .desc = (bytes - VMBUS_PACKET_TRAILER) / 8,
		.words = (bytes - sizeof(struct vmbus_w_packet) - VMBUS_PACKET_TRAILER) / 4,
	};
	map = vm->driver->open(vm, c, server, sink);
	if (map)
		serve(vm, map, sink);
}

void b_chan_free(struct b_vm *vm)
{
	free(vm->rings);
}

/* those of the guest, and those that were interrupts to it */
double b_chan_signals(struct b_vm *vm)
{
	const struct b_ctl *ctl = (const struct b_ctl *)(vm->low + B_CTL);

	return chan_of(vm)->signals + ctl->count;
}
