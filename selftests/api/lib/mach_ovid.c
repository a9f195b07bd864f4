// SPDX-License-Identifier: GPL-2.0-only
/*
 * mach.h by ovid: also the smallest complete worker there is.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ov.h"

static bool ovid_here(void)
{
	return access(OV_DEVICE, R_OK | W_OK) == 0;
}

static int ovid_create(struct mach *m, uint64_t ram)
{
	int ret;

	m->dev = ov_open();
	m->ram_bytes = ram;
	m->fd = ov_partition(m->dev, "guest-run");
	if (m->fd < 0)
		return m->fd;
	m->memory = ov_memory(m->dev, ram, 0);
	if (m->memory < 0)
		return m->memory;
	m->ram = mmap(NULL, ram, PROT_READ | PROT_WRITE, MAP_SHARED, m->memory, 0);
	if (m->ram == MAP_FAILED)
		return -errno;
	ret = ov_map_fd(m->fd, 0, ram, m->memory, 0);
	return ret;
}

static int ovid_rom(struct mach *m, uint64_t gpa)
{
	return ov_map_flags(m->fd, gpa, 4096, m->memory, m->ram_bytes - 4096,
			    OVID_MAP_EXEC | OVID_MAP_FD);
}

static int ovid_create_vp(struct mach *m, int index)
{
	struct mach_vp *vp = &m->vp[m->nr_vps];

	vp->mach = m;
	vp->index = index;
	vp->extint = -1;
	vp->fd = ov_vp(m->fd, index);
	if (vp->fd < 0)
		return vp->fd;
	vp->run = ov_run_page(vp->fd);
	vp->page = ov_register_page(vp->fd);
	m->nr_vps++;
	return 0;
}

static int ovid_set_cpu(struct mach_vp *vp, const struct mach_cpu *cpu)
{
	return ov_set_cpu(vp->fd, cpu);
}

static void ovid_run(struct mach_vp *vp, struct mach_exit *x)
{
	static const enum mach_exit_kind kinds[] = {
		[OVID_EXIT_NONE] = MX_NONE, [OVID_EXIT_IO] = MX_IO,
		[OVID_EXIT_IO_STRING] = MX_IO_STRING, [OVID_EXIT_MMIO] = MX_MMIO,
		[OVID_EXIT_MMIO_RAW] = MX_MMIO_RAW, [OVID_EXIT_EOI] = MX_EOI,
		[OVID_EXIT_EXTINT] = MX_EXTINT, [OVID_EXIT_SHUTDOWN] = MX_SHUTDOWN,
		[OVID_EXIT_MSR] = MX_MSR, [OVID_EXIT_FAIL] = MX_FAIL,
		[OVID_EXIT_RESET] = MX_RESET, [OVID_EXIT_CRASH] = MX_CRASH,
	};
	struct ovid_run *run = vp->run;
	int ret = ov_run(vp->fd);

	memset(x, 0, sizeof(*x));
	if (ret == 1 || ret == -EINTR)
		return;
	if (ret || run->exit >= ARRAY_SIZE(kinds)) {
		x->kind = MX_ERROR;
		x->value = ret ? (uint32_t)-ret : 1000 + run->exit;
		return;
	}
	x->kind = kinds[run->exit];
	x->write = run->write;
	x->size = run->access_size;
	x->vector = run->vector;
	x->addr = run->address;
	x->value = run->value;
	x->nr_bytes = run->insn_len;
	memcpy(x->bytes, run->bytes, sizeof(x->bytes));
	if (x->kind == MX_FAIL) {
		x->addr = run->fail_error;
		x->value = run->fail_qualification;
	}
	if (x->kind == MX_EXTINT) {
		run->value = vp->extint >= 0 ? vp->extint : 256;
		vp->extint = -1;
		ov_inject(vp->mach->fd, OVID_INJECT_EXTINT, vp->index, 0);
	}
}

static void ovid_answer(struct mach_vp *vp, uint64_t value)
{
	((struct ovid_run *)vp->run)->value = value;
}

static void ovid_stop(struct mach_vp *vp)
{
	__atomic_store_n(&((struct ovid_run *)vp->run)->cancel, 1, __ATOMIC_SEQ_CST);
	if (vp->running)
		pthread_kill(vp->thread, SIGUSR1);
}

static int ovid_msi(struct mach *m, uint64_t address, uint32_t data)
{
	return ov_inject(m->fd, OVID_INJECT_MSI, address, data);
}

static int ovid_nmi(struct mach_vp *vp)
{
	return ov_inject(vp->mach->fd, OVID_INJECT_NMI, vp->index, 0);
}

static int ovid_extint(struct mach_vp *vp, int vector)
{
	vp->extint = vector;
	return ov_inject(vp->mach->fd, OVID_INJECT_EXTINT, vp->index, 1);
}

static void ovid_skip(struct mach_vp *vp, unsigned int len)
{
	struct hv_vp_register_page *p = vp->page;

	p->rip += len;
	p->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
}

struct string_insn {
	unsigned int len, size, addr_size;
	bool rep, in;
	int seg;		/* override: 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS; -1 none */
};

static int decode_string(const struct hv_vp_register_page *p, const uint8_t *b,
			 unsigned int len, struct string_insn *s)
{
	bool long_mode = p->efer & 0x400 && p->cs.attributes & 1 << 13;
	bool big = p->cs.attributes & 1 << 14;
	bool op66 = false, ad67 = false;
	unsigned int i;

	*s = (struct string_insn){ .seg = -1 };
	for (i = 0; i < len; i++) {
		switch (b[i]) {
		case 0x26: s->seg = 0; continue;
		case 0x2e: s->seg = 1; continue;
		case 0x36: s->seg = 2; continue;
		case 0x3e: s->seg = 3; continue;
		case 0x64: s->seg = 4; continue;
		case 0x65: s->seg = 5; continue;
		case 0x66: op66 = true; continue;
		case 0x67: ad67 = true; continue;
		case 0xf2: case 0xf3: s->rep = true; continue;
		}
		if (long_mode && (b[i] & 0xf0) == 0x40)
			continue;
		if (b[i] < 0x6c || b[i] > 0x6f)
			return -EINVAL;
		s->in = b[i] < 0x6e;
		s->size = !(b[i] & 1) ? 1 : (long_mode || big) != op66 ? 4 : 2;
		s->addr_size = long_mode ? (ad67 ? 4 : 8) : big != ad67 ? 4 : 2;
		s->len = i + 1;
		return 0;
	}
	return -EINVAL;
}

static uint64_t cut(uint64_t v, unsigned int size)
{
	return size == 8 ? v : v & ((1ull << size * 8) - 1);
}

static void put(__u64 *reg, uint64_t v, unsigned int size)
{
	*reg = size == 2 ? (*reg & ~0xffffull) | cut(v, 2) : cut(v, size);
}

/* guests map linear to physical addresses one to one */
static int ovid_string(struct mach_vp *vp, struct mach_exit *x,
		       void (*port)(struct mach_vp *vp, struct mach_exit *x))
{
	struct hv_vp_register_page *p = vp->page;
	struct hv_x64_segment_register *segs = &p->es;
	struct string_insn s;
	unsigned int turns = 0;
	uint64_t count;
	__u64 *index;
	int ret;

	ret = decode_string(p, x->bytes, x->nr_bytes, &s);
	if (ret)
		return ret;
	index = &p->gpr[s.in ? 7 : 6];
	count = s.rep ? cut(p->gpr[1], s.addr_size) : 1;
	while (count && turns++ < 4096) {
		uint64_t base = s.in ? p->es.base : segs[s.seg < 0 ? 3 : s.seg].base;
		uint64_t at = base + cut(*index, s.addr_size);
		struct mach_exit one = {
			.kind = MX_IO, .write = !s.in, .size = s.size,
			.addr = p->gpr[2] & 0xffff,
		};

		if (at + s.size > vp->mach->ram_bytes)
			return -EFAULT;
		if (!s.in)
			memcpy(&one.value, vp->mach->ram + at, s.size);
		port(vp, &one);
		if (s.in)
			memcpy(vp->mach->ram + at, &one.value, s.size);
		put(index, *index + (p->rflags & 0x400 ? -(int64_t)s.size : (int64_t)s.size), s.addr_size);
		if (s.rep)
			put(&p->gpr[1], count - 1, s.addr_size);
		count--;
	}
	if (!count)
		p->rip += s.len;
	p->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL | 1u << HV_X64_REGISTER_CLASS_IP;
	return 0;
}

static void ovid_destroy(struct mach *m)
{
	for (int i = 0; i < m->nr_vps; i++) {
		munmap(m->vp[i].run, 4096);
		munmap(m->vp[i].page, 4096);
		close(m->vp[i].fd);
	}
	munmap(m->ram, m->ram_bytes);
	close(m->memory);
	close(m->fd);
	close(m->dev);
}

const struct mach_ops mach_ovid = {
	.name = "ovid",
	.here = ovid_here,
	.create = ovid_create,
	.rom = ovid_rom,
	.create_vp = ovid_create_vp,
	.set_cpu = ovid_set_cpu,
	.run = ovid_run,
	.answer = ovid_answer,
	.stop = ovid_stop,
	.msi = ovid_msi,
	.nmi = ovid_nmi,
	.extint = ovid_extint,
	.skip = ovid_skip,
	.string = ovid_string,
	.destroy = ovid_destroy,
};
