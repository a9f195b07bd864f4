// SPDX-License-Identifier: GPL-2.0-only
/*
 * mach.h by KVM, with the local APIC in the kernel and all else outside, as in
 * ovid.  KVM's own emulator answers string I/O and raw MMIO.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mach.h"

static bool kvm_here(void)
{
	return access("/dev/kvm", R_OK | W_OK) == 0;
}

static int call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int kvm_create(struct mach *m, uint64_t ram)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_userspace_memory_region r = { .memory_size = ram };
	struct kvm_irq_routing *table;
	uint64_t identity = 0xfeffc000;
	int ret;

	m->ram_bytes = ram;
	m->dev = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	m->fd = call(m->dev, KVM_CREATE_VM, NULL);
	if (m->fd < 0)
		return m->fd;
	ioctl(m->fd, KVM_SET_TSS_ADDR, 0xfeffd000);
	ioctl(m->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	m->ram = mmap(NULL, ram, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		      MAP_NORESERVE, -1, 0);
	if (m->ram == MAP_FAILED)
		return -errno;
	r.userspace_addr = (uintptr_t)m->ram;
	ret = call(m->fd, KVM_SET_USER_MEMORY_REGION, &r);
	if (!ret)
		ret = call(m->fd, KVM_ENABLE_CAP, &cap);
	if (ret)
		return ret;
	/* one IOAPIC pin, level-triggered vector 0x61: EOIs of it exit */
	table = calloc(1, sizeof(*table) + sizeof(table->entries[0]));
	table->nr = 1;
	table->entries[0] = (struct kvm_irq_routing_entry){
		.gsi = 5, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0xc061 },
	};
	ret = call(m->fd, KVM_SET_GSI_ROUTING, table);
	free(table);
	return ret;
}

static int set_cpuid(struct mach *m, int fd, int index)
{
	struct { struct kvm_cpuid2 c; struct kvm_cpuid_entry2 e[256]; } t = { .c.nent = 256 };

	if (ioctl(m->dev, KVM_GET_SUPPORTED_CPUID, &t))
		return -errno;
	for (uint32_t i = 0; i < t.c.nent; i++) {
		if (t.e[i].function == 1) {
			t.e[i].ebx = (t.e[i].ebx & 0xffffff) | (uint32_t)index << 24;
			t.e[i].ecx |= 1u << 31 | 1u << 24 | 1u << 21;
			t.e[i].ecx &= ~(1u << 5);		/* no VMX */
		}
		if (t.e[i].function == 0xb)
			t.e[i].edx = index;
	}
	return call(fd, KVM_SET_CPUID2, &t);
}

static int kvm_rom(struct mach *m, uint64_t gpa)
{
	struct kvm_userspace_memory_region r = {
		.slot = 1, .flags = KVM_MEM_READONLY, .guest_phys_addr = gpa, .memory_size = 4096,
		.userspace_addr = (uintptr_t)(m->ram + m->ram_bytes - 4096),
	};

	return call(m->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

static int kvm_create_vp(struct mach *m, int index)
{
	struct mach_vp *vp = &m->vp[m->nr_vps];

	vp->mach = m;
	vp->index = index;
	vp->extint = -1;
	vp->fd = ioctl(m->fd, KVM_CREATE_VCPU, index);
	if (vp->fd < 0)
		return -errno;
	vp->run_bytes = ioctl(m->dev, KVM_GET_VCPU_MMAP_SIZE, 0);
	vp->run = mmap(NULL, vp->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vp->fd, 0);
	if (vp->run == MAP_FAILED)
		return -errno;
	m->nr_vps++;
	return set_cpuid(m, vp->fd, index);
}

static struct kvm_segment seg(const struct mach_seg *s)
{
	return (struct kvm_segment){
		.base = s->base, .limit = s->limit, .selector = s->sel,
		.type = s->attr & 15, .s = s->attr >> 4 & 1, .dpl = s->attr >> 5 & 3,
		.present = s->attr >> 7 & 1, .avl = s->attr >> 12 & 1,
		.l = s->attr >> 13 & 1, .db = s->attr >> 14 & 1, .g = s->attr >> 15 & 1,
		.unusable = !(s->attr >> 7 & 1),
	};
}

static int kvm_set_cpu(struct mach_vp *vp, const struct mach_cpu *cpu)
{
	struct kvm_regs r = { .rip = cpu->rip, .rflags = cpu->rflags };
	const uint64_t *g = cpu->gpr;
	struct kvm_sregs s;

	if (ioctl(vp->fd, KVM_GET_SREGS, &s))
		return -errno;
	s.es = seg(&cpu->es);
	s.cs = seg(&cpu->cs);
	s.ss = seg(&cpu->ss);
	s.ds = seg(&cpu->ds);
	s.fs = seg(&cpu->fs);
	s.gs = seg(&cpu->gs);
	s.ldt = seg(&cpu->ldtr);
	s.tr = seg(&cpu->tr);
	s.gdt = (struct kvm_dtable){ .base = cpu->gdt_base, .limit = cpu->gdt_limit };
	s.idt = (struct kvm_dtable){ .base = cpu->idt_base, .limit = cpu->idt_limit };
	s.cr0 = cpu->cr0;
	s.cr3 = cpu->cr3;
	s.cr4 = cpu->cr4;
	s.efer = cpu->efer;
	if (ioctl(vp->fd, KVM_SET_SREGS, &s))
		return -errno;
	r.rax = g[0]; r.rcx = g[1]; r.rdx = g[2]; r.rbx = g[3];
	r.rsp = g[4]; r.rbp = g[5]; r.rsi = g[6]; r.rdi = g[7];
	r.r8 = g[8]; r.r9 = g[9]; r.r10 = g[10]; r.r11 = g[11];
	r.r12 = g[12]; r.r13 = g[13]; r.r14 = g[14]; r.r15 = g[15];
	return call(vp->fd, KVM_SET_REGS, &r);
}

/* KVM gives several elements of a string instruction at once: one exit each here */
static bool next_element(struct mach_vp *vp, struct mach_exit *x)
{
	struct kvm_run *run = vp->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (!vp->reply_size)
		return false;
	data += (run->io.count - vp->reply_size) * run->io.size;
	vp->reply_size--;
	*x = (struct mach_exit){
		.kind = MX_IO, .write = run->io.direction == KVM_EXIT_IO_OUT,
		.size = run->io.size, .addr = run->io.port,
	};
	if (x->write)
		memcpy(&x->value, data, x->size);
	vp->reply = data;
	return true;
}

static void kvm_run(struct mach_vp *vp, struct mach_exit *x)
{
	struct kvm_run *run = vp->run;

	memset(x, 0, sizeof(*x));
	if (next_element(vp, x))
		return;
	if (__atomic_exchange_n(&vp->nmi, 0, __ATOMIC_SEQ_CST))
		ioctl(vp->fd, KVM_NMI, NULL);
	if (vp->extint >= 0 && run->ready_for_interrupt_injection) {
		struct kvm_interrupt irq = { .irq = vp->extint };

		vp->extint = -1;
		ioctl(vp->fd, KVM_INTERRUPT, &irq);
	}
	run->request_interrupt_window = vp->extint >= 0;
	if (ioctl(vp->fd, KVM_RUN, NULL)) {
		if (errno != EINTR && errno != EAGAIN) {
			x->kind = MX_ERROR;
			x->value = errno;
		}
		return;
	}
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		vp->reply_size = run->io.count;
		next_element(vp, x);
		break;
	case KVM_EXIT_MMIO:
		x->kind = MX_MMIO;
		x->write = run->mmio.is_write;
		x->size = run->mmio.len;
		x->addr = run->mmio.phys_addr;
		if (x->write)
			memcpy(&x->value, run->mmio.data, x->size);
		vp->reply = run->mmio.data;
		break;
	case KVM_EXIT_IOAPIC_EOI:
		x->kind = MX_EOI;
		x->vector = run->eoi.vector;
		break;
	case KVM_EXIT_SHUTDOWN:
		x->kind = MX_SHUTDOWN;
		break;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_INTR:
		break;
	case KVM_EXIT_FAIL_ENTRY:
	case KVM_EXIT_INTERNAL_ERROR:
		x->kind = MX_FAIL;
		x->value = run->exit_reason == KVM_EXIT_FAIL_ENTRY ?
			run->fail_entry.hardware_entry_failure_reason : run->internal.suberror;
		break;
	default:
		x->kind = MX_ERROR;
		x->value = 1000 + run->exit_reason;
	}
}

static void kvm_answer(struct mach_vp *vp, uint64_t value)
{
	if (vp->reply)
		memcpy(vp->reply, &value, 8);
}

static void kvm_stop(struct mach_vp *vp)
{
	((struct kvm_run *)vp->run)->immediate_exit = 1;
	if (vp->running)
		pthread_kill(vp->thread, SIGUSR1);
}

static int kvm_msi(struct mach *m, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = { .address_lo = address, .address_hi = address >> 32, .data = data };

	return call(m->fd, KVM_SIGNAL_MSI, &msi);
}

/* VCPU calls wait while it runs: its own thread makes them, after a signal */
static void interrupt_thread(struct mach_vp *vp)
{
	if (vp->running && !pthread_equal(vp->thread, pthread_self()))
		pthread_kill(vp->thread, SIGUSR1);
}

static int kvm_nmi(struct mach_vp *vp)
{
	__atomic_store_n(&vp->nmi, 1, __ATOMIC_SEQ_CST);
	interrupt_thread(vp);
	return 0;
}

static int kvm_extint(struct mach_vp *vp, int vector)
{
	vp->extint = vector;
	interrupt_thread(vp);
	return 0;
}

static void kvm_skip(struct mach_vp *vp, unsigned int len)
{
	(void)vp;
	(void)len;
}

static int kvm_string(struct mach_vp *vp, struct mach_exit *x,
		      void (*port)(struct mach_vp *vp, struct mach_exit *x))
{
	(void)vp;
	(void)x;
	(void)port;
	return -ENOSYS;
}

static void kvm_destroy(struct mach *m)
{
	for (int i = 0; i < m->nr_vps; i++) {
		munmap(m->vp[i].run, m->vp[i].run_bytes);
		close(m->vp[i].fd);
	}
	munmap(m->ram, m->ram_bytes);
	close(m->fd);
	close(m->dev);
}

const struct mach_ops mach_kvm = {
	.name = "kvm",
	.here = kvm_here,
	.create = kvm_create,
	.rom = kvm_rom,
	.create_vp = kvm_create_vp,
	.set_cpu = kvm_set_cpu,
	.run = kvm_run,
	.answer = kvm_answer,
	.stop = kvm_stop,
	.msi = kvm_msi,
	.nmi = kvm_nmi,
	.extint = kvm_extint,
	.skip = kvm_skip,
	.string = kvm_string,
	.destroy = kvm_destroy,
};
