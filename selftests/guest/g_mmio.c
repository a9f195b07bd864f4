// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_mmio.c - loads and stores outside memory: every width, every register,
 * every extension; and what is not decoded.
 */
#include "rt.h"

#define A	((ulong)G_MMIO + 0x100)

static void saw(bool write, u32 size, u64 addr)
{
	is(host->pio, 0);
	is(host->write, write);
	is(host->size, size);
	is(host->addr, addr);
}

#define STORE(insn, size_, value_, addr_, ...) do {			\
	u32 n_ = host->accesses;					\
	asm volatile(insn :: __VA_ARGS__ : "memory");			\
	is_(host->accesses - n_, 1, insn ": one access");		\
	is_(host->size, size_, insn ": size");				\
	is_(host->value, value_, insn ": value");			\
	is_(host->addr, addr_, insn ": address");			\
	is_(host->write, 1, insn ": is a store");			\
} while (0)

CASE(mmio_store, 0, 1)
{
	u64 v = 0x1122334455667788ull;

	STORE("movb %b0, (%1)", 1, 0x88, A, "r"(v), "r"(A));
	STORE("movw %w0, (%1)", 2, 0x7788, A, "r"(v), "r"(A));
	STORE("movl %k0, (%1)", 4, 0x55667788, A, "r"(v), "r"(A));
	STORE("movq %q0, (%1)", 8, v, A, "r"(v), "r"(A));
	STORE("movb %%ah, (%1)", 1, 0x77, A, "a"(v), "r"(A));
	STORE("movb %%bh, (%1)", 1, 0x77, A, "b"(v), "r"(A));
	STORE("movb %%ch, (%1)", 1, 0x77, A, "c"(v), "r"(A));
	STORE("movb %%dh, (%1)", 1, 0x77, A, "d"(v), "r"(A));
	STORE("movb %%sil, (%1)", 1, 0x88, A, "S"(v), "r"(A));
	STORE("movb %%dil, (%1)", 1, 0x88, A, "D"(v), "r"(A));
	STORE("movl %k0, 3(%1)", 4, 0x55667788, A + 3, "r"(v), "r"(A));
}

CASE(mmio_store_immediate, 0, 1)
{
	STORE("movb $0x5a, (%0)", 1, 0x5a, A, "r"(A));
	STORE("movw $0x5aa5, (%0)", 2, 0x5aa5, A, "r"(A));
	STORE("movl $0x89abcdef, (%0)", 4, 0x89abcdef, A, "r"(A));
	STORE("movq $-2, (%0)", 8, ~1ull, A, "r"(A));
	STORE("movl $1, 0x7f(%0)", 4, 1, A + 0x7f, "r"(A));
	STORE("movl $2, 0x1234(%0)", 4, 2, A + 0x1234, "r"(A));
	STORE("movl $3, -0x10(%0)", 4, 3, A - 0x10, "r"(A));
}

CASE(mmio_addressing, 0, 1)
{
	u64 v = 0xcafe, i = 4;

	STORE("movl %k0, 8(%1,%2,8)", 4, 0xcafe, A + 8 + 32, "r"(v), "r"(A), "r"(i));
	STORE("movl %k0, (%1,%2)", 4, 0xcafe, A + 4, "r"(v), "r"(A), "r"(i));
	STORE("mov %1, %%r13; movl %k0, (%%r13)", 4, 0xcafe, A, "r"(v), "r"(A));
	STORE("mov %1, %%r12; movl %k0, (%%r12)", 4, 0xcafe, A, "r"(v), "r"(A));
	STORE("mov %1, %%r8; mov %0, %%r15; movl %%r15d, 16(%%r8)", 4, 0xcafe, A + 16, "r"(v), "r"(A));
	STORE("movl %k0, (%k1)", 4, 0xcafe, A, "r"(v), "r"(A));
	STORE("movabs %%eax, 0xd0000100", 4, 0xcafe, A, "a"(v));
	STORE("movabs %%al, 0xd0000101", 1, 0xfe, A + 1, "a"(v));
	STORE("movabs %%rax, 0xd0000108", 8, 0xcafe, A + 8, "a"(v));
	wrmsr(0xc0000101, A);
	STORE("movl %k0, %%gs:0x20", 4, 0xcafe, A + 0x20, "r"(v));
}

#define LOAD(insn, answer_, want_, size_) do {				\
	u64 r_ = 0x1122334455667788ull;					\
	u32 n_ = host->accesses;					\
	host->answer = (answer_);					\
	asm volatile(insn : "+a"(r_) : "d"(A) : "memory");		\
	is_(r_, want_, insn);						\
	is_(host->accesses - n_, 1, insn ": one access");		\
	saw(false, size_, A);						\
} while (0)

CASE(mmio_load, 0, 1)
{
	LOAD("movb (%%rdx), %%al", 0xfe, 0x11223344556677feull, 1);
	LOAD("movb (%%rdx), %%ah", 0xfe, 0x112233445566fe88ull, 1);
	LOAD("movw (%%rdx), %%ax", 0xfedc, 0x112233445566fedcull, 2);
	LOAD("movl (%%rdx), %%eax", 0xfedcba98, 0xfedcba98ull, 4);
	LOAD("movq (%%rdx), %%rax", 0xfedcba9876543210ull, 0xfedcba9876543210ull, 8);
	LOAD("movb (%%rdx), %%al", ~0ull, 0x11223344556677ffull, 1);
	LOAD("movl (%%rdx), %%eax", ~0ull, 0xffffffffull, 4);
}

CASE(mmio_load_extend, 0, 1)
{
	LOAD("movzbl (%%rdx), %%eax", 0xfe, 0xfeull, 1);
	LOAD("movzbw (%%rdx), %%ax", 0xfe, 0x11223344556600feull, 1);
	LOAD("movzbq (%%rdx), %%rax", 0xfe, 0xfeull, 1);
	LOAD("movzwl (%%rdx), %%eax", 0xfedc, 0xfedcull, 2);
	LOAD("movzwq (%%rdx), %%rax", 0xfedc, 0xfedcull, 2);
	LOAD("movsbl (%%rdx), %%eax", 0xfe, 0xfffffffeull, 1);
	LOAD("movsbw (%%rdx), %%ax", 0xfe, 0x112233445566fffeull, 1);
	LOAD("movsbq (%%rdx), %%rax", 0xfe, ~1ull, 1);
	LOAD("movswl (%%rdx), %%eax", 0x8000, 0xffff8000ull, 2);
	LOAD("movswq (%%rdx), %%rax", 0x8000, 0xffffffffffff8000ull, 2);
	LOAD("movslq (%%rdx), %%rax", 0x80000000, 0xffffffff80000000ull, 4);
	LOAD("movsbl (%%rdx), %%eax", 0x7f, 0x7full, 1);
	LOAD("movslq (%%rdx), %%rax", 0x7fffffff, 0x7fffffffull, 4);
}

CASE(mmio_load_moffs, 0, 1)
{
	LOAD("movabs 0xd0000100, %%al", 0xfe, 0x11223344556677feull, 1);
	LOAD("movabs 0xd0000100, %%ax", 0xfedc, 0x112233445566fedcull, 2);
	LOAD("movabs 0xd0000100, %%eax", 0xfedcba98, 0xfedcba98ull, 4);
	LOAD("movabs 0xd0000100, %%rax", 0xfedcba9876543210ull, 0xfedcba9876543210ull, 8);
}

#define LOAD_REG(reg) do {						\
	u64 r_;								\
	host->answer = 0x8899aabbccddeeffull;				\
	asm volatile("mov (%1), %%" reg "; mov %%" reg ", %0"		\
		     : "=r"(r_) : "r"(A) : "memory", reg);		\
	is_(r_, 0x8899aabbccddeeffull, "a load into " reg);		\
} while (0)

CASE(mmio_all_registers, 0, 1)
{
	LOAD_REG("rax"); LOAD_REG("rcx"); LOAD_REG("rdx"); LOAD_REG("rbx");
	LOAD_REG("rsi"); LOAD_REG("rdi"); LOAD_REG("r8"); LOAD_REG("r9");
	LOAD_REG("r10"); LOAD_REG("r11"); LOAD_REG("r12"); LOAD_REG("r13");
	LOAD_REG("r14"); LOAD_REG("r15");
	{
		u64 r;

		host->answer = 0x7777;
		asm volatile("mov %%rbp, %%rcx; mov (%1), %%rbp; mov %%rbp, %0; mov %%rcx, %%rbp"
			     : "=a"(r) : "d"(A) : "rcx", "memory");
		is_(r, 0x7777, "a load into rbp");
		asm volatile("mov %%rsp, %%rcx; mov (%1), %%rsp; mov %%rsp, %0; mov %%rcx, %%rsp"
			     : "=a"(r) : "d"(A) : "rcx", "memory");
		is_(r, 0x7777, "a load into rsp");
	}
}

CASE(mmio_stos, 0, 1)
{
	ulong di = A;

	asm volatile("stosb" : "+D"(di) : "a"(0x1234ul) : "memory");
	saw(true, 1, A);
	is(host->value, 0x34);
	is(di, A + 1);
	asm volatile("stosl" : "+D"(di) : "a"(0x12345678ul) : "memory");
	saw(true, 4, A + 1);
	is(host->value, 0x12345678);
	is(di, A + 5);
	asm volatile("stosq" : "+D"(di) : "a"(~5ul) : "memory");
	is(host->value, ~5ul);
	is(di, A + 13);
	asm volatile("std; stosw; cld" : "+D"(di) : "a"(7ul) : "memory");
	saw(true, 2, A + 13);
	is(di, A + 11);
}

CASE(mmio_flags_kept, 0, 1)
{
	u64 f;

	asm volatile("stc; movl %%eax, (%%rdx); pushfq; pop %0" : "=r"(f) : "a"(1), "d"(A) : "memory");
	is(f & 1, 1);
	asm volatile("clc; movl (%%rdx), %%eax; pushfq; pop %0" : "=r"(f) : "d"(A) : "rax", "memory");
	is(f & 1, 0);
}

CASE(mmio_many, 0, 1)
{
	u32 n = host->accesses;
	bool good = true;

	for (u32 i = 0; i < 500; i++) {
		host->answer = i * 7;
		*(volatile u32 *)A = i;
		good &= host->value == i;
		good &= *(volatile u32 *)A == i * 7;
	}
	check(good);
	is(host->accesses - n, 1000);
}

CASE(mmio_paged_elsewhere, 0, 1)
{
	/* another linear address for the same physical one */
	u64 *d = (u64 *)0x12000;
	volatile u32 *at = (u32 *)0x20000100ul;

	d[0x20000000 >> 21] = G_MMIO | 0x87;
	WR("cr3", cr3());
	*at = 0x99;
	saw(true, 4, G_MMIO + 0x100);
	is(host->value, 0x99);
}

/* not decoded: the worker gets the bytes, steps over by itself */
#define RAW(insn, len, ...) do {					\
	u32 n_ = host->raws;						\
	host->skip = len;						\
	asm volatile(insn :: __VA_ARGS__ : "memory", "cc");		\
	host->skip = 0;							\
	is_(host->raws - n_, 1, insn ": raw exit");			\
	is_(host->addr, A, insn ": address");				\
} while (0)

CASE(mmio_raw, G_OVID_ONLY, 1)
{
	RAW("addl %%eax, (%%rdx)", 2, "a"(1), "d"(A));
	RAW("cmpl %%eax, (%%rdx)", 2, "a"(1), "d"(A));
	RAW("xchgl %%eax, (%%rdx)", 2, "a"(1), "d"(A));
	RAW("lock; incl (%%rdx)", 3, "d"(A));
	RAW("orb $1, (%%rdx)", 3, "d"(A));
	RAW("testb $1, (%%rdx)", 3, "d"(A));
	RAW("pushq (%%rdx)", 2, "d"(A));
	RAW("call *(%%rdx)", 2, "d"(A));
	RAW("movntil %%eax, (%%rdx)", 3, "a"(1), "d"(A));
}

CASE(mmio_emulated, G_KVM_ONLY, 1)
{
	host->answer = 5;
	asm volatile("addl %%eax, (%%rdx)" :: "a"(1), "d"(A) : "memory", "cc");
	is(host->value, 6);
}

CASE(mmio_raw_ends, G_OVID_ONLY | G_END_RAW, 1)
{
	asm volatile("lock; addl $1, (%0)" :: "r"(A) : "memory");
}
