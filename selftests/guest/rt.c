// SPDX-License-Identifier: GPL-2.0-only
/*
 * rt.c - the runtime of a test guest: descriptor tables, exceptions, APIC,
 * further VPs, and the calls to the runner.
 */
#include "rt.h"

extern const struct g_case cases_start[], cases_end[];
extern char stubs[];

struct exc exc = { .vec = -1 };
volatile ulong try_ip;
handler_t handlers[256];
volatile u32 irqs[256];
volatile bool x2apic;
volatile ulong user_flags = 0x202;

u64 gdt[16] __attribute__((aligned(16)));
u8 tss[128] __attribute__((aligned(128)));
u8 idt[256 * 16] __attribute__((aligned(16)));

void check_(bool ok, u32 line, u64 got, u64 want, const char *text)
{
	struct g_check c = { .got = got, .want = want, .ok = ok, .line = line };

	c.text64 = 0;
	c.text = text;
	outl(G_PORT_CHECK, (u32)(ulong)&c);
}

void note(const char *text, u64 value)
{
	struct g_check c = { .got = value };

	c.text64 = 0;
	c.text = text;
	outl(G_PORT_NOTE, (u32)(ulong)&c);
}

void done(void)
{
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

void exception(struct frame *f)
{
	if (handlers[f->vec]) {
		handlers[f->vec](f);
		return;
	}
	exc.vec = f->vec;
	exc.err = f->err;
	exc.ip = f->ip;
	exc.flags = f->flags;
	exc.cs = f->cs;
	exc.cr2 = cr2();
	exc.dr6 = RD("db6", ulong);
#ifdef __x86_64__
	exc.sp = f->sp;
#endif
	exc.count++;
	if (try_ip) {
		f->ip = try_ip;
		try_ip = 0;
		return;
	}
	if (cases_start[host->case_number].flags & G_END_ANY)
		done();
	is_(f->vec, ~0ull, "an exception that nobody asked for");
	is_(f->ip, 0, "... at");
	is_(f->err, 0, "... with the error code");
	is_(exc.cr2, 0, "... and CR2");
	done();
}

void irq_count_no_eoi(struct frame *f)
{
	irqs[f->vec]++;
}

void irq_count(struct frame *f)
{
	irqs[f->vec]++;
	apic_write(0xb0, 0);
}

#ifdef __x86_64__
void gate(u8 vec, ulong offset, u16 sel, u8 type, u8 ist)
{
	u64 *g = (u64 *)(idt + vec * 16);

	g[0] = (offset & 0xffff) | (u64)sel << 16 | (u64)ist << 32 | (u64)type << 40 |
	       (u64)(offset >> 16 & 0xffff) << 48;
	g[1] = offset >> 32;
}
#else
void gate(u8 vec, ulong offset, u16 sel, u8 type, u8 ist)
{
	u64 *g = (u64 *)(idt + vec * 8);

	(void)ist;
	g[0] = (offset & 0xffff) | (u64)sel << 16 | (u64)type << 40 |
	       (u64)(offset >> 16) << 48;
}
#endif

struct dtr {
	u16 limit;
	ulong base;
} __attribute__((packed));

static void load_tables(void)
{
	struct dtr g = { sizeof(gdt) - 1, (ulong)gdt };
	struct dtr i = { sizeof(idt) - 1, (ulong)idt };

	asm volatile("lgdt %0; lidt %1" :: "m"(g), "m"(i) : "memory");
}

#ifdef __x86_64__
#define CODE	0x00af9b000000ffffull
#define UCODE	0x00affb000000ffffull
#define GATE	0x8e
#else
#define CODE	0x00cf9b000000ffffull
#define UCODE	0x00cffb000000ffffull
#define GATE	0x8e
#endif

static void init_tables(void)
{
	ulong t = (ulong)tss;

	gdt[1] = CODE;
	gdt[2] = 0x00cf93000000ffffull;
	gdt[3] = 0x00cffb000000ffffull;
	gdt[4] = 0x00cff3000000ffffull;
	gdt[5] = UCODE;
	gdt[6] = (sizeof(tss) - 1) | (u64)(t & 0xffffff) << 16 | 0x89ull << 40 |
		 (u64)(t >> 24 & 0xff) << 56;
	gdt[8] = 0x00cf13000000ffffull;
#ifdef __x86_64__
	*(u64 *)(tss + 4) = (ulong)exc_stack_top;
	*(u64 *)(tss + 36) = (ulong)exc_stack_top;
	*(u16 *)(tss + 102) = sizeof(tss);
#else
	*(u32 *)(tss + 4) = (ulong)exc_stack_top;
	*(u16 *)(tss + 8) = SEL_DATA;
	*(u16 *)(tss + 102) = sizeof(tss);
#endif
	for (u32 i = 0; i < 256; i++)
		gate(i, (ulong)stubs + i * 16, SEL_CODE, GATE, 0);
	load_tables();
	asm volatile("ltr %w0" :: "r"(SEL_TSS) : "memory");
}

/* ---- local APIC ---- */

u32 apic_read(u32 off)
{
	if (x2apic)
		return rdmsr(0x800 + (off >> 4));
	return *(volatile u32 *)(0xfee00000ul + off);
}

void apic_write(u32 off, u32 v)
{
	if (x2apic)
		wrmsr(0x800 + (off >> 4), v);
	else
		*(volatile u32 *)(0xfee00000ul + off) = v;
}

void apic_icr(u32 dest, u32 low)
{
	if (x2apic) {
		wrmsr(0x830, (u64)dest << 32 | low);
		return;
	}
	apic_write(0x310, dest << 24);
	apic_write(0x300, low);
}

u32 apic_id(void)
{
	return x2apic ? apic_read(0x20) : apic_read(0x20) >> 24;
}

void apic_enable(void)
{
	apic_write(0xf0, 0x100 | APIC_SPURIOUS);
	apic_write(0x80, 0);
}

void x2apic_enable(void)
{
	wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | 0x400);
	x2apic = true;
}

/* ---- further VPs ---- */

volatile u32 ap_alive[AP_SLOTS];

#ifdef __x86_64__
extern char ap_code[], ap_code_end[], ap_gdtr[], ap_cr3[], ap_stack[];
/* at 26 MiB, where nobody else is: not in the image */
static u8 (*const ap_stacks)[8192] = (void *)0x1a00000;
static void (*volatile ap_fn)(void);
static volatile u32 ap_index;

void ap_main(void)
{
	void (*fn)(void) = ap_fn;

	load_tables();
	ap_alive[ap_index]++;
	fn();
	for (;;)
		asm volatile("cli; hlt");
}

void ap_start(u32 index, void (*fn)(void))
{
	u8 *to = (u8 *)G_AP_CODE;
	u32 before = ap_alive[index];

	for (u32 i = 0; i < ap_code_end - ap_code; i++)
		to[i] = ap_code[i];
	*(volatile u16 *)(to + (ap_gdtr - ap_code)) = sizeof(gdt) - 1;
	*(volatile u32 *)(to + (ap_gdtr - ap_code) + 2) = (ulong)gdt;
	*(volatile u64 *)(to + (ap_cr3 - ap_code)) = cr3();
	*(volatile u64 *)(to + (ap_stack - ap_code)) = (ulong)(ap_stacks[index] + 8192);
	ap_fn = fn;
	ap_index = index;
	apic_icr(index, DELIVER_INIT | ICR_ASSERT);
	apic_icr(index, DELIVER_SIPI | ICR_ASSERT | G_AP_CODE >> 12);
	check_(wait_for(ap_alive[index] != before), __LINE__, ap_alive[index], before + 1,
	       "the VP came up by INIT and SIPI");
}

extern char user_return[];
static void int80(struct frame *f)
{
	f->ip = (ulong)user_return;
	f->cs = SEL_CODE;
	f->ss = SEL_DATA;
	f->flags &= ~0x200ul;
	f->sp = (ulong)exc_stack_top - 64;
}
#endif

void rt_main(void)
{
	init_tables();
#ifdef __x86_64__
	handlers[0x80] = int80;
	gate(0x80, (ulong)stubs + 0x80 * 16, SEL_CODE, 0xee, 0);
#endif
	cases_start[host->case_number].fn();
	done();
}
