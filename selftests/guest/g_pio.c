// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_pio.c - port accesses that the worker answers.
 */
#include "rt.h"

static void saw(bool write, u32 size, u64 value)
{
	is(host->pio, 1);
	is(host->write, write);
	is(host->size, size);
	if (write)
		is(host->value, value);
}

CASE(pio_out, 0, 1)
{
	u32 n = host->accesses;

	outb(G_PORT + 5, 0xa5);
	saw(true, 1, 0xa5);
	is(host->addr, G_PORT + 5);
	outw(G_PORT + 6, 0xa55a);
	saw(true, 2, 0xa55a);
	outl(G_PORT + 8, 0x12345678);
	saw(true, 4, 0x12345678);
	is(host->addr, G_PORT + 8);
	is(host->accesses - n, 3);
	asm volatile("mov $0x7f, %%al; outb %%al, $0x80" ::: "rax");
	is_(host->addr, 0x80, "the immediate form");
	is(host->value, 0x7f);
}

#define IN(insn, answer_) ({						\
	u64 r_ = 0x1122334455667788ull;					\
	host->answer = (answer_);					\
	asm volatile(insn : "+a"(r_) : "d"(G_PORT) : "memory");		\
	r_; })

CASE(pio_in, 0, 1)
{
	is_(IN("inb %%dx, %%al", ~0ull), 0x11223344556677ffull, "IN AL keeps the rest of RAX");
	saw(false, 1, 0);
	is_(IN("inw %%dx, %%ax", 0xbeefull), 0x112233445566beefull, "IN AX keeps the rest");
	saw(false, 2, 0);
	is_(IN("inl %%dx, %%eax", 0xdeadbeefull), 0xdeadbeefull, "IN EAX clears the upper half");
	saw(false, 4, 0);
	is_(IN("inb %%dx, %%al", 0x1ff), 0x11223344556677ffull, "an answer too wide is cut");
	is_(IN("inl %%dx, %%eax", 0x5deadbeefull), 0xdeadbeefull, "an answer too wide is cut (EAX)");
	is_(IN("rex.w inl %%dx, %%eax", 0xdeadbeefull), 0xdeadbeefull, "REX.W changes nothing");
}

CASE(pio_many, 0, 1)
{
	u32 n = host->accesses;

	for (u32 i = 0; i < 1000; i++) {
		outl(G_PORT, i * 3);
		if (host->value != i * 3)
			break;
	}
	is(host->accesses - n, 1000);
	is(host->value, 999 * 3);
}

CASE(pio_flags_kept, 0, 1)
{
	u64 f;

	asm volatile("stc; outb %%al, %%dx; pushfq; pop %0" : "=r"(f) : "a"(1), "d"(G_PORT));
	is_(f & 1, 1, "OUT leaves the flags alone");
	asm volatile("std; outb %%al, %%dx; pushfq; pop %0; cld" : "=r"(f) : "a"(1), "d"(G_PORT));
	is(f >> 10 & 1, 1);
}

CASE(pio_registers_kept, 0, 1)
{
	u64 r[4];

	asm volatile("mov $0x1111, %%r8; mov $0x2222, %%r12; mov $0x3333, %%rbx; mov $0x4444, %%r15;"
		     "outb %%al, %%dx; inl %%dx, %%eax; cpuid;"
		     "mov %%r8, 0(%0); mov %%r12, 8(%0); mov %%r15, 24(%0)"
		     :: "S"(r), "a"(1), "d"(G_PORT), "c"(0)
		     : "rbx", "r8", "r12", "r15", "memory");
	is(r[0], 0x1111);
	is(r[1], 0x2222);
	is(r[3], 0x4444);
}

CASE(pio_string_out, 0, 1)
{
	static u32 data[32];
	u32 n = host->accesses;
	ulong si = (ulong)data, cx = 16;

	for (u32 i = 0; i < 32; i++)
		data[i] = 0x1000 + i;
	asm volatile("rep outsl" : "+S"(si), "+c"(cx) : "d"(G_PORT) : "memory");
	is_(host->accesses - n, 16, "REP OUTSD: sixteen accesses");
	is(cx, 0);
	is(si, (ulong)data + 64);
	is(host->value, 0x100f);
	is(host->log[(host->accesses - 1) % 32], 0x100f);
	is(host->log[(host->accesses - 16) % 32], 0x1000);
	asm volatile("outsw" : "+S"(si) : "d"(G_PORT) : "memory");
	is_(si, (ulong)data + 66, "a single OUTSW");
	is(host->size, 2);
	is(host->value, 0x1010);
	cx = 0;
	n = host->accesses;
	asm volatile("rep outsb" : "+S"(si), "+c"(cx) : "d"(G_PORT) : "memory");
	is_(host->accesses - n, 0, "REP OUTSB with RCX = 0 does nothing");
	si = (ulong)data + 12;
	cx = 3;
	asm volatile("std; rep outsl; cld" : "+S"(si), "+c"(cx) : "d"(G_PORT) : "memory");
	is_(si, (ulong)data, "backwards");
	is(host->value, 0x1001);
}

CASE(pio_string_in, 0, 1)
{
	static u8 data[4096] __attribute__((aligned(64)));
	ulong di = (ulong)data + 1, cx = 33;

	host->answer = 0x5a;
	asm volatile("rep insb" : "+D"(di), "+c"(cx) : "d"(G_PORT) : "memory");
	is(data[0], 0);
	is(data[1], 0x5a);
	is(data[33], 0x5a);
	is(data[34], 0);
	is(cx, 0);
	is(di, (ulong)data + 34);
	host->answer = 0xcafebabe;
	di = (ulong)data + 64;
	asm volatile("insl" : "+D"(di) : "d"(G_PORT) : "memory");
	is(*(u32 *)(data + 64), 0xcafebabe);
	is(di, (ulong)data + 68);
	di = (ulong)data + 2000;
	cx = 1000;
	asm volatile("rep insw" : "+D"(di), "+c"(cx) : "d"(G_PORT) : "memory");
	is(*(u16 *)(data + 2000), 0xbabe);
	is(*(u16 *)(data + 3998), 0xbabe);
	is(data[4000], 0);
}

CASE(pio_user, 0, 1)
{
	extern char pio_user_denied[], pio_user_allowed[];
	u32 n = host->accesses;

	extern void gp(struct frame *f);

	handlers[13] = gp;
	run_user((ulong)pio_user_denied);
	is_(irqs[13], 1, "OUT in ring 3 with IOPL 0 is #GP");
	is_(host->accesses, n, "and reaches nobody");
	user_flags = 0x3202;		/* IOPL 3 */
	run_user((ulong)pio_user_allowed);
	is(irqs[13], 1);
	is_(host->accesses, n + 1, "with IOPL 3 it goes through");
}

void gp(struct frame *f)
{
	irqs[13]++;
	f->ip += 1;
}
asm("pio_user_denied: mov $0x300, %edx; out %al, %dx; int $0x80");
asm("pio_user_allowed: mov $0x300, %edx; out %al, %dx; int $0x80");
