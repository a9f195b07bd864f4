// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a bus: OVID_VMBUS_STATE.  A guest with open channels goes on in another
 * partition, by the same memory and other files; and what is not a state.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../userspace/examples/echo.h"
#include "lib/bus.h"

#define MAX_STATE	(1u << 20)

/* a guest that sends a packet to echo, signals, and waits for its answer; and so on */
#define TRAFFIC		0x8000
#define OFFSET		0x2000		/* where the next one goes, in both rings */
#define COUNT		0x2004		/* its number */
#define CONNECTION	0x2008
CODE32(traffic32,
	"1: mov 0x2000, %esi; mov 0x2004, %edi;"
	"movl $0x00020006, 0x101000(%esi); movl $0x00010003, 0x101004(%esi);"
	"mov %edi, 0x101008(%esi); movl $0, 0x10100c(%esi);"
	"mov %edi, 0x101010(%esi); movl $0, 0x101014(%esi);"
	"add $32, %esi; and $0xfff, %esi; mov %esi, 0x100000;"
	"mov 0x2008, %ecx; xor %ebx, %ebx; xor %edx, %edx; mov $0x1005d, %eax; vmcall;"
	"test %eax, %eax; jnz 9f;"
	"mov 0x2000, %ebx; mov 0x2004, %edi; mov %ebx, %esi; add $32, %esi; and $0xfff, %esi;"
	"2: pause; cmp %esi, 0x102000; jne 2b;"
	"cmp %edi, 0x103008(%ebx); jne 9f;"
	"mov %esi, 0x102004; mov %esi, 0x2000; incl 0x2004; jmp 1b;"
	"9: out %al, $0xf4; jmp 9b");

static uint8_t state[MAX_STATE], forged[MAX_STATE];
static uint64_t state_bytes;

static int state_call(int part, uint32_t op, void *buf, uint64_t *bytes)
{
	struct ovid_vmbus_state arg = {
		.size = sizeof(arg), .op = op, .buf = (uintptr_t)buf, .bytes = *bytes,
	};
	int ret = ov_ioctl(part, OVID_VMBUS_STATE, &arg);

	*bytes = arg.bytes;
	return ret;
}

static int save(int part)
{
	state_bytes = sizeof(state);
	return state_call(part, OVID_STATE_SAVE, state, &state_bytes);
}

static int restore(int part)
{
	uint64_t bytes = state_bytes;

	return state_call(part, OVID_STATE_RESTORE, state, &bytes);
}

/* content of the @n-th section of a type, or NULL; its length is the word before */
static void *section(uint32_t type, unsigned int n)
{
	for (uint64_t at = 0; at < state_bytes;) {
		uint32_t *head = (uint32_t *)(state + at);

		if (head[0] == type && !n--)
			return head + 4;
		at += 16 + (((uint64_t)head[3] + 7) & ~7ull);
	}
	return NULL;
}

/* ---- the other partition ---- */

static void blob(int vp, uint8_t type, void *page, bool set)
{
	struct mshv_get_set_vp_state s = { .type = type, .buf_sz = 4096, .buf_ptr = (uintptr_t)page };

	if (ov_ioctl(vp, set ? MSHV_SET_VP_STATE : MSHV_GET_VP_STATE, &s))
		tap_ok(false, "a blob is %s", set ? "set" : "read");
}

/*
 * A partition with the same memory and the same VP, paused, whose bus awaits a state; @vm is it
 * from here on.  What the guest has in its SynIC goes with it.
 */
static struct ov_vm renew(bool blobs)
{
	static uint8_t slots[4096] __attribute__((aligned(4096))), flags[4096] __attribute__((aligned(4096)));
	struct ov_vm old = vm;

	blob(old.vp, MSHV_VP_STATE_SIMP, slots, false);
	blob(old.vp, MSHV_VP_STATE_SIEFP, flags, false);
	start();
	memcpy(vm.ram, old.ram, RAM);
	if (blobs) {
		blob(vm.vp, MSHV_VP_STATE_SIMP, slots, true);
		blob(vm.vp, MSHV_VP_STATE_SIEFP, flags, true);
	}
	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(create_flags(vm.part, 0, OVID_VMBUS_AWAITS_STATE), 0, "a bus that awaits a state");
	return old;
}

/* stops the old one and reads it; nothing is left to be done but the offers and restore() */
static struct ov_vm leave(void)
{
	uint64_t none = 0;

	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(state_call(vm.part, OVID_STATE_SAVE, NULL, &none), -E2BIG, "the bus stands still");
	tap_is(save(vm.part), 0, "and is saved");
	tap_is(state_bytes, none, "as long as it was said to be");
	return renew(true);
}

static void arrive(struct ov_vm *old)
{
	tap_is(restore(vm.part), 0, "it is restored");
	tap_is(ov_ctrl(vm.part, OVID_CTRL_RESUME), 0, "and goes on");
	ov_vm_destroy(old);
}

/* ---- rules ---- */

static void rules(void)
{
	struct ovid_vmbus_state good = { .size = sizeof(good), .op = OVID_STATE_SAVE,
		.buf = (uintptr_t)state, .bytes = sizeof(state) };
	uint64_t bytes = 0;
	int other;
#define FAILS(field, value, bytes, error)						\
	ov_field_fails(vm.part, "OVID_VMBUS_STATE", OVID_VMBUS_STATE, &good, sizeof(good),	\
		       offsetof(struct ovid_vmbus_state, field), value, bytes, error)

	start();
	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(save(vm.part), -ENXIO, "there is no bus");
	tap_is(create(vm.part, 0), 0, "a bus");
	ov_size_rules(vm.part, "OVID_VMBUS_STATE", OVID_VMBUS_STATE, &good, sizeof(good), NULL);
	FAILS(flags, 1, 4, EINVAL);
	FAILS(pad, 1, 4, EINVAL);
	FAILS(op, 0, 4, EINVAL);
	FAILS(op, 3, 4, EINVAL);
	FAILS(buf, 8, 8, EFAULT);
	tap_is(state_call(vm.part, OVID_STATE_SAVE, NULL, &bytes), -E2BIG, "no room");
	tap_ok(bytes > 16 && bytes < 4096, "how much it takes: %llu", (unsigned long long)bytes);
	bytes--;
	tap_is(state_call(vm.part, OVID_STATE_SAVE, state, &bytes), -E2BIG, "one byte less");
	tap_is(save(vm.part), 0, "enough");
	tap_is(restore(vm.part), -EBUSY, "into a bus that does not await it");
	ov_ctrl(vm.part, OVID_CTRL_RESUME);
	tap_is(save(vm.part), -EBUSY, "while VPs may run");
	tap_is(restore(vm.part), -EBUSY, "neither back");

	other = ov_partition(vm.dev, "x");
	tap_is(create_flags(other, 0, 2), -EINVAL, "an unknown flag of OVID_VMBUS_CREATE");
	tap_is(create_flags(other, 0, OVID_VMBUS_AWAITS_STATE), 0, "one that awaits");
	tap_is(restore(other), -EBUSY, "while VPs may run");
	ov_ctrl(other, OVID_CTRL_PAUSE);
	tap_is(save(other), -EBUSY, "there is nothing to be saved yet");
	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(save(vm.part), 0, "the first one, again");
	bytes = OVID_VMBUS_STATE_BYTES + 1ull;
	tap_is(state_call(other, OVID_STATE_RESTORE, state, &bytes), -E2BIG, "too long");
	bytes = 0;
	tap_is(state_call(other, OVID_STATE_RESTORE, state, &bytes), -EINVAL, "nothing");
	bytes = state_bytes;
	tap_is(state_call(other, OVID_STATE_RESTORE, (void *)8, &bytes), -EFAULT, "from nowhere");
	tap_is(restore(other), -EINVAL, "a partition without a VP for messages");
	close(other);
	ov_vm_destroy(&vm);
}

/* a bus that stands still: the guest's messages wait, until it goes on */
static void stands(void)
{
	uint32_t contact[10] = { CONTACT, 0, V5_3, 0, 2 }, m[3];
	struct ov_vm old;

	start();
	create(vm.part, 0);
	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(save(vm.part), 0, "saved");
	ov_ctrl(vm.part, OVID_CTRL_RESUME);
	post(contact, sizeof(contact));
	tap_is(receive(m, 3), VERSION, "the old one goes on when it is resumed");

	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	save(vm.part);
	old = renew(true);
	ov_ctrl(vm.part, OVID_CTRL_RESUME);
	post(contact, sizeof(contact));
	ov_sleep_ms(50);
	tap_is(load(SLOT), 0, "one that awaits a state does not");
	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(restore(vm.part), -EBUSY, "and takes none when a guest was there");
	ov_vm_destroy(&old);
	ov_vm_destroy(&vm);
}

/* ---- channels ---- */

static bool event(int h, struct ovid_channel_event *e)
{
	return soon(ready(h) == POLLIN) && read(h, e, sizeof(*e)) == sizeof(*e);
}

static int offer_user(uint32_t id)
{
	int h = offer(vm.part, "", id);

	fcntl(h, F_SETFL, O_NONBLOCK);
	return h;
}

/* open, by @h */
static uint32_t open_user(int h)
{
	struct ovid_channel_event e = {};
	uint32_t relid = 0, m[5] = {};

	connect_guest(&relid);
	post_gpadl(relid);
	post_open(relid);
	tap_ok(event(h, &e) && !reply(h, e.serial, 0) && receive(m, 5) == OPEN_RESULT && !m[4], "open");
	return relid;
}

/* what whoever has the new file finds */
static void served(int h, uint32_t relid)
{
	struct ovid_channel_event e = {};
	int fd = eventfd(0, EFD_NONBLOCK);
	volatile uint8_t *at;
	uint64_t n;

	tap_ok(event(h, &e), "an event");
	tap_is(e.kind, OVID_CHANNEL_RESTORED, "it is open since before");
	tap_is(e.in_bytes, 4096, "its rings");
	tap_is(e.version, V5_3, "the version");
	tap_ok(!memcmp(e.user, "\x78\x56\x34\x12", 4), "the guest's words");
	tap_is(reply(h, e.serial, 0), -ESTALE, "there is nothing to reply to");
	tap_is(info_of(h).state, OVID_CHANNEL_OPEN, "open");
	tap_is(info_of(h).relid, relid, "the guest's number for it");
	at = mmap(NULL, 6 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, h, 0);
	vm.ram[RING + 4096] = 0x5a;
	tap_is(at[4096], 0x5a, "its rings are the guest's memory");
	munmap((void *)at, 6 * 4096);
	set_eventfd(h, fd);
	ov_sleep_ms(20);
	if (read(fd, &n, sizeof(n)) < 0)
		n = 0;
	tap_is(call(SIGNAL | FAST, connection(relid)), 0, "the guest signals");
	tap_ok(soon(ready(fd) == POLLIN), "and it comes");
	tap_is(ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL), 0, "a signal for the guest");
	tap_is(load(SIEFP + 512 + relid / 32 * 4), 1u << relid % 32, "comes");
	close(fd);
}

static void user_channel(void)
{
	struct ovid_channel_event e = {};
	struct ov_vm old;
	uint32_t relid;
	int h, k;

	start();
	create(vm.part, 0);
	h = offer_user(1);
	relid = open_user(h);
	old = leave();
	k = offer_user(1);
	tap_is(restore(vm.part), 0, "restored");
	tap_is(restore(vm.part), -EBUSY, "not twice");
	ov_ctrl(vm.part, OVID_CTRL_RESUME);
	close(h);
	ov_vm_destroy(&old);
	served(k, relid);

	/* once more, and this time nobody reads of it before the guest closes */
	old = leave();
	h = offer_user(1);
	arrive(&old);
	close(k);
	post_relid(CLOSE, relid);
	tap_ok(soon(info_of(h).state == OVID_CHANNEL_CLOSED), "the guest closes it");
	tap_fails(read(h, &e, sizeof(e)), EAGAIN, "what nobody read of never was");
	post_open(relid);
	tap_ok(event(h, &e), "and opens it again");
	tap_is(e.kind, OVID_CHANNEL_OPENED, "as ever");
	close(h);
	ov_vm_destroy(&vm);
}

/* the guest waits for an answer to its open */
static void half_open(void)
{
	struct ovid_channel_event e = {};
	uint32_t relid = 0, m[5] = {};
	struct ov_vm old;
	int h, k;

	start();
	create(vm.part, 0);
	h = offer_user(1);
	connect_guest(&relid);
	post_gpadl(relid);
	post_open(relid);
	tap_ok(event(h, &e), "the guest opens");
	old = leave();
	k = offer_user(1);
	arrive(&old);
	close(h);
	tap_ok(event(k, &e), "an event");
	tap_is(e.kind, OVID_CHANNEL_OPENED, "it is asked again");
	tap_is(load(SLOT), 0, "nothing for the guest yet");
	tap_is(reply(k, e.serial, 0), 0, "yes");
	tap_is(receive(m, 5), OPEN_RESULT, "the guest is told");
	tap_ok(m[2] == relid && !m[4], "that it is open");
	close(k);
	ov_vm_destroy(&vm);
}

/* an offer that was taken back, of which the guest has not let go; and one that takes its place */
static void revoked(void)
{
	uint32_t relid = 0, m[47] = {};
	struct ov_vm old;
	int h, k;

	start();
	create(vm.part, 0);
	h = offer_user(1);
	connect_guest(&relid);
	close(h);
	tap_is(receive(m, 3), RESCIND, "taken back");
	h = offer_user(1);
	old = leave();
	tap_is(restore(vm.part), -ENOENT, "the second one is not offered");
	k = offer_user(1);
	arrive(&old);
	close(h);
	ov_sleep_ms(20);
	tap_is(load(SLOT), 0, "it waits");
	post_relid(RELEASED, relid);
	tap_is(receive(m, 47), OFFER, "until the guest has let go of the first");
	tap_ok(m[46] != relid && m[46] == info_of(k).relid, "by another number");
	close(k);
	ov_vm_destroy(&vm);
}

/* a slot that becomes free while the bus stands still stays so: its page was read */
static void nothing_delivered(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	uint32_t relid = 0, m[47] = {}, *slot = (uint32_t *)(page + SLOT - SIMP);
	int h[3];

	start();
	create(vm.part, 0);
	h[0] = offer_user(1);
	connect_guest(&relid);
	h[1] = offer_user(2);
	h[2] = offer_user(3);
	tap_ok(soon(load(SLOT)), "an offer is in its slot, another waits");
	ov_ctrl(vm.part, OVID_CTRL_PAUSE);
	tap_is(save(vm.part), 0, "saved");
	blob(vm.vp, MSHV_VP_STATE_SIMP, page, false);
	tap_ok(slot[0], "the slot");
	slot[0] = 0;
	blob(vm.vp, MSHV_VP_STATE_SIMP, page, true);
	ov_set(vm.vp, HV_REGISTER_SCONTROL, 1);
	blob(vm.vp, MSHV_VP_STATE_SIMP, page, false);
	tap_is(slot[0], 0, "becomes free, and nothing comes");
	ov_ctrl(vm.part, OVID_CTRL_RESUME);
	tap_is(receive(m, 47), OFFER, "until the partition goes on");
	tap_is(m[46], relid + 2, "then the one that waited");
	for (int i = 0; i < 3; i++)
		close(h[i]);
	ov_vm_destroy(&vm);
}

/* messages for the guest wait for its slot */
static void messages(void)
{
	uint32_t relid = 0, m[47] = {};
	struct ov_vm old;
	int h[4], k[4];

	start();
	create(vm.part, 0);
	h[0] = offer_user(1);
	connect_guest(&relid);
	for (int i = 1; i < 4; i++)
		h[i] = offer_user(i + 1);
	tap_ok(soon(load(SLOT)), "the first is in its slot, others wait");
	old = leave();
	for (int i = 0; i < 4; i++)
		k[i] = offer_user(i + 1);
	arrive(&old);
	for (int i = 1; i < 4; i++) {
		tap_is(receive(m, 47), OFFER, "an offer");
		tap_is(m[46], relid + i, "in its turn");
		tap_is(info_of(k[i]).relid, relid + i, "and its file knows that");
		close(h[i]);
	}
	close(h[0]);
	for (int i = 0; i < 4; i++)
		close(k[i]);
	ov_vm_destroy(&vm);
}

/* an open channel of echo; @words: of the open */
static uint32_t open_echo(int *h, uint32_t words)
{
	uint32_t relid = 0, m[5] = {};

	start();
	create(vm.part, 0);
	*h = offer(vm.part, "echo", 0);
	connect_guest(&relid);
	post_gpadl(relid);
	post_open_words(relid, words);
	tap_ok(receive(m, 5) == OPEN_RESULT && !m[4], "echo is open");
	return relid;
}

/* a packet of 32 bytes, by the guest, into an empty ring */
static void write_packet(void)
{
	struct { uint16_t type, offset8, len8, flags; uint64_t trans, payload; } packet = {
		6, 2, 3, 1, 0x1122334455667788, 0x99
	};

	memcpy(vm.ram + RING + 4096, &packet, sizeof(packet));
	*(uint32_t *)(vm.ram + RING) = 32;
}

/* the provider in the kernel has not seen it: there was no signal */
static void kernel_channel(void)
{
	uint32_t relid, *words;
	struct ov_vm old;
	int h, k;

	relid = open_echo(&h, 0);
	write_packet();
	old = leave();
	k = offer(vm.part, "echo", 0);
	words = (uint32_t *)(vm.ram + RING + 2 * 4096);
	arrive(&old);
	close(h);
	tap_ok(soon(words[0] == 32), "it answers in the other partition");
	tap_ok(words[1024] == (11 | 2 << 16) && words[1026] == 0x55667788, "the right packet");
	tap_ok(soon(load(SIEFP + 512 + relid / 32 * 4)), "and signals");
	close(k);
	ov_vm_destroy(&vm);
}

/* what the guest has said with the open, its provider still knows */
static void kernel_words(void)
{
	struct ov_vm old;
	int h, k;

	open_echo(&h, 1);
	write_packet();
	old = leave();
	k = offer(vm.part, "echo", 0);
	arrive(&old);
	close(h);
	tap_ok(soon(*(uint32_t *)(vm.ram + RING + 4) == 32), "a sink takes it");
	ov_sleep_ms(20);
	tap_is(*(uint32_t *)(vm.ram + RING + 2 * 4096), 0, "and gives nothing back");
	close(k);
	ov_vm_destroy(&vm);
}

/* the guest waits for space which was freed, of which it may not have been told before */
static void space(void)
{
	struct ov_vm old;
	uint32_t relid;
	int h, k;

	relid = open_echo(&h, 0);
	ov_sleep_ms(20);
	*(uint32_t *)(vm.ram + RING + 12) = 64;
	tap_is(load(SIEFP + 512 + relid / 32 * 4), 0, "no signal yet");
	old = leave();
	k = offer(vm.part, "echo", 0);
	arrive(&old);
	close(h);
	tap_ok(soon(load(SIEFP + 512 + relid / 32 * 4)), "a guest that waits for space is signalled");
	close(k);
	ov_vm_destroy(&vm);
}

/* the guest's messages that nobody has taken yet */
static void to_host(void)
{
	struct { uint32_t type, version, instance, bytes, connection, vp, sint, len, data[60]; } mail = {
		1, 1, 0, 256, 4, 0, 0, 8, { REQUEST }
	};
	uint32_t contact[10] = { CONTACT, 0, V5_3, 0, 2 }, m[47] = {};
	struct ov_vm old;

	start();
	create(vm.part, 0);
	post(contact, sizeof(contact));
	tap_is(receive(m, 3), VERSION, "contact");
	old = leave();
	memmove(state + sizeof(mail), state, state_bytes);
	memcpy(state, &mail, sizeof(mail));
	state_bytes += sizeof(mail);
	((uint32_t *)state)[7] = 241;
	tap_is(restore(vm.part), -EINVAL, "no message is so long");
	((uint32_t *)state)[7] = 8;
	arrive(&old);
	tap_is(receive(m, 2), ALL_OFFERS, "is handled now");
	ov_vm_destroy(&vm);
}

/* sub-channels come before the state that says that their device is open */
static void sub_channels(void)
{
	struct ovid_vmbus_offer sub = offer_of("", 1);
	uint32_t relid, m[47] = {}, unload[2] = { 16 };
	struct ov_vm old;
	int h, k, s, t;

	start();
	create(vm.part, 0);
	h = offer_user(1);
	sub.sub_index = 1;
	tap_is(ov_ioctl(vm.part, OVID_VMBUS_OFFER, &sub), -ENOTCONN, "not before its device is open");
	relid = open_user(h);
	s = ov_ioctl(vm.part, OVID_VMBUS_OFFER, &sub);
	tap_is(receive(m, 47), OFFER, "a sub-channel");
	old = leave();
	t = ov_ioctl(vm.part, OVID_VMBUS_OFFER, &sub);
	tap_ok(t >= 0, "it is offered at once");
	k = offer_user(1);
	arrive(&old);
	tap_is(info_of(t).relid, m[46], "its number is the same");
	tap_is(info_of(k).relid, relid, "and its device's");
	close(h);
	close(s);
	/* the connection ends, and with it the sub-channel; then its file is closed */
	post(unload, sizeof(unload));
	tap_is(receive(m, 2), 17, "unloaded");
	close(t);
	tap_is(info_of(k).relid, 0, "nobody knows the device");
	close(k);
	ov_vm_destroy(&vm);
}

static volatile uint32_t *word(uint32_t gpa)
{
	return (uint32_t *)(vm.ram + gpa);
}

/* it answers a hundred packets more, without an end */
static bool answers(struct ov_thread *t)
{
	uint32_t n = *word(COUNT);

	ov_thread_start(t, vm.vp);
	return soon(*word(COUNT) - n > 100 || t->done) && !t->done;
}

/* a channel of ours, by the library */
struct server {
	pthread_t thread;
	struct ovid_channel *channel;
	int quit;
};

static void *serve(void *arg)
{
	struct server *s = arg;

	return (void *)(intptr_t)echo_serve(s->channel, s->quit, NULL);
}

static struct server *serve_start(void)
{
	struct server *s = calloc(1, sizeof(*s));

	s->quit = eventfd(0, 0);
	if (ovid_channel_adopt(offer_user(1), -1, &s->channel))
		tap_bail("no channel to serve");
	pthread_create(&s->thread, NULL, serve, s);
	return s;
}

static void serve_stop(struct server *s)
{
	void *ret;

	eventfd_write(s->quit, 1);
	pthread_join(s->thread, &ret);
	if (ret)
		tap_is((intptr_t)ret, 0, "it was served to the end");
}

static void serve_end(struct server *s)
{
	ovid_channel_close(s->channel);
	close(s->quit);
	free(s);
}

/* the same in another partition, by another file; its program has stopped */
static void go_on(struct ov_vm *old, struct server **s, int *h)
{
	struct server *before = *s;
	int file = *h;

	if (before)
		*s = serve_start();
	else
		*h = offer(vm.part, "echo", 0);
	arrive(old);
	if (before)
		serve_end(before);
	else
		close(file);
}

static uint32_t open_served(struct server **s)
{
	uint32_t relid = 0, m[5] = {};

	start();
	create(vm.part, 0);
	*s = serve_start();
	connect_guest(&relid);
	post_gpadl(relid);
	post_open_words(relid, 0);
	tap_ok(receive(m, 5) == OPEN_RESULT && !m[4], "an echo of ours is open");
	return relid;
}

/*
 * The channel is in use when the partition is left, wherever the guest is in its loop; by the
 * kernel's provider, or one of ours.
 */
static void traffic(unsigned int moves, bool ours)
{
	struct ovid_reg r[18] = {}, begin = { HV_X64_REGISTER_RIP, {}, TRAFFIC };
	struct server *s = NULL;
	struct ov_thread t;
	uint32_t relid;
	struct ov_vm old;
	int h = -1;

	relid = ours ? open_served(&s) : open_echo(&h, 0);
	memcpy(vm.ram + TRAFFIC, traffic32, CODE_LEN(traffic32));
	*word(CONNECTION) = connection(relid);
	ov_set_regs(vm.vp, &begin, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(r); i++)
		r[i].name = HV_X64_REGISTER_RAX + i;
	tap_ok(answers(&t), "packets come back");
	for (unsigned int i = 0; i < moves; i++) {
		ov_thread_join(&t, 1000);
		if (ov_get_regs(vm.vp, r, ARRAY_SIZE(r)))
			tap_ok(false, "the VP's registers");
		if (ours)
			serve_stop(s);
		old = leave();
		ov_set_regs(vm.vp, r, ARRAY_SIZE(r));
		go_on(&old, &s, &h);
		if (!tap_ok(answers(&t), "and go on, in partition %u", i + 1))
			break;
	}
	ov_thread_join(&t, 1000);
	tap_is(vm.run->exit, OVID_EXIT_NONE, "none was wrong");
	if (ours) {
		serve_stop(s);
		serve_end(s);
	} else {
		close(h);
	}
	ov_vm_destroy(&vm);
}

/* ---- what fails ---- */

/* pages that are pinned, user memory only */
static long pinned(void)
{
	char line[256];
	long n, sum = 0;
	FILE *f;

	/* each processor counts for itself, up to then */
	f = fopen("/proc/sys/vm/stat_refresh", "r");
	if (f)
		fgetc(f);
	if (f)
		fclose(f);
	f = fopen("/proc/vmstat", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "nr_foll_pin_acquired %ld", &n) == 1)
			sum += n;
		if (sscanf(line, "nr_foll_pin_released %ld", &n) == 1)
			sum -= n;
	}
	if (f)
		fclose(f);
	return sum;
}

/* the rings' pages are the process's own from here on */
static void use_user_memory(void)
{
	uint8_t was[8 * 4096];

	memcpy(was, vm.ram + RING, sizeof(was));
	mmap(vm.ram + RING, sizeof(was), PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memcpy(vm.ram + RING, was, sizeof(was));
	ov_unmap(vm.part, RING, 8 * 4096);
	if (ov_map_user(vm.part, RING, 8 * 4096, vm.ram + RING))
		tap_ok(false, "user memory is mapped");
}

/* memory of the rings that is not there; each failure leaves the bus as it was */
static void no_memory(void)
{
	struct ov_vm old;
	uint32_t relid, *word;
	long before;
	int h, k;

	start();
	create(vm.part, 0);
	h = offer_user(1);
	relid = open_user(h);
	old = leave();
	k = offer_user(1);
	ov_unmap(vm.part, RING, 8 * 4096);
	tap_is(restore(vm.part), -EFAULT, "its ring is not there");
	ov_map_flags(vm.part, RING, 8 * 4096, vm.memory, RING, OVID_MAP_FD);
	tap_is(restore(vm.part), -EFAULT, "or is read-only");
	use_user_memory();
	before = pinned();
	/* the last thing that can be wrong: what is behind the channels */
	memset(state + state_bytes, 0, 16);
	state_bytes += 16;
	tap_is(restore(vm.part), -EINVAL, "a section too many");
	state_bytes -= 16;
	tap_is(pinned(), before, "no page stays pinned");
	word = section(5, 0);
	word[12] ^= 1;	/* the open channel's ring */
	tap_is(restore(vm.part), -EINVAL, "a ring that is not there");
	word[12] ^= 1;
	tap_is(pinned(), before, "no page stays pinned");
	tap_is(info_of(k).state, OVID_CHANNEL_CLOSED, "nothing has happened to its channel");
	tap_is(info_of(k).relid, 0, "at all");
	arrive(&old);
	tap_is(pinned(), before + 4, "four pages of a ring are");
	close(h);
	served(k, relid);
	close(k);
	ov_vm_destroy(&vm);
	tap_ok(soon(pinned() == before), "and are let go of");
}

/* other channels than those of the state */
static void other_channels(void)
{
	struct ov_vm old;
	uint32_t relid;
	int h, k, l;

	start();
	create(vm.part, 0);
	h = offer_user(1);
	relid = open_user(h);
	old = leave();
	tap_is(restore(vm.part), -ENOENT, "it is not offered");
	l = offer(vm.part, "echo", 1);
	tap_is(restore(vm.part), -EINVAL, "another provider, which has a state of its own");
	close(l);
	l = offer(vm.part, "echo", 2);
	k = offer_user(1);
	tap_is(restore(vm.part), -EINVAL, "one more");
	close(l);
	arrive(&old);
	close(h);
	served(k, relid);
	close(k);
	ov_vm_destroy(&vm);
}

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

/* a bus with everything, of which some bytes are others; the guest that has it goes on somehow */
static void any_state(unsigned int rounds)
{
	static const char *const names[] = { "", "echo", "heartbeat", "timesync", "kvp", "shutdown" };
	uint32_t before = ov_partitions(), relid, taken = 0;
	int h[ARRAY_SIZE(names)], k[ARRAY_SIZE(names)];
	uint64_t seed = 5, bytes;
	struct ov_vm old;

	start();
	create(vm.part, 0);
	for (unsigned int i = 1; i < ARRAY_SIZE(names); i++)
		h[i] = offer(vm.part, names[i], 0);
	h[0] = offer_user(7);
	relid = open_user(h[0]);
	old = leave();
	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int n = 0; n < ARRAY_SIZE(names); n++)
			k[n] = n ? offer(vm.part, names[n], 0) : offer_user(7);
		for (unsigned int n = 0; n < 200; n++) {
			memcpy(forged, state, state_bytes);
			for (unsigned int c = draw(&seed) % 4 + 1; c; c--)
				forged[draw(&seed) % state_bytes] = draw(&seed);
			bytes = draw(&seed) % 8 ? state_bytes : draw(&seed) % (state_bytes + 1);
			if (state_call(vm.part, OVID_STATE_RESTORE, forged, &bytes))
				continue;
			taken++;
			ov_ctrl(vm.part, OVID_CTRL_RESUME);
			call(SIGNAL | FAST, connection(relid));
			post_relid(CLOSE, relid);
			ov_ctrl(vm.part, OVID_CTRL_PAUSE);
			break;
		}
		for (unsigned int n = 0; n < ARRAY_SIZE(names); n++)
			close(k[n]);
		ov_vm_destroy(&vm);
		vm = old;
		old = renew(false);
	}
	tap_ok(taken > rounds / 4, "of %u changed states some were taken: %u", rounds, taken);
	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		k[n] = n ? offer(vm.part, names[n], 0) : offer_user(7);
		close(h[n]);
	}
	arrive(&old);
	served(k[0], relid);
	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++)
		close(k[n]);
	ov_vm_destroy(&vm);
	tap_ok(soon(ov_partitions() == before), "all is gone");
}

int main(void)
{
	tap_begin("abi-move", 180);
	rules();
	stands();
	user_channel();
	half_open();
	revoked();
	messages();
	nothing_delivered();
	kernel_channel();
	kernel_words();
	space();
	to_host();
	sub_channels();
	traffic(20, false);
	traffic(10, true);
	no_memory();
	other_channels();
	any_state(20);
	return tap_done();
}
