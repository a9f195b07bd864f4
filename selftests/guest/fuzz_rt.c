// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_rt.c - accesses that may fault, interrupts of any vector, random values: see fuzz.h.
 */
#include "fuzz.h"

#define MSR_GS_BASE	0xc0000101

extern char fz_begin[], fz_end[], stubs[];

/* each is left from anywhere by popping the return address: see fault() */
asm(".pushsection .text; .globl fz_begin, fz_end, fz_rdmsr, fz_wrmsr, fz_load, fz_store, fz_call;"
    "fz_begin:"
    "fz_rdmsr: mov %edi, %ecx; rdmsr; shl $32, %rdx; or %rdx, %rax; xor %edx, %edx; ret;"
    "fz_wrmsr: mov %edi, %ecx; mov %esi, %eax; mov %rsi, %rdx; shr $32, %rdx; wrmsr;"
    "	xor %edx, %edx; ret;"
    "fz_load: mov (%rdi), %rax; xor %edx, %edx; ret;"
    "fz_store: mov %rsi, (%rdi); xor %edx, %edx; ret;"
    "fz_call: movups (%rcx), %xmm0; movups 16(%rcx), %xmm1; movups 32(%rcx), %xmm2;"
    "	movups 48(%rcx), %xmm3; movups 64(%rcx), %xmm4; movups 80(%rcx), %xmm5;"
    "	mov %rdx, %r8; mov %rsi, %rdx; mov %rdi, %rcx; vmcall; xor %edx, %edx; ret;"
    "fz_end: .popsection");

static struct fuzz *me(void)
{
	struct fuzz *f;

	asm volatile("mov %%gs:0, %0" : "=r"(f));
	return f;
}

static void fault(struct frame *fr)
{
	if (fr->ip < (ulong)fz_begin || fr->ip >= (ulong)fz_end) {
		is_(fr->vec, ~0ull, "an exception that nobody asked for");
		is_(fr->ip, 0, "... at");
		is_(cr2(), 0, "... and CR2");
		done();
	}
	me()->faults[fr->vec]++;
	fr->rdx = fr->vec;
	fr->ip = *(u64 *)fr->sp;
	fr->sp += 8;
}

static void timers_off(u64 base)
{
	for (u32 i = 0; i < 4; i++)
		wrmsr(MSR_CONFIG(i), 0);
	wrmsr(MSR_DEADLINE, 0);
	if (base & BASE_X2APIC)
		wrmsr(X2APIC(0x320), 0x10000 | APIC_SPURIOUS);
	else if (base & BASE_ENABLE)
		fz_store((base & ~(PAGE - 1)) + 0x320, 0x10000 | APIC_SPURIOUS);
}

/* in whatever mode the APIC is, wherever it is; there may be something else in its place */
static void irq(struct frame *fr)
{
	struct fuzz *f = me();
	u64 base = rdmsr(APIC_BASE_MSR);

	f->irqs++;
	f->vectors[fr->vec]++;
	if (base & BASE_X2APIC)
		wrmsr(X2APIC(0xb0), 0);
	else if (base & BASE_ENABLE)
		fz_store((base & ~(PAGE - 1)) + 0xb0, 0);
	/* on a slow host timers of 100 us may be all that a VP gets to see: no more of them */
	if (f->irqs - f->irqs_at > 100)
		timers_off(base);
}

static void nmi(struct frame *fr)
{
	(void)fr;
	me()->nmis++;
}

void fuzz_take_everything(void)
{
	for (u32 v = 0; v < 256; v++)
		handlers[v] = v < 16 ? fault : irq;
	handlers[2] = nmi;
	/* as interrupts these two push no error code: the stub of another, which has none */
	gate(17, (ulong)stubs + 32 * 16, SEL_CODE, 0x8e, 0);
	gate(21, (ulong)stubs + 32 * 16, SEL_CODE, 0x8e, 0);
}

void fuzz_fresh_apic(void)
{
	u64 base = APIC | (rdmsr(APIC_BASE_MSR) & BASE_BSP);

	wrmsr(APIC_BASE_MSR, base);
	wrmsr(APIC_BASE_MSR, base | BASE_ENABLE);
	wrmsr(APIC_BASE_MSR, base | BASE_ENABLE | BASE_X2APIC);
	wrmsr(X2APIC(0xf0), 0x100 | APIC_SPURIOUS);
	wrmsr(X2APIC(0x80), 0);
}

/* ---- the generator ---- */

u64 any(struct fuzz *f)
{
	f->state ^= f->state << 13;
	f->state ^= f->state >> 7;
	f->state ^= f->state << 17;
	return f->state * 0x2545f4914f6cdd1dull >> 8;
}

bool one_in(struct fuzz *f, u32 n)
{
	return any(f) % n == 0;
}

u64 whole(struct fuzz *f)
{
	return any(f) << 32 ^ any(f);
}

/* values at the edges of things */
u64 odd(struct fuzz *f)
{
	switch (any(f) % 8) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return any(f) & 0xff;
	case 3:
		return any(f) & 0xffff;
	case 4:
		return 1ull << any(f) % 64;
	case 5:
		return ~(1ull << any(f) % 64);
	case 6:
		return (u32)any(f);
	default:
		return whole(f);
	}
}

u8 vector(struct fuzz *f)
{
	return 16 + any(f) % 240;
}

/* exactly @n bits, the first more often than others */
u64 bits(struct fuzz *f, u32 n)
{
	u64 v = 0, bit = one_in(f, 4) ? 1ull << any(f) % 64 : 1;

	while (n) {
		if (!(v & bit))
			n--;
		v |= bit;
		bit = 1ull << any(f) % 64;
	}
	return v;
}

void fuzz_begin(struct fuzz *f, u32 index)
{
	f->self = f;
	f->index = index;
	f->state = (host->seed + 1) * 0x9e3779b97f4a7c15ull ^ (index + 1) * 0xbf58476d1ce4e5b9ull;
	f->state = f->state ?: 1;
	wrmsr(MSR_GS_BASE, (ulong)f);
	WR("cr4", cr4() | 0x600);	/* SSE */
	fuzz_fresh_apic();
}
