// SPDX-License-Identifier: GPL-2.0-only
/*
 * m16.c - real mode (compiled with -m16): vectors, I/O, MMIO, HLT, and the way
 * to protected mode and back.  Its own small runtime.
 */
#include "rt.h"

extern const struct g_case cases_start[], cases_end[];

asm(".pushsection .head, \"a\"; .long 0x4247564f, 16, 0x9000, 0, start16, 0, cases_start, 0,"
    "cases_count, 0; .popsection;"
    ".text; start16: cld; calll main16; 1: hlt; jmp 1b");

void check_(bool ok, u32 line, u64 got, u64 want, const char *text)
{
	struct g_check c = { .got = got, .want = want, .ok = ok, .line = line };

	c.text64 = 0;
	c.text = text;
	outl(G_PORT_CHECK, (u32)&c);
}

void main16(void)
{
	cases_start[host->case_number].fn();
	for (;;)
		outl(G_PORT_DONE, 0);
}

void command(u32 cmd, u64 a0, u64 a1, u64 a2)
{
	host->arg[0] = a0;
	host->arg[1] = a1;
	host->arg[2] = a2;
	outl(G_PORT_COMMAND, cmd);
}

static volatile u16 hits;
static void set_vector(u8 vec, const char *handler)
{
	volatile u16 *v = (u16 *)(vec * 4u);

	asm("" : "+r"(v));	/* page 0 is memory like any other here */
	v[0] = (u32)handler;
	v[1] = 0;
}

extern char count16[], skip2_16[];
asm("count16: incw %cs:hits; iretw;"
    "skip2_16: push %bp; mov %sp, %bp; addw $2, 2(%bp); incw %cs:hits; pop %bp; iretw");

CASE(r16_basics, 0, 1)
{
	is(cr0() & 1, 0);
	is(cpuid(0, 0).ebx, 0x756e6547);
	outb(G_PORT + 1, 0x42);
	is(host->value, 0x42);
	is(host->size, 1);
	host->answer = 0x12345678;
	is(inl(G_PORT), 0x12345678);
}

CASE(r16_interrupts, 0, 1)
{
	set_vector(0x21, count16);
	for (u32 i = 0; i < 20; i++)
		asm volatile("int $0x21");
	is(hits, 20);
	set_vector(6, skip2_16);
	asm volatile("ud2");
	is_(hits, 21, "#UD by vector 6");
	set_vector(0, skip2_16);
	asm volatile("xor %%dx, %%dx; xor %%cx, %%cx; div %%cx" ::: "eax", "ecx", "edx");
	is_(hits, 22, "#DE by vector 0");
	set_vector(13, skip2_16);
	asm volatile("rdmsr" :: "c"(0x12345678) : "eax", "edx");
	is_(hits, 23, "#GP of an unknown MSR by vector 13");
}

CASE(r16_segments, 0, 1)
{
	u16 v;

	*(volatile u16 *)0x8012 = 0xbeef;
	asm volatile("mov $0x0801, %%ax; mov %%ax, %%fs; mov %%fs:2, %0" : "=r"(v) :: "eax");
	is_(v, 0xbeef, "a segment base is selector * 16");
	asm volatile("ljmp $0, $1f; 1:");
	outb(G_PORT, 3);
	asm volatile("mov %%fs:2, %0" : "=r"(v));
	is_(v, 0xbeef, "kept over an exit");
}

CASE(r16_string_io, 0, 1)
{
	static u8 data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	u32 si = (u32)data, cx = 8, n = host->accesses, di;

	asm volatile("rep outsb" : "+S"(si), "+c"(cx) : "d"(G_PORT) : "memory");
	is(host->accesses - n, 8);
	is(host->value, 8);
	is(si, (u32)data + 8);
	is(cx, 0);
	host->answer = 0x55;
	di = (u32)data;
	cx = 4;
	asm volatile("rep insb" : "+D"(di), "+c"(cx) : "d"(G_PORT) : "memory");
	is(data[3], 0x55);
	is(data[4], 5);
}

CASE(r16_mmio, G_OVID_ONLY, 1)
{
	/* memory up to 32 MiB, so nothing below 1 MiB is MMIO: through unreal mode */
	static struct { u16 l; u32 b; } __attribute__((packed)) g;
	static u64 table[3];
	u32 v, c = cr0();

	table[1] = 0x008f93000000ffffull;
	g.l = 23;
	g.b = (u32)table;
	asm volatile("cli; lgdtl %1; mov %2, %%cr0; mov $8, %%ax; mov %%ax, %%gs; mov %0, %%cr0"
		     :: "r"(c), "m"(g), "r"(c | 1) : "eax", "memory");
	asm volatile("movl %0, %%gs:(%1)" :: "r"(0x12345678), "r"(G_MMIO) : "memory");
	is(host->addr, G_MMIO);
	is(host->value, 0x12345678);
	is(host->size, 4);
	host->answer = 0xabcd;
	asm volatile("movw %%gs:(%1), %w0" : "=a"(v) : "d"(G_MMIO), "0"(0) : "memory");
	is(v & 0xffff, 0xabcd);
	is(host->size, 2);
}

CASE(r16_hlt_extint, 0, 1)
{
	/* no APIC set up: LINT0 is masked after reset, so the APIC goes off first */
	set_vector(0x20, count16);
	wrmsr(0x1b, 0xfee00100);
	command(G_CMD_EXTINT_LATER, 0, 0x20, 300);
	asm volatile("sti; hlt; cli");
	is(hits, 1);
}

CASE(r16_nmi, 0, 1)
{
	set_vector(2, count16);
	command(G_CMD_NMI, 0, 0, 0);
	for (u32 i = 0; i < 1000 && !hits; i++)
		pause_();
	is(hits, 1);
}

CASE(r16_to_protected, 0, 1)
{
	static struct { u16 l; u32 b; } __attribute__((packed)) g;
	static u64 table[4];
	u32 seen = 0;

	table[1] = 0x00cf9b000000ffffull;
	table[2] = 0x00cf93000000ffffull;
	table[3] = 0x00009b000000ffffull;
	g.l = 31;
	g.b = (u32)table;
	for (u32 i = 0; i < 10; i++)
		asm volatile("cli; lgdtl %1;"
			     "mov %%cr0, %%eax; or $1, %%al; mov %%eax, %%cr0; ljmpl $8, $1f;"
			     ".code32; 1: mov $0x10, %%eax; mov %%eax, %%ds; add $1, %0;"
			     "out %%al, $0x80; ljmpl $0x18, $2f;"
			     ".code16; 2: mov %%cr0, %%eax; and $0xfe, %%al; mov %%eax, %%cr0;"
			     "ljmpl $0, $3f; 3: xor %%eax, %%eax; mov %%eax, %%ds"
			     : "+S"(seen) : "m"(g) : "eax", "memory");
	is(seen, 10);
	is(cr0() & 1, 0);
}

CASE(r16_shutdown, G_END_SHUTDOWN, 1)
{
	static struct { u16 l; u32 b; } __attribute__((packed)) none;

	asm volatile("lidtl %0; ud2" :: "m"(none));
}

CASE(r16_run_off, G_END_ANY, 1)
{
	asm volatile("ljmp $0xf000, $0xfff0");
}
