// SPDX-License-Identifier: GPL-2.0-only
/* kvm.c - the benchmark's machine by /dev/kvm */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

static int must(int ret, const char *what)
{
	if (ret < 0)
		b_die("%s", what);
	return ret;
}

static void kvm_memory(struct b_vm *vm, uint64_t touch, enum b_memory kind)
{
	const uint64_t align = 2 << 20;
	uint8_t *p;

	/* a file: rings are mapped a second time */
	vm->memory = must(memfd_create("low", 0), "memfd_create");
	must(ftruncate(vm->memory, B_LOW), "ftruncate");
	vm->low = mmap(NULL, B_LOW, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory, 0);
	vm->touch_bytes = touch;
	if (!touch)
		return;
	p = mmap(NULL, touch + align, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		b_die("mmap");
	vm->touch = (uint8_t *)(((uintptr_t)p + align - 1) & ~(align - 1));
	madvise(vm->touch, touch, kind == B_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void slot(struct b_vm *vm, int n, uint64_t gpa, void *at, uint64_t bytes)
{
	struct kvm_userspace_memory_region r = {
		.slot = n, .guest_phys_addr = gpa, .memory_size = bytes,
		.userspace_addr = (uintptr_t)at,
	};

	must(ioctl(vm->part, KVM_SET_USER_MEMORY_REGION, &r), "KVM_SET_USER_MEMORY_REGION");
}

static void kvm_create(struct b_vm *vm)
{
	uint64_t identity = 0xfffbc000;

	vm->part = must(ioctl(vm->dev, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	ioctl(vm->part, KVM_SET_TSS_ADDR, 0xfffbd000);
	ioctl(vm->part, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (vm->irqchip)
		must(ioctl(vm->part, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	slot(vm, 0, 0, vm->low, B_LOW);
	if (vm->touch_bytes)
		slot(vm, 1, B_TOUCH, vm->touch, vm->touch_bytes);
	vm->vp = must(ioctl(vm->part, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
}

static void segments(struct b_vm *vm)
{
	struct kvm_sregs s;

	must(ioctl(vm->vp, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
	s.cs = (struct kvm_segment){ .limit = ~0u, .selector = 8, .type = 11, .present = 1,
				     .db = 1, .s = 1, .g = 1 };
	s.ds = (struct kvm_segment){ .limit = ~0u, .selector = 16, .type = 3, .present = 1,
				     .db = 1, .s = 1, .g = 1 };
	s.es = s.ss = s.fs = s.gs = s.ds;
	s.gdt.base = B_GDT;
	s.gdt.limit = 23;
	s.idt.base = B_IDT;
	s.idt.limit = 8 * 256 - 1;
	s.cr0 |= 1;
	must(ioctl(vm->vp, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
}

struct cpuid { struct kvm_cpuid2 c; struct kvm_cpuid_entry2 e[256]; };

/* Hyper-V's leaves take the place of KVM's own */
static void hyperv(struct b_vm *vm, struct cpuid *t)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC2 };
	struct cpuid hv = { .c.nent = 32 };
	uint32_t kept = 0;

	must(ioctl(vm->vp, KVM_ENABLE_CAP, &synic), "KVM_CAP_HYPERV_SYNIC2");
	must(ioctl(vm->vp, KVM_GET_SUPPORTED_HV_CPUID, &hv), "KVM_GET_SUPPORTED_HV_CPUID");
	for (uint32_t i = 0; i < t->c.nent; i++)
		if (t->e[i].function >> 28 != 4)
			t->e[kept++] = t->e[i];
	memcpy(&t->e[kept], hv.e, hv.c.nent * sizeof(hv.e[0]));
	t->c.nent = kept + hv.c.nent;
}

static void kvm_setup(struct b_vm *vm)
{
	struct cpuid t = { .c.nent = 200 };

	must(ioctl(vm->dev, KVM_GET_SUPPORTED_CPUID, &t), "KVM_GET_SUPPORTED_CPUID");
	for (uint32_t i = 0; i < t.c.nent; i++)
		if (t.e[i].function == 1)
			t.e[i].ecx |= 1u << 31 | 1u << 24 | 1u << 21;
	if (vm->hv)
		hyperv(vm, &t);
	must(ioctl(vm->vp, KVM_SET_CPUID2, &t), "KVM_SET_CPUID2");
	vm->run_bytes = ioctl(vm->dev, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vp, 0);
	if (vm->run == MAP_FAILED)
		b_die("mmap of the run page");
	segments(vm);
	vm->stats = ioctl(vm->vp, KVM_GET_STATS_FD, NULL);
}

/* it does not wait for a SIPI */
static void kvm_second(const struct b_vm *vm, struct b_vm *second)
{
	struct kvm_mp_state runs = { .mp_state = KVM_MP_STATE_RUNNABLE };

	*second = *vm;
	second->vp = must(ioctl(vm->part, KVM_CREATE_VCPU, 1), "KVM_CREATE_VCPU");
	kvm_setup(second);
	must(ioctl(second->vp, KVM_SET_MP_STATE, &runs), "KVM_SET_MP_STATE");
}

static void kvm_close_vp(struct b_vm *vm)
{
	if (vm->run)
		munmap(vm->run, vm->run_bytes);
	if (vm->stats > 0)
		close(vm->stats);
	close(vm->vp);
}

static void kvm_bells(struct b_vm *vm)
{
	struct kvm_ioeventfd e = { .addr = B_BELL, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO };

	e.fd = vm->bell = eventfd(0, 0);
	must(ioctl(vm->part, KVM_IOEVENTFD, &e), "KVM_IOEVENTFD");
	/* any length and value: KVM's fast MMIO bus */
	e = (struct kvm_ioeventfd){ .addr = B_MMIO_BELL };
	e.fd = vm->mmio_bell = eventfd(0, 0);
	must(ioctl(vm->part, KVM_IOEVENTFD, &e), "KVM_IOEVENTFD");
}

static int kvm_msi(struct b_vm *vm)
{
	struct kvm_msi m = { .address_lo = 0xfee00000, .data = B_VEC };

	return ioctl(vm->part, KVM_SIGNAL_MSI, &m);
}

#define SINT_GSI	24

static void kvm_sint(struct b_vm *vm)
{
	struct { struct kvm_irq_routing r; struct kvm_irq_routing_entry e; } table = {
		.r.nr = 1,
		.e = { .gsi = SINT_GSI, .type = KVM_IRQ_ROUTING_HV_SINT, .u.hv_sint.sint = B_SINT },
	};

	must(ioctl(vm->part, KVM_SET_GSI_ROUTING, &table), "KVM_SET_GSI_ROUTING");
}

static int kvm_raise_sint(struct b_vm *vm)
{
	struct kvm_irq_level line = { .irq = SINT_GSI, .level = 1 };

	return ioctl(vm->part, KVM_IRQ_LINE, &line);
}

static void kvm_events(struct b_vm *vm)
{
	struct kvm_hyperv_eventfd e = { .conn_id = B_CONNECTION };

	e.fd = vm->bell = eventfd(0, 0);
	must(ioctl(vm->part, KVM_HYPERV_EVENTFD, &e), "KVM_HYPERV_EVENTFD");
	kvm_sint(vm);
}

/* the flag is the program's to set */
static int kvm_event(struct b_vm *vm)
{
	__atomic_or_fetch((uint32_t *)(vm->low + B_HV_EVENTS + 256 * B_SINT), 1, __ATOMIC_SEQ_CST);
	return kvm_raise_sint(vm);
}

/*
 * HvCallPostMessage is the program's: the VP's thread takes the message out of
 * guest memory and rings, or answers itself.
 */
static void kvm_messages(struct b_vm *vm)
{
	vm->bell = eventfd(0, 0);
	kvm_sint(vm);
}

static void kvm_posts(struct b_vm *vm)
{
	vm->posts = true;
	kvm_sint(vm);
}

static struct b_post posted;

/* the message slot is the program's to fill */
static void answer(struct b_vm *vm)
{
	struct slot {
		uint32_t type;
		uint8_t bytes, flags, pad[2];
		uint64_t sender;
		uint8_t payload[240];
	} *slot = (struct slot *)(vm->low + B_HV_MESSAGES + 256 * B_SINT);

	/* the guest empties its slot before it posts */
	if (__atomic_load_n(&slot->type, __ATOMIC_ACQUIRE))
		b_die("the slot is full");
	slot->bytes = posted.bytes;
	slot->flags = 0;
	slot->sender = 0;
	memcpy(slot->payload, posted.payload, posted.bytes);
	__atomic_store_n(&slot->type, posted.type, __ATOMIC_RELEASE);
	must(kvm_raise_sint(vm), "KVM_IRQ_LINE");
}

static bool kvm_message(struct b_vm *vm)
{
	if (!b_bell(vm))
		return false;
	answer(vm);
	return true;
}

static void kvm_posted(struct b_vm *vm, struct kvm_hyperv_exit *exit)
{
	uint64_t one = 1;

	if ((exit->u.hcall.input & 0xffff) != B_POST ||
	    exit->u.hcall.params[0] > B_LOW - sizeof(posted))
		b_die("hypercall %llx", (long long)exit->u.hcall.input);
	memcpy(&posted, vm->low + exit->u.hcall.params[0], sizeof(posted));
	exit->u.hcall.result = 0;
	if (vm->posts)
		answer(vm);
	else if (write(vm->bell, &one, 8) != 8)
		b_die("eventfd");
}

/* ---- a channel's rings, with a doorbell and an MSI ---- */

#define CHANNEL_GSI	25

static void kvm_irqfd(struct b_vm *vm)
{
	struct { struct kvm_irq_routing r; struct kvm_irq_routing_entry e; } table = {
		.r.nr = 1,
		.e = { .gsi = CHANNEL_GSI, .type = KVM_IRQ_ROUTING_MSI,
		       .u.msi = { .address_lo = 0xfee00000, .data = B_VEC } },
	};
	struct kvm_irqfd e = { .gsi = CHANNEL_GSI };

	e.fd = vm->channel = eventfd(0, 0);
	must(ioctl(vm->part, KVM_SET_GSI_ROUTING, &table), "KVM_SET_GSI_ROUTING");
	must(ioctl(vm->part, KVM_IRQFD, &e), "KVM_IRQFD");
}

/* the rings at B_OUT and B_IN, the data of each twice in a row */
static void *kvm_open(struct b_vm *vm, struct b_chan *c, enum b_server server, bool sink)
{
	const size_t ring = 4096 + B_RING_BYTES, all = ring + B_RING_BYTES;
	uint8_t *map = mmap(NULL, 2 * all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 2; i++) {
		const off_t at = i ? B_IN : B_OUT;

		if (mmap(map + i * all, ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 vm->memory, at) == MAP_FAILED ||
		    mmap(map + i * all + ring, B_RING_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, vm->memory, at + 4096) == MAP_FAILED)
			b_die("mmap of rings");
	}
	kvm_bells(vm);
	kvm_irqfd(vm);
	return map;
}

static int kvm_signal(struct b_vm *vm)
{
	const uint64_t one = 1;

	return write(vm->channel, &one, 8);
}

static void kvm_enter(struct b_vm *vm, uint32_t eip, uint32_t esi)
{
	struct kvm_regs r = { .rip = eip, .rflags = 2, .rsp = B_STACK, .rbp = B_CTL, .rsi = esi };

	must(ioctl(vm->vp, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static void kvm_loop(struct b_vm *vm)
{
	struct kvm_run *run = vm->run;

	for (;;) {
		if (ioctl(vm->vp, KVM_RUN, 0)) {
			if (errno == EINTR)
				continue;
			b_die("KVM_RUN");
		}
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			if (run->io.port == B_DONE)
				return;
			if (run->io.port == B_MSI)
				kvm_msi(vm);
			else if (run->io.port != B_PIO)
				b_die("port %x", run->io.port);
			break;
		case KVM_EXIT_HYPERV:	/* or the guest placed its SynIC's pages */
			if (run->hyperv.type == KVM_EXIT_HYPERV_HCALL)
				kvm_posted(vm, &run->hyperv);
			break;
		case KVM_EXIT_MMIO:
			if (run->mmio.phys_addr != B_MMIO)
				b_die("MMIO %llx", (long long)run->mmio.phys_addr);
			break;
		default:
			b_die("exit %u", run->exit_reason);
		}
	}
}

/* "exits" of KVM's binary statistics */
static double kvm_exits(struct b_vm *vm)
{
	struct kvm_stats_header h;
	struct kvm_stats_desc *d;
	double exits = -1;
	uint64_t v;

	if (vm->stats < 0 || pread(vm->stats, &h, sizeof(h), 0) != sizeof(h))
		return exits;
	d = malloc(sizeof(*d) + h.name_size);
	for (uint32_t i = 0; i < h.num_desc; i++) {
		uint64_t at = h.desc_offset + i * (sizeof(*d) + h.name_size);

		if (pread(vm->stats, d, sizeof(*d) + h.name_size, at) > 0 &&
		    !strcmp(d->name, "exits") &&
		    pread(vm->stats, &v, 8, h.data_offset + d->offset) == 8)
			exits = v;
	}
	free(d);
	return exits;
}

static void kvm_destroy(struct b_vm *vm)
{
	kvm_close_vp(vm);
	if (vm->channel)
		close(vm->channel);
	close(vm->part);
	munmap(vm->low, B_LOW);
	close(vm->memory);
	if (vm->touch_bytes)
		munmap(vm->touch, vm->touch_bytes);
}

const struct b_driver b_kvm = {
	.name = "kvm",
	.memory = kvm_memory,
	.create = kvm_create,
	.setup = kvm_setup,
	.second = kvm_second,
	.close_vp = kvm_close_vp,
	.bells = kvm_bells,
	.msi = kvm_msi,
	.events = kvm_events,
	.event = kvm_event,
	.messages = kvm_messages,
	.message = kvm_message,
	.messages_end = b_bell_end,
	.posts = kvm_posts,
	.open = kvm_open,
	.signal = kvm_signal,
	.enter = kvm_enter,
	.loop = kvm_loop,
	.exits = kvm_exits,
	.destroy = kvm_destroy,
};
