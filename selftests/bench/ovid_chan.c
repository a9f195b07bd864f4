// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovid_chan.c - a bus with one channel, which the guest has opened.  What the guest has to
 * say for that is written here and posted by it; nobody reads the answers, since the file of
 * the channel tells what came of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../vmbus/proto.h"
#include "../api/lib/ov.h"
#include "bench.h"
#include "ovid_chan.h"

#define GPADL		0xe1e10
#define HEADER_PFNS	25	/* in the first message of a GPADL, behind the range's first word */
#define BODY_PFNS	28
#define SINK		1	/* vsp/echo.c: first of the guest's words with the open */

extern const uint8_t p_post[];

static void must(int ret, const char *what)
{
	if (ret < 0) {
		errno = -ret;
		b_die("%s", what);
	}
}

static void post(struct b_vm *vm, const void *msg, uint32_t bytes)
{
	struct b_post *p = (struct b_post *)(vm->low + B_HV_INPUT);

	*p = (struct b_post){ B_POST_CONNECTION, 0, VMBUS_MESSAGE_TYPE, bytes, {} };
	memcpy(p->payload, msg, bytes);
	b_run(vm, p_post, 1);
}

static void contact(struct b_vm *vm)
{
	struct vmbus_w_initiate_contact contact = {
		.h.type = VMBUS_INITIATE_CONTACT, .version = VMBUS_V5_3, .sint = B_SINT,
	};
	struct vmbus_w_header request = { .type = VMBUS_REQUEST_OFFERS };

	post(vm, &contact, sizeof(contact));
	post(vm, &request, sizeof(request));
}

/* one range of whole pages from B_OUT on: both rings */
static void gpadl(struct b_vm *vm, uint32_t relid)
{
	const uint32_t pages = 2 * B_RING_PAGES;
	struct {
		struct vmbus_w_gpadl_header h;
		uint32_t bytes, offset;
		uint64_t pfns[HEADER_PFNS];
	} __attribute__((packed)) head = {
		.h = { .h.type = VMBUS_GPADL_HEADER, .relid = relid, .gpadl = GPADL,
		       .range_bytes = 8 + pages * 8, .range_count = 1 },
		.bytes = pages * 4096,
	};
	struct {
		struct vmbus_w_gpadl_body h;
		uint64_t pfns[BODY_PFNS];
	} body = { .h = { .h.type = VMBUS_GPADL_BODY, .gpadl = GPADL } };
	uint64_t pfn = B_OUT / 4096, end = pfn + pages;

	for (int i = 0; i < HEADER_PFNS; i++)
		head.pfns[i] = pfn++;
	post(vm, &head, sizeof(head));
	while (pfn < end) {
		uint32_t n = min(end - pfn, BODY_PFNS);

		for (uint32_t i = 0; i < n; i++)
			body.pfns[i] = pfn++;
		post(vm, &body, sizeof(body.h) + n * 8);
	}
}

static struct ovid_channel_info info(int h)
{
	struct ovid_channel_info i = { .size = sizeof(i) };

	must(ov_ioctl(h, OVID_CHANNEL_INFO, &i), "OVID_CHANNEL_INFO");
	return i;
}

/* the bus has a thread of its own */
#define wait_until(cond) do { while (!(cond)) ov_sleep_ms(1); } while (0)

static int offer(struct b_vm *vm, enum b_server server)
{
	struct ovid_vmbus_create create = { .size = sizeof(create) };
	struct ovid_vmbus_offer offer = { .size = sizeof(offer), .type = "b", .instance = "b" };
	int h;

	if (server == B_KERNEL)
		strcpy((char *)offer.provider, "echo");
	must(ov_ioctl(vm->part, OVID_VMBUS_CREATE, &create), "OVID_VMBUS_CREATE");
	h = ov_ioctl(vm->part, OVID_VMBUS_OFFER, &offer);
	must(h, "OVID_VMBUS_OFFER");
	return h;
}

/* the program takes the guest's open: its mapping of the rings */
static void *accept_open(struct b_vm *vm, int h)
{
	struct ovid_channel_eventfd signals = { .size = sizeof(signals) };
	struct ovid_channel_reply reply = { .size = sizeof(reply) };
	struct ovid_channel_event event;
	void *map;

	signals.fd = vm->bell = eventfd(0, 0);
	must(ov_ioctl(h, OVID_CHANNEL_EVENTFD, &signals), "OVID_CHANNEL_EVENTFD");
	if (read(h, &event, sizeof(event)) != sizeof(event))
		b_die("a channel's event");
	map = mmap(NULL, 2 * (4096 + 2 * B_RING_BYTES), PROT_READ | PROT_WRITE, MAP_SHARED, h, 0);
	if (map == MAP_FAILED)
		b_die("mmap of a channel");
	reply.serial = event.serial;
	must(ov_ioctl(h, OVID_CHANNEL_REPLY, &reply), "OVID_CHANNEL_REPLY");
	return map;
}

void *b_ovid_open(struct b_vm *vm, struct b_chan *c, enum b_server server, bool sink)
{
	struct vmbus_w_open open = {
		.h.type = VMBUS_OPEN, .ring_gpadl = GPADL, .downstream = B_RING_PAGES,
		.user = { sink ? SINK : 0 },
	};
	int h = vm->channel = offer(vm, server);
	void *map = NULL;

	contact(vm);
	wait_until(info(h).relid);
	open.relid = info(h).relid;
	gpadl(vm, open.relid);
	post(vm, &open, sizeof(open));
	if (server == B_PROGRAM)
		map = accept_open(vm, h);
	wait_until(info(h).state == OVID_CHANNEL_OPEN);
	c->connection = VMBUS_CONN_CHANNEL(open.relid);
	c->event = open.relid;
	return map;
}
