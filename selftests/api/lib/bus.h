/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bus.h - for tests of the bus: its calls, and a guest whose VP makes hypercalls one by one.
 */
#ifndef OVID_TEST_BUS_H
#define OVID_TEST_BUS_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ov.h"
#include "tap.h"

#define RAM		(4u << 20)
#define INPUT		0x3000
#define SIMP		0x5000
#define SIEFP		0x6000
#define SLOT		(SIMP + 2 * 256)
#define RING		0x100000	/* four pages: two rings of one page of data */
#define GPADL		0xe1e10

#define POST		0x5c
#define SIGNAL		0x5d
#define FAST		0x10000
#define V5_3		OVID_VMBUS_VERSION(5, 3)

enum { OFFER = 1, RESCIND, REQUEST, ALL_OFFERS, OPEN, OPEN_RESULT, CLOSE, GPADL_HEADER,
       GPADL_CREATED = 10, RELEASED = 13, CONTACT, VERSION };

/* the guest's */
static struct ov_vm vm;

static inline int create_flags(int part, uint32_t max_version, uint32_t flags)
{
	struct ovid_vmbus_create arg = { sizeof(arg), flags, max_version, 0 };

	return ov_ioctl(part, OVID_VMBUS_CREATE, &arg);
}

static inline int create(int part, uint32_t max_version)
{
	return create_flags(part, max_version, 0);
}

/* a user's channel whose class id is @id, or the kernel's by name */
static inline struct ovid_vmbus_offer offer_of(const char *provider, uint32_t id)
{
	struct ovid_vmbus_offer arg = { .size = sizeof(arg) };

	strcpy((char *)arg.provider, provider);
	memcpy(arg.type, &id, sizeof(id));
	memcpy(arg.instance, &id, sizeof(id));
	return arg;
}

static inline int offer(int part, const char *provider, uint32_t id)
{
	struct ovid_vmbus_offer arg = offer_of(provider, id);

	return ov_ioctl(part, OVID_VMBUS_OFFER, &arg);
}

static inline struct ovid_channel_info info_of(int h)
{
	struct ovid_channel_info i = { .size = sizeof(i) };

	if (ov_ioctl(h, OVID_CHANNEL_INFO, &i))
		tap_ok(false, "OVID_CHANNEL_INFO works");
	return i;
}

static inline int reply(int h, uint32_t serial, uint32_t refuse)
{
	struct ovid_channel_reply arg = { sizeof(arg), 0, serial, refuse };

	return ov_ioctl(h, OVID_CHANNEL_REPLY, &arg);
}

static inline int set_eventfd(int h, int fd)
{
	struct ovid_channel_eventfd arg = { sizeof(arg), 0, fd, 0 };

	return ov_ioctl(h, OVID_CHANNEL_EVENTFD, &arg);
}

static inline void close_it(int fd)
{
	close(fd);
}

static inline int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* what the thread of the bus does comes soon */
#define soon(cond) ({ int n_ = 500; while (!(cond) && --n_) ov_sleep_ms(4); !!(cond); })

/* ---- the guest ---- */

static inline void start(void)
{
	ov_vm_create32(&vm, RAM);
	if (ov_set(vm.vp, HV_REGISTER_GUEST_OS_ID, 1) ||
	    ov_set(vm.vp, HV_X64_REGISTER_HYPERCALL, 0x10001) ||
	    ov_set(vm.vp, HV_REGISTER_SIMP, SIMP | 1) ||
	    ov_set(vm.vp, HV_REGISTER_SIEFP, SIEFP | 1) || ov_set(vm.vp, HV_REGISTER_SCONTROL, 1))
		tap_bail("no hypercall page, no SynIC");
}

static inline int call(uint32_t control, uint64_t input)
{
	return ov_hypercall(&vm, control, input);
}

static inline void post(const void *msg, uint32_t bytes)
{
	struct { uint32_t connection, zero, type, bytes; uint8_t payload[240]; } in = {
		4, 0, 1, bytes, ""
	};

	memcpy(in.payload, msg, bytes);
	memcpy(vm.ram + INPUT, &in, sizeof(in));
	if (call(POST, INPUT))
		tap_ok(false, "a message is posted");
}

static inline uint32_t load(uint32_t gpa)
{
	uint32_t value;

	if (ov_load(&vm, gpa, &value) != OVID_EXIT_IO)
		tap_ok(false, "the guest reads its memory");
	return value;
}

/* the first words of the next message: its type; 0: none comes */
static inline uint32_t receive(uint32_t *words, int nr)
{
	if (!soon(load(SLOT)))
		return 0;
	for (int i = 0; i < nr; i++)
		words[i] = load(SLOT + 16 + 4 * i);
	ov_store(&vm, SLOT, 0);
	ov_set(vm.vp, HV_REGISTER_SCONTROL, 1);	/* as good as EOM */
	return words[0];
}

/* contact and offers, how many; the relid of the last one in @relid */
static inline int connect_guest(uint32_t *relid)
{
	uint32_t contact[10] = { CONTACT, 0, V5_3, 0, 2 }, ask[2] = { REQUEST }, m[47];
	int n = 0;

	post(contact, sizeof(contact));
	if (receive(m, 3) != VERSION || !(m[2] & 0xff))
		tap_bail("no contact");
	post(ask, sizeof(ask));
	for (; receive(m, 47) == OFFER; n++)
		*relid = m[46];
	return m[0] == ALL_OFFERS ? n : -1;
}

static inline void post_gpadl(uint32_t relid)
{
	struct { uint32_t type, pad, relid, gpadl; uint16_t bytes, count; uint64_t words[5]; }
		__attribute__((packed)) m = {
		GPADL_HEADER, 0, relid, GPADL, sizeof(m.words), 1, { 4 * 4096 }
	};
	uint32_t in[5];

	for (int i = 0; i < 4; i++)
		m.words[1 + i] = RING / 4096 + i;
	post(&m, sizeof(m));
	if (receive(in, 5) != GPADL_CREATED || in[4])
		tap_ok(false, "a GPADL is made");
}

/* which the guest signals */
static inline uint32_t connection(uint32_t relid)
{
	return 8 + relid;
}

/* @words: the first of the guest's own */
static inline void post_open_words(uint32_t relid, uint32_t words)
{
	uint32_t m[37] = { OPEN, 0, relid, 7, GPADL, 0, 2, words };

	memset(vm.ram + RING, 0, 4 * 4096);
	post(m, sizeof(m));
}

static inline void post_open(uint32_t relid)
{
	post_open_words(relid, 0x12345678);
}

static inline void post_relid(uint32_t type, uint32_t relid)
{
	uint32_t m[3] = { type, 0, relid };

	post(m, sizeof(m));
}

#endif
